import { openFolder } from '../../folders/node.ts';
import { runFolders } from '../folders-worker.ts';
import type { FoldersStart } from '../protocol.ts';
import { becomePart } from './node-worker.ts';

becomePart((start: FoldersStart) => runFolders(start, openFolder));

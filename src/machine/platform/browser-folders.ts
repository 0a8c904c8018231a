import { openFolder } from '../../folders/browser.ts';
import { runFolders } from '../folders-worker.ts';
import type { FoldersStart } from '../protocol.ts';
import { becomePart } from './browser-worker.ts';

becomePart((start: FoldersStart) => runFolders(start, openFolder));

import { nodeStore } from '../../storage/node.ts';
import { runMachine } from '../machine-worker.ts';
import type { MachineStart } from '../protocol.ts';
import { becomePart } from './node-worker.ts';

becomePart((start: MachineStart) => runMachine(start, (folder) => nodeStore(folder).layers));

import { openNodeNetwork } from '../../network/node.ts';
import { nodeStore } from '../../storage/node.ts';
import { runMachine } from '../machine-worker.ts';
import type { MachineStart } from '../protocol.ts';
import { becomePart } from './node-worker.ts';

becomePart((start: MachineStart) =>
  runMachine(start, { openStore: (folder) => nodeStore(folder).layers, openNetwork: openNodeNetwork }),
);

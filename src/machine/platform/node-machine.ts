import { openNodeNetwork } from '../../network/node.ts';
import { FileStore } from '../../storage/file-store.ts';
import { LayerStore } from '../../storage/layer-store.ts';
import { MemoryLocks } from '../../storage/memory.ts';
import { runMachine } from '../machine-worker.ts';
import type { MachineStart } from '../protocol.ts';
import { becomePart } from './node-worker.ts';

// Owners hold the layers: a lock of a worker that is terminated would outlive it.
const openStore = (folder: string) => new LayerStore(new FileStore(folder), new MemoryLocks());

becomePart((start: MachineStart) => runMachine(start, { openStore, openNetwork: openNodeNetwork }));

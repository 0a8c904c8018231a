import { openNodeNetwork } from '../../network/node.ts';
import { CodeStore } from '../../storage/code-store.ts';
import { FileStore } from '../../storage/file-store.ts';
import { LayerStore } from '../../storage/layer-store.ts';
import { MemoryLocks } from '../../storage/memory.ts';
import { nodeDisks } from '../../storage/node.ts';
import { runMachine } from '../machine-worker.ts';
import type { MachineStart } from '../protocol.ts';
import { becomePart } from './node-worker.ts';

// Owners hold layers and disks: a lock of a worker that is terminated would outlive it.
const openStore = (folder: string) => ({
  layers: new LayerStore(new FileStore(folder), new MemoryLocks()),
  disks: nodeDisks(folder),
  code: new CodeStore(new FileStore(folder)),
});

becomePart((start: MachineStart) => runMachine(start, { openStore, openNetwork: openNodeNetwork }));

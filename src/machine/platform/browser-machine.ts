import { openBrowserNetwork } from '../../network/browser.ts';
import { browserStore, preloadStore } from '../../storage/browser.ts';
import { runMachine } from '../machine-worker.ts';
import type { MachineStart } from '../protocol.ts';
import { becomePart } from './browser-worker.ts';

becomePart((start: MachineStart) =>
  runMachine(start, { openStore: browserStore, openNetwork: openBrowserNetwork }),
);
preloadStore();

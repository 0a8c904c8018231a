import { openBrowserNetwork } from '../../network/browser.ts';
import { borrowStore, browserStore, preloadStore } from '../../storage/browser.ts';
import { runMachine } from '../machine-worker.ts';
import type { MachineStart } from '../protocol.ts';
import { becomePart } from './browser-worker.ts';

becomePart(({ lent, ...start }: MachineStart & { readonly lent: MessagePort }) => {
  borrowStore(lent);
  runMachine(start, { openStore: browserStore, openNetwork: openBrowserNetwork });
});
preloadStore();

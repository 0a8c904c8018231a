import { runHart } from './hart-worker.ts';
import { type OpenStore, runMachine } from './machine-worker.ts';
import type { WorkerStart } from './protocol.ts';

/** What every worker does: become the part of the machine that its first message says. */
export function runWorker(start: WorkerStart, openStore: OpenStore): void {
  if (start.role === 'hart') runHart(start);
  else runMachine(start, openStore);
}

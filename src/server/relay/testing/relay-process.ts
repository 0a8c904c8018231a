/** A server with a relay, in a process of its own, which answers questions about itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT } from '../../../../scripts/setup/places.mjs';
import { startServer } from '../../server.ts';
import type { RelayOptions } from '../options.ts';
import { Relay } from '../relay.ts';
import { portOf } from './relay-server.ts';

export type Question =
  /** Answered with the port. */
  | { readonly start: RelayOptions }
  /** Answered with the bytes of the process's resident memory. */
  | 'memory'
  | 'sessions';

let relay: Relay | undefined;

async function start(options: RelayOptions): Promise<number> {
  relay = new Relay({ ...options, log: () => {} });
  return portOf(await startServer([PROJECT], 0, { relay }));
}

async function memory(): Promise<number> {
  // Buffers outside the heap are freed after their objects.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await sleep(20);
  }
  return process.memoryUsage.rss();
}

process.on('message', async (question: Question) => {
  if (question === 'memory') process.send?.(await memory());
  else if (question === 'sessions') process.send?.(relay?.sessions);
  else process.send?.(await start(question.start));
});
process.on('disconnect', () => process.exit());

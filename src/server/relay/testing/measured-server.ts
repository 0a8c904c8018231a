/** A server with a relay, in a process of its own, which tells its memory when asked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../../server.ts';
import type { RelayOptions } from '../options.ts';
import { Relay } from '../relay.ts';
import { portOf } from './relay-server.ts';

export type Question = { readonly start: RelayOptions } | 'memory';
/** A port, or the bytes of the process's resident memory. */
export type Reply = number;

async function start(options: RelayOptions): Promise<Reply> {
  const server = await startServer([], 0, { relay: new Relay({ ...options, log: () => {} }) });
  return portOf(server);
}

async function memory(): Promise<Reply> {
  // Buffers outside the heap are freed after their objects.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await sleep(20);
  }
  return process.memoryUsage.rss();
}

process.on('message', async (question: Question) => {
  process.send?.(question === 'memory' ? await memory() : await start(question.start));
});
process.on('disconnect', () => process.exit());

/** `linuxrun stop`. */
import type { StopWords } from '../docker/docker.ts';
import { parseSignal } from '../options/signals.ts';
import { findContainer } from './client.ts';
import { write } from './program.ts';
import { Sockets } from './sockets.ts';

const GRACE = 10;

/** Ends containers, all at the same time. */
export async function dockerStop({ containers, seconds = GRACE, signal }: StopWords): Promise<number> {
  const sockets = await Sockets.open(process.env);
  const number = signal === undefined ? undefined : parseSignal(signal);
  const stops = await Promise.allSettled(
    containers.map(async (name) => {
      const container = await findContainer(sockets, name);
      await container.call('POST', '/stop', { seconds, signal: number });
      await write(process.stdout, `${name}\n`);
    }),
  );
  const failures = stops.filter((stop) => stop.status === 'rejected');
  for (const { reason } of failures) process.stderr.write(`linuxrun: ${(reason as Error).message}\n`);
  return failures.length === 0 ? 0 : 1;
}

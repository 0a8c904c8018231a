/** `linuxrun stop`. */
import type { StopWords } from '../docker/words.ts';
import { parseSignal } from '../options/signals.ts';
import { findContainer } from './client.ts';
import { forEach } from './each.ts';
import { Sockets } from './sockets.ts';

const GRACE = 10;

/** Ends containers, all at the same time. */
export async function dockerStop({ containers, seconds = GRACE, signal }: StopWords): Promise<number> {
  const sockets = await Sockets.open(process.env);
  const number = signal === undefined ? undefined : parseSignal(signal);
  return forEach(containers, async (name) => {
    const container = await findContainer(sockets, name);
    await container.call('POST', '/stop', { seconds, signal: number });
  });
}

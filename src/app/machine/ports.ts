import type { PortChange } from '../../machine/port-watch.ts';
import { chunks } from '../../machine/streams.ts';

/** The most open ports that are reported to the page. */
const MOST = 64;
/** The least time between two reports, in ms. */
const INTERVAL = 20;

/**
 * Tells which ports open and close, until the stream ends. A container can open all ports there are, and
 * close them again and again, which the page could not show in time.
 */
export async function tellPorts(
  changes: ReadableStream<PortChange>,
  tell: (change: PortChange) => void,
): Promise<void> {
  const told = new Set<number>();
  for await (const change of chunks(changes)) {
    const { port, open } = change;
    const isTold = open ? told.size < MOST : told.delete(port);
    if (!isTold) continue;
    if (open) told.add(port);
    tell(change);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}

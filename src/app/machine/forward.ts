import { chunks } from '../../machine/streams.ts';
import { concat } from '../../oci/bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** How much may wait until it is taken, in bytes. */
const LIMIT = 256 << 10;

/**
 * Gives a stream's bytes to `take`, one call at a time. What comes meanwhile waits and goes in one piece, for
 * a call may lead to another thread and back; when much waits, the stream is held back.
 */
export async function forward(stream: ReadableStream<Bytes>, take: (bytes: Bytes) => unknown): Promise<void> {
  let waiting: Bytes[] = [];
  let size = 0;
  let taking: Promise<void> | undefined;
  const takeAll = async () => {
    while (waiting.length > 0) {
      const all = concat(waiting);
      waiting = [];
      size = 0;
      await take(all);
    }
    taking = undefined;
  };
  for await (const bytes of chunks(stream)) {
    waiting.push(bytes);
    size += bytes.length;
    taking ??= takeAll();
    // It is waited for below, if not sooner.
    taking.catch(() => {});
    if (size >= LIMIT) await taking;
  }
  await taking;
}

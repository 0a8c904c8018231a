import { chunks } from '../../streams/chunks.ts';
import { concat } from '../../streams/concat.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The most bytes that wait to be taken. */
const LIMIT = 256 << 10;

/**
 * Gives a stream's bytes to `take`, one call at a time. Bytes that arrive during a call wait and go in one
 * piece, because a call may go to another thread and back. When many bytes wait, the stream pauses.
 * @param note called with the bytes as soon as they arrive
 */
export async function forward(
  stream: ReadableStream<Bytes>,
  take: (bytes: Bytes) => unknown,
  note: (bytes: Bytes) => void = () => {},
): Promise<void> {
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
    note(bytes);
    waiting.push(bytes);
    size += bytes.length;
    taking ??= takeAll();
    // The code below waits for it at the latest.
    taking.catch(() => {});
    if (size >= LIMIT) await taking;
  }
  await taking;
}

import { ZSTDDecoder } from 'zstddec/stream';
import { type Bytes, pieces } from './bytes.ts';
import { ImageError, messageOf } from './errors.ts';

// On damaged data, zstddec's decoder stops making progress.
const MAX_IDLE_STEPS = 64;
// The decoder copies each piece into its own memory.
const PIECE = 64 << 10;

/**
 * Decompresses zstd with any number of frames and windows of up to 128 MiB.
 * @throws an error on damaged or truncated data
 */
export async function* unzstd(compressed: Bytes): Bytes {
  const decoder = new ZSTDDecoder();
  await decoder.init().catch((error) => {
    throw new ImageError(`the zstd decoder cannot be loaded: ${messageOf(error)}`, 'network', {
      cause: error,
    });
  });
  const source = pieces(compressed, PIECE);
  let ended = false;
  let next: Uint8Array | undefined;
  let idle = 0;

  // The decoder takes its input from a synchronous iterator, at most one piece in each step.
  function* input() {
    for (; next; idle = 0) {
      const piece = next;
      next = undefined;
      yield piece;
    }
  }
  const output = decoder.decodeStreaming(input());

  function step(): IteratorResult<Uint8Array> {
    const result = output.next();
    if (!result.done && result.value.length > 0) idle = 0;
    else if (!result.done && ++idle > MAX_IDLE_STEPS) throw new Error('the data makes no sense');
    return result;
  }

  try {
    for (;;) {
      while (!next && !ended) {
        const { done, value } = await source.next();
        if (done) ended = true;
        else if (value.length > 0) next = value;
      }
      const { done, value } = step();
      if (done) return;
      if (value.length > 0) yield value;
    }
  } finally {
    next = undefined;
    drain(step);
    if (!ended) await source.return();
  }
}

/** Lets the decoder reach the end of its input, where it frees its memory. */
function drain(step: () => IteratorResult<Uint8Array>): void {
  try {
    while (!step().done);
  } catch {
    // The input was cut off, so the decoder complains.
  }
}

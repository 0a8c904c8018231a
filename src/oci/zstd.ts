import { ZSTDDecoder } from 'zstddec/stream';
import { messageOf } from '../text/message.ts';
import { type Bytes, pieces } from './bytes.ts';
import { ImageError } from './errors.ts';

// On damaged data, zstddec's decoder stops making progress.
const MAX_IDLE_STEPS = 64;
/** The decoder's own limit. */
const MAX_WINDOW = 128 << 20;
const MEBIBYTE = 1 << 20;
// The decoder copies each piece into its own memory.
const PIECE = 64 << 10;

/**
 * Decompresses zstd with any number of frames and windows of up to 128 MiB.
 * @throws ImageError if the first frame has a larger window; another error on damaged or truncated data
 */
export async function* unzstd(compressed: Bytes): Bytes {
  const decoder = new ZSTDDecoder();
  await decoder.init().catch((error) => {
    throw new ImageError(`the zstd decoder cannot be loaded: ${messageOf(error)}`, 'network', {
      cause: error,
    });
  });
  const source = pieces(checkWindow(compressed), PIECE);
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

/** Refuses a first frame whose window is too large, which the decoder cannot tell from damage. */
async function* checkWindow(compressed: Bytes): Bytes {
  const check = new WindowCheck();
  for await (const bytes of compressed) {
    check.push(bytes);
    yield bytes;
  }
}

/**
 * Reads data up to the header of the first frame that has contents (RFC 8878, sections 3.1.1.1 and 3.1.2).
 */
class WindowCheck {
  #header: number[] = [];
  /** Bytes of a skippable frame that are still to come. */
  #skip = 0;
  #ended = false;

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#ended; ) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (at < bytes.length) this.#add(bytes[at++] as number);
    }
  }

  #add(byte: number): void {
    const header = this.#header;
    header.push(byte);
    if (isSkippable(header)) {
      if (header.length < 8) return;
      this.#skip = littleEndian(header.slice(4));
      this.#header = [];
      return;
    }
    const window = windowOf(header);
    this.#ended = window !== undefined;
    if (window !== undefined && window > MAX_WINDOW) throw tooLarge(window);
  }
}

function isSkippable(header: readonly number[]): boolean {
  return ((header[0] ?? 0) & 0xf0) === 0x50;
}

/** Returns undefined if the header is not complete. */
function windowOf(header: readonly number[]): number | undefined {
  const [descriptor, window] = header.slice(4);
  if (descriptor === undefined) return undefined;
  if ((descriptor & 0x20) === 0) {
    if (window === undefined) return undefined;
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  // A single segment: its window is the size of its contents.
  const start = 5 + ([0, 1, 2, 4][descriptor & 3] as number);
  const size = 1 << (descriptor >> 6);
  return header.length < start + size ? undefined : littleEndian(header.slice(start));
}

function littleEndian(bytes: readonly number[]): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

function tooLarge(window: number): ImageError {
  const [size, limit] = [window, MAX_WINDOW].map((bytes) => `${Math.ceil(bytes / MEBIBYTE)} MiB`);
  return new ImageError(
    `the zstd data needs a window of ${size}, and the limit is ${limit}: compress it again without --long`,
  );
}

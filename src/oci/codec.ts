import { type Bytes, concat } from './bytes.ts';
import type { Algorithm } from './digest.ts';
import { ImageError, messageOf } from './errors.ts';
import { unzstd } from './zstd.ts';

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hex of the hash; the hasher is of no further use. */
  digest(): string;
}

/** What a platform does faster than we could. */
export interface Codec {
  createHasher(algorithm: Algorithm): Promise<Hasher>;
  /**
   * Undoes gzip, with any number of members, in bounded memory.
   * @throws any error on damaged or truncated input
   */
  gunzip(compressed: Bytes): Bytes;
}

/** Undoes gzip or zstd, told by the first bytes: media types are often wrong, and archives have none. */
export async function* decompress(source: Bytes, codec: Codec): Bytes {
  const { head, all } = await peek(source, 4);
  if (isGzip(head)) yield* explained('gzip', codec.gunzip(all));
  else if (isZstd(head)) yield* explained('zstd', unzstd(all));
  else yield* all;
}

/** @param head the first bytes, four if there are as many */
export function isCompressed(head: Uint8Array): boolean {
  return isGzip(head) || isZstd(head);
}

function isGzip(head: Uint8Array): boolean {
  return hasMagic(head, [0x1f, 0x8b]);
}

/** A zstd frame, or a skippable one, which may come first (RFC 8878, sections 3.1.1 and 3.1.2). */
function isZstd(head: Uint8Array): boolean {
  const skippable = ((head[0] ?? 0) & 0xf0) === 0x50 && hasMagic(head.subarray(1), [0x2a, 0x4d, 0x18]);
  return hasMagic(head, [0x28, 0xb5, 0x2f, 0xfd]) || skippable;
}

function hasMagic(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => head[at] === byte);
}

/** Tells the first bytes of a stream, fewer only when it has no more, and the stream that still has them. */
async function peek(source: Bytes, length: number): Promise<{ head: Uint8Array; all: Bytes }> {
  const iterator = source[Symbol.asyncIterator]();
  let head = new Uint8Array(0);
  let done = false;
  while (head.length < length && !done) {
    const next = await iterator.next();
    if (next.done) done = true;
    else head = concat([head, next.value]);
  }
  async function* all() {
    try {
      if (head.length > 0) yield head;
      while (!done) {
        const next = await iterator.next();
        if (next.done) done = true;
        else yield next.value;
      }
    } finally {
      if (!done) await iterator.return?.();
    }
  }
  return { head, all: all() };
}

/** Errors of the source pass as they are; those of the decoder say that the data is bad. */
async function* explained(format: string, decoded: Bytes): Bytes {
  try {
    yield* decoded;
  } catch (error) {
    if (error instanceof ImageError || (error as Error).name === 'AbortError') throw error;
    throw new ImageError(`damaged ${format} data (${messageOf(error)})`, 'invalid', { cause: error });
  }
}

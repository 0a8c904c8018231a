import { type Bytes, concat } from './bytes.ts';
import type { Algorithm } from './digest.ts';
import { ImageError, messageOf } from './errors.ts';
import { unzstd } from './zstd.ts';

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Returns the hash in lower-case hex and ends the hasher. */
  digest(): string;
}

/** Hashing and decompression, which each platform does in its own fast way. */
export interface Codec {
  createHasher(algorithm: Algorithm): Promise<Hasher>;
  /**
   * Decompresses gzip with any number of members, in bounded memory.
   * @throws any error on damaged or truncated input
   */
  gunzip(compressed: Bytes): Bytes;
}

const MAGIC_LENGTH = 10;

/** The formats that we know, but cannot read, by their first bytes. */
const UNREADABLE: readonly [format: string, magic: readonly (number | undefined)[]][] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  // After "BZh" and the size of blocks: the first block, or the end.
  ['bzip2', [0x42, 0x5a, 0x68, undefined, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59]],
  ['bzip2', [0x42, 0x5a, 0x68, undefined, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90]],
];

/**
 * Decompresses gzip or zstd. The first bytes tell which: media types are often wrong, and archives have none.
 * @throws ImageError for damaged data, and for other known compression
 */
export async function* decompress(source: Bytes, codec: Codec): Bytes {
  const { head, all } = await peek(source, MAGIC_LENGTH);
  const unreadable = UNREADABLE.find(([, magic]) => hasMagic(head, magic));
  if (unreadable) {
    await all.return(undefined);
    throw new ImageError(
      `data compressed by ${unreadable[0]} cannot be read: compress it by gzip or zstd instead`,
    );
  }
  if (isGzip(head)) yield* explained('gzip', codec.gunzip(all));
  else if (isZstd(head)) yield* explained('zstd', unzstd(all));
  else yield* all;
}

/** @param head the first four bytes, or fewer if there are no more */
export function isCompressed(head: Uint8Array): boolean {
  return isGzip(head) || isZstd(head);
}

function isGzip(head: Uint8Array): boolean {
  return hasMagic(head, [0x1f, 0x8b]);
}

/**
 * Recognizes a zstd frame, or a skippable frame, which may come first (RFC 8878, sections 3.1.1 and 3.1.2).
 */
function isZstd(head: Uint8Array): boolean {
  const skippable = ((head[0] ?? 0) & 0xf0) === 0x50 && hasMagic(head.subarray(1), [0x2a, 0x4d, 0x18]);
  return hasMagic(head, [0x28, 0xb5, 0x2f, 0xfd]) || skippable;
}

function hasMagic(head: Uint8Array, magic: readonly (number | undefined)[]): boolean {
  return magic.every((byte, at) => byte === undefined || head[at] === byte);
}

/** Returns the first `length` bytes of a stream, or fewer if it has no more, and the whole stream. */
async function peek(
  source: Bytes,
  length: number,
): Promise<{ head: Uint8Array; all: AsyncGenerator<Uint8Array> }> {
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

/** Passes on errors of the source unchanged; errors of the decoder mean that the data is damaged. */
async function* explained(format: string, decoded: Bytes): Bytes {
  try {
    yield* decoded;
  } catch (error) {
    if (error instanceof ImageError || (error as Error).name === 'AbortError') throw error;
    throw new ImageError(`damaged ${format} data (${messageOf(error)})`, 'invalid', { cause: error });
  }
}

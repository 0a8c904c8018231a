import { concat } from '../streams/concat.ts';
import { messageOf } from '../text/message.ts';
import type { Bytes } from './bytes.ts';
import type { Algorithm } from './digest.ts';
import { ImageError } from './errors.ts';
import { unxz } from './xz.ts';
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
  /** The same of bzip2 with any number of streams. */
  bunzip2(compressed: Bytes): Bytes;
}

/** The first bytes of each format; any byte is right where there is undefined. */
type Magic = readonly (number | undefined)[];

interface Format {
  readonly name: string;
  readonly magics: readonly Magic[];
  decode(compressed: Bytes, codec: Codec): Bytes;
}

/** The number of bytes that tell whether data is compressed, and how. */
export const HEAD_LENGTH = 10;
const BZIP2 = [0x42, 0x5a, 0x68, undefined];

const FORMATS: readonly Format[] = [
  { name: 'gzip', magics: [[0x1f, 0x8b]], decode: (compressed, codec) => codec.gunzip(compressed) },
  {
    name: 'zstd',
    // A frame, or a skippable frame, which may come first (RFC 8878, sections 3.1.1 and 3.1.2).
    magics: [[0x28, 0xb5, 0x2f, 0xfd], ...Array.from({ length: 16 }, (_, i) => [0x50 + i, 0x2a, 0x4d, 0x18])],
    decode: unzstd,
  },
  { name: 'xz', magics: [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]], decode: unxz },
  {
    name: 'bzip2',
    // After the size of blocks: the first block, or the end.
    magics: [
      [...BZIP2, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59],
      [...BZIP2, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
    ],
    decode: (compressed, codec) => codec.bunzip2(compressed),
  },
];

/**
 * Decompresses gzip, zstd, xz or bzip2. The first bytes tell which: media types are often wrong, and archives
 * have none.
 * @param name the file's name for messages
 * @throws ImageError for damaged data
 */
export async function* decompress(source: Bytes, codec: Codec, name?: string): Bytes {
  const { head, all } = await peek(source, HEAD_LENGTH);
  const format = formatOf(head);
  if (format) yield* explained(format.decode(all, codec), format.name, name);
  else yield* all;
}

/** @param head the first HEAD_LENGTH bytes, or fewer if there are no more */
export function isCompressed(head: Uint8Array): boolean {
  return formatOf(head) !== undefined;
}

function formatOf(head: Uint8Array): Format | undefined {
  return FORMATS.find(({ magics }) =>
    magics.some((magic) => magic.every((byte, at) => byte === undefined || head[at] === byte)),
  );
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
async function* explained(decoded: Bytes, format: string, name?: string): Bytes {
  try {
    yield* decoded;
  } catch (error) {
    if (error instanceof ImageError || (error as Error).name === 'AbortError') throw error;
    const problem = `damaged ${format} data (${messageOf(error)})`;
    throw new ImageError(name === undefined ? problem : `${name}: ${problem}`, 'invalid', { cause: error });
  }
}

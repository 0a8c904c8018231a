import { createXXHash64 } from 'hash-wasm';
import { StateError } from '../machine/errors.ts';

/** What a section holds. */
export const SECTION = { header: 1, state: 2, blob: 3, pages: 4, end: 5, index: 6 } as const;
export type SectionKind = (typeof SECTION)[keyof typeof SECTION];

/** How a section's contents are compressed. */
export const ENCODING = { none: 0, lz4: 1, zstd: 2 } as const;
export type Encoding = (typeof ENCODING)[keyof typeof ENCODING];

export interface Section {
  readonly kind: SectionKind;
  /** Valid until the next section is read. */
  readonly contents: Uint8Array;
}

/**
 * Compresses sections.
 * @returns the compressed bytes, which are valid until the next call; undefined if they are no fewer
 */
export interface Compressor {
  readonly encoding: Encoding;
  compress(contents: Uint8Array): Uint8Array | undefined;
}

/**
 * Decompresses `stored` to exactly `length` bytes, which are valid until the next call. Throws any error for
 * data that makes no sense.
 */
export type Decompress = (stored: Uint8Array, length: number) => Uint8Array;
export type Decompressors = { readonly [Name in Exclude<keyof typeof ENCODING, 'none'>]?: Decompress };

/**
 * A section is a head and its stored bytes. The head holds, little-endian:
 *
 *     u8 kind, u8 encoding, u16 0, u32 stored bytes, u32 bytes of the contents
 *     u64 XXH64 of these twelve bytes and the stored ones
 */
export const HEAD_LENGTH = 20;
const SUMMED = 12;
/** The most bytes of a section. A reader needs memory for one of them. */
export const MOST_BYTES = 64 << 20;

/** Writes and reads sections. */
export class SectionCodec {
  static #shared: Promise<SectionCodec> | undefined;
  readonly #checksum: Checksum;

  /**
   * Returns the codec of this thread. Each of them would reserve gigabytes of addresses for its checksum's
   * code, until they are collected.
   * @throws Error if the checksum's code cannot be loaded
   */
  static shared(): Promise<SectionCodec> {
    SectionCodec.#shared ??= createXXHash64().then(
      (checksum) => new SectionCodec(checksum),
      (error) => {
        SectionCodec.#shared = undefined;
        throw error;
      },
    );
    return SectionCodec.#shared;
  }

  private constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  /** A section as bytes: its head, and its stored bytes, which are valid as long as the compressor's. */
  encode(
    kind: SectionKind,
    contents: Uint8Array,
    compressor?: Compressor,
  ): [head: Uint8Array, stored: Uint8Array] {
    if (contents.length > MOST_BYTES) throw new StateError('it is too large');
    const compressed = compressor?.compress(contents);
    const stored = compressed ?? contents;
    const head = new Uint8Array(HEAD_LENGTH);
    const view = new DataView(head.buffer);
    view.setUint8(0, kind);
    view.setUint8(1, compressed && compressor ? compressor.encoding : ENCODING.none);
    view.setUint32(4, stored.length, true);
    view.setUint32(8, contents.length, true);
    head.set(this.#sum(head, stored), SUMMED);
    return [head, stored];
  }

  /** The number of stored bytes that follow a head. @throws StateError */
  storedLength(head: Uint8Array): number {
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const [stored, length] = [view.getUint32(4, true), view.getUint32(8, true)];
    if (stored > MOST_BYTES || length > MOST_BYTES) throw new StateError('it is too large');
    return stored;
  }

  /** @throws StateError for anything that `encode` has not made */
  decode(head: Uint8Array, stored: Uint8Array, decompressors: Decompressors): Section {
    if (this.#sum(head, stored).some((byte, n) => byte !== head[SUMMED + n]))
      throw new StateError('its checksum is wrong');
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const [kind, encoding, length] = [view.getUint8(0), view.getUint8(1), view.getUint32(8, true)];
    if (!isKind(kind) || view.getUint16(2, true) !== 0) throw new StateError('it has an unknown part');
    return { kind, contents: decompress(encoding, stored, length, decompressors) };
  }

  /** The first section of some bytes. @throws StateError */
  split(bytes: Uint8Array): Uint8Array {
    if (bytes.length < HEAD_LENGTH) throw new StateError('it ends early');
    return bytes.subarray(0, HEAD_LENGTH + this.storedLength(bytes.subarray(0, HEAD_LENGTH)));
  }

  /** Reads a section that is stored alone. @throws StateError */
  decodeWhole(section: Uint8Array, decompressors: Decompressors): Section {
    const head = section.subarray(0, HEAD_LENGTH);
    if (head.length < HEAD_LENGTH || this.storedLength(head) !== section.length - HEAD_LENGTH)
      throw new StateError('it ends early');
    return this.decode(head, section.subarray(HEAD_LENGTH), decompressors);
  }

  #sum(head: Uint8Array, stored: Uint8Array): Uint8Array {
    this.#checksum.init();
    this.#checksum.update(head.subarray(0, SUMMED));
    this.#checksum.update(stored);
    return this.#checksum.digest('binary');
  }
}

type Checksum = Awaited<ReturnType<typeof createXXHash64>>;

function isKind(kind: number): kind is SectionKind {
  return (Object.values(SECTION) as number[]).includes(kind);
}

function decompress(
  encoding: number,
  stored: Uint8Array,
  length: number,
  { lz4, zstd }: Decompressors,
): Uint8Array {
  if (encoding === ENCODING.none) {
    if (stored.length !== length) throw new StateError('a length of it is wrong');
    return stored;
  }
  const decoder = encoding === ENCODING.lz4 ? lz4 : encoding === ENCODING.zstd ? zstd : undefined;
  if (!decoder) throw new StateError('it is compressed in an unknown way');
  let contents: Uint8Array;
  try {
    contents = decoder(stored, length);
  } catch {
    throw new StateError('it cannot be decompressed');
  }
  if (contents.length !== length) throw new StateError('it cannot be decompressed');
  return contents;
}

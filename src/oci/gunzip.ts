import { type Bytes, concat, pieces } from './bytes.ts';

/** Bytes of a gzip trailer, and of a header without its optional parts (RFC 1952, section 2.3). */
const TRAILER = 8;
const HEADER = 10;
/** Deflate expands by up to 1032, and a DecompressionStream may hold all that one piece expands to. */
const PIECE = 32 << 10;
/** How long decoded bytes may take to come out of a stream that works in another thread. */
const FLUSH_MS = 100;

/**
 * Undoes gzip by the platform's DecompressionStream. That takes a single member and does not tell where it
 * ended, but layers in the eStargz form have one for every file. So members are parted here: the next one
 * begins at what looks like a header and follows the number of bytes that came out of the member before.
 */
export async function* gunzipMembers(compressed: Bytes): Bytes {
  let member = new Member();
  let rest: Uint8Array = new Uint8Array(0);
  try {
    for await (const piece of pieces(compressed, PIECE)) {
      const bytes = concat([rest, piece]);
      let start = 0;
      for (let at = findHeader(bytes, TRAILER); at >= 0; at = findHeader(bytes, at + 1)) {
        await member.write(bytes.subarray(start, at));
        start = at;
        if (await member.hasProduced(lengthBefore(bytes, at))) {
          await member.end();
          yield* member.take();
          member = new Member();
        }
        yield* member.take();
      }
      // A header that is not complete yet, and the trailer before it, wait for the next piece.
      const end = Math.max(start, bytes.length - (TRAILER + HEADER));
      await member.write(bytes.subarray(start, end));
      yield* member.take();
      rest = bytes.slice(end);
    }
    await member.write(rest);
    await member.end();
    yield* member.take();
  } finally {
    await member.cancel();
  }
}

/** Where the first complete header at `from` or later begins, or -1. */
function findHeader(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0x1f, from); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (at + HEADER > bytes.length) return -1;
    const flags = bytes[at + 3] ?? 0;
    // Deflate, and no reserved flags.
    if (bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && (flags & 0xe0) === 0) return at;
  }
  return -1;
}

/** ISIZE: the length of a member's contents modulo 2^32, which ends its trailer. */
function lengthBefore(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at - 4, 4).getUint32(0, true);
}

class Member {
  readonly #writer: WritableStreamDefaultWriter<BufferSource>;
  readonly #reading: Promise<void>;
  #output: Uint8Array[] = [];
  #produced = 0;

  constructor() {
    const { writable, readable } = new DecompressionStream('gzip');
    this.#writer = writable.getWriter();
    this.#reading = this.#read(readable.getReader());
    // Its failure is also that of the write or close that caused it.
    this.#reading.catch(() => {});
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) await this.#writer.write(bytes as BufferSource);
  }

  /** Whether exactly so many bytes, modulo 2^32, come out of what was written. */
  async hasProduced(length: number): Promise<boolean> {
    const deadline = performance.now() + FLUSH_MS;
    while (this.#produced % 2 ** 32 !== length) {
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  }

  async end(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reading]);
  }

  /** What has come out since the last time. */
  take(): Uint8Array[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  async cancel(): Promise<void> {
    await this.#writer.abort().catch(() => {});
    await this.#reading.catch(() => {});
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#output.push(value);
      this.#produced += value.length;
    }
  }
}

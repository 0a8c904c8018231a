import { type Bytes, pieces } from './bytes.ts';
import { lazyDecoder } from './decoder.ts';

/** The part of zip.js's WebAssembly that is zlib's inflate. Addresses are numbers, and 0 is none. */
interface Zlib {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  free(address: number): void;
  inflate_new(): number;
  inflate_init_gzip(stream: number): number;
  /** Its status is in the upper 8 bits, the number of bytes that came out in the lower 24. */
  inflate_process(
    stream: number,
    input: number,
    inputSize: number,
    output: number,
    outputSize: number,
    flush: number,
  ): number;
  inflate_last_consumed(stream: number): number;
  inflate_end(stream: number): number;
}

/** Spares zlib the window of a member that ends within one call. */
const Z_FINISH = 4;
const Z_STREAM_END = 1;
/** The member has not ended yet: the only negative status that is no error. */
const Z_BUF_ERROR = -5;
const Z_MEM_ERROR = -4;

const INPUT = 64 << 10;
/** zip.js copies the input of each call, and a small member needs little of it. */
const FIRST_INPUT = 4 << 10;
const OUTPUT = 512 << 10;

/**
 * Decompresses gzip with zlib in WebAssembly. A DecompressionStream is as fast, but takes a single member
 * and does not say where it ended. Layers in the eStargz form have a member for every file.
 * @param compile gives the WebAssembly module of zip.js
 */
export function gunzipWith(compile: () => Promise<WebAssembly.Module>): (compressed: Bytes) => Bytes {
  const load = lazyDecoder(
    'gzip',
    async () => (await WebAssembly.instantiate(await compile())).exports as unknown as Zlib,
  );
  return async function* gunzip(compressed) {
    const members = new Members(await load());
    try {
      for await (const piece of pieces(compressed, INPUT)) yield* members.push(piece);
      members.finish();
    } finally {
      members.free();
    }
  };
}

/** The members of a gzip file one after the other (RFC 1952, section 2.2). */
class Members {
  readonly #zlib: Zlib;
  readonly #input: number;
  readonly #output: number;
  /** Zero between two members. */
  #stream: number;
  #inputSize = FIRST_INPUT;
  #hasPadding = false;

  constructor(zlib: Zlib) {
    this.#zlib = zlib;
    this.#input = zlib.malloc(INPUT);
    this.#output = zlib.malloc(OUTPUT);
    this.#stream = this.#begin();
    if (this.#input === 0 || this.#output === 0) throw failure(Z_MEM_ERROR);
  }

  /** @param piece at most INPUT bytes */
  *push(piece: Uint8Array): Generator<Uint8Array, void, void> {
    this.#bytes(this.#input, piece.length).set(piece);
    let at = 0;
    let filled = 0;
    while (!this.#hasPadding) {
      if (this.#stream === 0) {
        if (at === piece.length) break;
        // Zeros fill the last block of a tape or disk. As in zlib's own programs, they end the data.
        this.#hasPadding = piece[at] === 0;
        if (this.#hasPadding) break;
        this.#stream = this.#begin();
      }
      const size = Math.min(this.#inputSize, piece.length - at);
      const { consumed, produced, ended } = this.#inflate(at, size, filled);
      this.#inputSize = INPUT;
      at += consumed;
      filled += produced;
      const isFull = filled === OUTPUT;
      if (isFull) {
        yield this.#bytes(this.#output, filled).slice();
        filled = 0;
      }
      if (ended) this.#end();
      // With room left, all of the input has been used.
      else if (!isFull && at === piece.length) break;
    }
    if (filled > 0) yield this.#bytes(this.#output, filled).slice();
  }

  /** @throws when the last member is not complete */
  finish(): void {
    if (this.#stream !== 0) throw new Error('unexpected end of file');
  }

  free(): void {
    if (this.#stream !== 0) this.#end();
    this.#zlib.free(this.#input);
    this.#zlib.free(this.#output);
  }

  #inflate(at: number, size: number, filled: number): { consumed: number; produced: number; ended: boolean } {
    const { inflate_process, inflate_last_consumed } = this.#zlib;
    const [input, output] = [this.#input + at, this.#output + filled];
    const result = inflate_process(this.#stream, input, size, output, OUTPUT - filled, Z_FINISH);
    const status = result >> 24;
    if (status < 0 && status !== Z_BUF_ERROR) throw failure(status);
    return {
      consumed: inflate_last_consumed(this.#stream),
      produced: result & 0xffffff,
      ended: status === Z_STREAM_END,
    };
  }

  #begin(): number {
    const stream = this.#zlib.inflate_new();
    const status = stream === 0 ? Z_MEM_ERROR : this.#zlib.inflate_init_gzip(stream);
    if (status !== 0) throw failure(status);
    this.#inputSize = FIRST_INPUT;
    return stream;
  }

  #end(): void {
    this.#zlib.inflate_end(this.#stream);
    this.#stream = 0;
  }

  /** The memory may have grown, so its buffer is never kept. */
  #bytes(at: number, size: number): Uint8Array {
    return new Uint8Array(this.#zlib.memory.buffer, at, size);
  }
}

function failure(status: number): Error {
  return new Error(status === Z_MEM_ERROR ? 'out of memory' : 'invalid gzip data');
}

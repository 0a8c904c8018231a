import type { Decompress } from './sections.ts';
import { type Compressor, ENCODING } from './sections.ts';

/** The exports of emulator.wasm that compress. */
interface Coder {
  lz4Compress(source: number, length: number, target: number, table: number): number;
  lz4Decompress(source: number, length: number, target: number, room: number): number;
}

const WASM_PAGE = 0x1_0000;
const MOST_PAGES = 0x1000;
/** The compressor's table lies at the start of the memory. */
const TABLE = 0;
const SOURCE = WASM_PAGE;
/** Copies of eight bytes may go beyond the end. */
const SLACK = 32;

/** LZ4 by the core's code, in a memory apart from any machine's. Results are valid until the next call. */
export class Lz4 implements Compressor {
  readonly encoding = ENCODING.lz4;
  readonly decompress: Decompress;
  readonly #memory: WebAssembly.Memory;
  readonly #coder: Coder;

  /** @param emulator the compiled core */
  static async create(emulator: WebAssembly.Module): Promise<Lz4> {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
    const { exports } = await WebAssembly.instantiate(emulator, { env: { memory }, host: NO_HOST });
    return new Lz4(memory, exports as unknown as Coder);
  }

  private constructor(memory: WebAssembly.Memory, coder: Coder) {
    this.#memory = memory;
    this.#coder = coder;
    this.decompress = (stored, length) => this.#decompress(stored, length);
  }

  /** A buffer that `compress` takes without copying it, valid until the next call. */
  buffer(length: number): Uint8Array {
    const target = targetAfter(length);
    this.#reserve(target + length + Math.ceil(length / 255) + SLACK);
    return new Uint8Array(this.#memory.buffer, SOURCE, length);
  }

  compress(contents: Uint8Array): Uint8Array | undefined {
    const { length } = contents;
    if (contents.buffer !== this.#memory.buffer) this.buffer(length).set(contents);
    const target = targetAfter(length);
    const compressed = this.#coder.lz4Compress(SOURCE, length, target, TABLE);
    return compressed < length ? new Uint8Array(this.#memory.buffer, target, compressed) : undefined;
  }

  #decompress(stored: Uint8Array, length: number): Uint8Array {
    const target = targetAfter(stored.length);
    this.#reserve(target + length);
    new Uint8Array(this.#memory.buffer).set(stored, SOURCE);
    if (!this.#coder.lz4Decompress(SOURCE, stored.length, target, length)) throw new Error('no LZ4 block');
    return new Uint8Array(this.#memory.buffer, target, length);
  }

  #reserve(size: number): void {
    const missing = size - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / WASM_PAGE));
  }
}

function targetAfter(length: number): number {
  return SOURCE + Math.ceil((length + SLACK) / 8) * 8;
}

function unused(): never {
  throw new Error('the coder has no host');
}

const NO_HOST = { now: unused, wallClock: unused, output: unused, doorbell: unused, hot: unused };

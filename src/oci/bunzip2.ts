import { type Bytes, pieces } from './bytes.ts';
import { lazyDecoder } from './decoder.ts';

/** The part of bzip2-wasm's WebAssembly that is libbzip2's decoder. Addresses are numbers, and 0 is none. */
interface Libbzip2 {
  readonly memory: WebAssembly.Memory;
  __wasm_call_ctors(): void;
  malloc(size: number): number;
  free(address: number): void;
  /** @param outputSize the address of the room for output, and then of its size */
  BZ2_bzBuffToBuffDecompress(
    output: number,
    outputSize: number,
    input: number,
    inputSize: number,
    small: number,
    verbosity: number,
  ): number;
}

const BZ_OK = 0;
const BZ_MEM_ERROR = -3;
const BZ_OUTBUFF_FULL = -8;

/** Magic numbers of 48 bits: of a block, and of the end of a stream. */
const BLOCK = 0x314159265359;
const END = 0x177245385090;
const MAGIC = 6;
/** A magic number, and the checksum of the block or stream, in bits. */
const HEAD = 80;
/** In bytes. */
const STREAM_HEADER = 4;

/** A block has 900 000 symbols of at most 20 bits, after small tables. */
const MAX_COMPRESSED = 3 << 20;
const USUAL_OUTPUT = 2 << 20;
/** The 900 000 symbols may be runs, in which five mean 259 bytes. */
const MAX_OUTPUT = 48 << 20;
const INPUT_PIECE = 64 << 10;
const OUTPUT_PIECE = 512 << 10;
/** By chance, contents look like the start of a block once in 2^48 bits. */
const MAX_LOOK_ALIKES = 3;

/**
 * Decompresses bzip2 with any number of streams, in bounded memory. libbzip2's WebAssembly decodes only whole
 * files, so each block becomes a file of its own.
 * @param compile gives the WebAssembly module of bzip2-wasm
 */
export function bunzip2With(compile: () => Promise<WebAssembly.Module>): (compressed: Bytes) => Bytes {
  const load = lazyDecoder('bzip2', compile);
  return async function* bunzip2(compressed) {
    const streams = new Streams(await instantiate(await load()));
    for await (const piece of pieces(compressed, INPUT_PIECE)) yield* streams.push(piece);
    streams.finish();
  };
}

async function instantiate(module: WebAssembly.Module): Promise<Libbzip2> {
  const none = () => 0;
  const env = {
    exit() {
      throw new Error('the decoder gave up');
    },
    emscripten_memcpy_big(to: number, from: number, size: number) {
      new Uint8Array(libbzip2.memory.buffer).copyWithin(to, from, from + size);
    },
    emscripten_resize_heap: (size: number) => (grow(libbzip2.memory, size) ? 1 : 0),
  };
  const wasi_snapshot_preview1 = { fd_close: none, fd_write: none, fd_seek: none };
  const { exports } = await WebAssembly.instantiate(module, { env, wasi_snapshot_preview1 });
  const libbzip2 = exports as unknown as Libbzip2;
  libbzip2.__wasm_call_ctors();
  return libbzip2;
}

function grow(memory: WebAssembly.Memory, size: number): boolean {
  try {
    memory.grow(Math.ceil((size - memory.buffer.byteLength) / 65536));
    return true;
  } catch {
    return false;
  }
}

/** The streams of a bzip2 file one after the other. */
class Streams {
  readonly #decoder: BlockDecoder;
  readonly #input = new BitInput();
  /** The digit for the size of blocks in the stream; undefined between streams. */
  #level: number | undefined;
  #checksum = 0;
  #isFirst = true;
  #hasPadding = false;

  constructor(libbzip2: Libbzip2) {
    this.#decoder = new BlockDecoder(libbzip2);
  }

  /** @param piece at most INPUT_PIECE bytes */
  *push(piece: Uint8Array): Generator<Uint8Array, void, void> {
    if (this.#hasPadding) return;
    this.#input.push(piece);
    while (yield* this.#step());
  }

  /** @throws when the last stream is not complete */
  finish(): void {
    const isBetween = this.#level === undefined && this.#input.size === 0 && !this.#isFirst;
    if (!isBetween && !this.#hasPadding) throw new Error('unexpected end of file');
  }

  /** Returns false if it needs more input, or none any more. */
  *#step(): Generator<Uint8Array, boolean, void> {
    const input = this.#input;
    if (this.#level === undefined) return this.#begin();
    if (input.size < HEAD) return false;
    const magic = input.number(0, MAGIC);
    if (magic === END) return this.#end();
    if (magic !== BLOCK) throw new Error('invalid bzip2 data');
    const size = input.findMagic();
    if (size === undefined) return false;
    const contents = this.#decoder.decode(this.#level, input, size);
    if (contents) {
      const checksum = (this.#checksum << 1) | (this.#checksum >>> 31);
      this.#checksum = (checksum ^ input.number(MAGIC * 8, 4)) >>> 0;
      input.skip(size);
      yield* contents;
    } else input.ignoreMagic();
    return true;
  }

  #begin(): boolean {
    const input = this.#input;
    // Zeros fill the last block of a tape or disk, and end the data as they do after gzip.
    this.#hasPadding = !this.#isFirst && input.size >= 8 && input.number(0, 1) === 0;
    if (this.#hasPadding || input.size < STREAM_HEADER * 8) return false;
    const level = input.number(24, 1);
    if (input.number(0, 3) !== 0x425a68 || level < 0x31 || level > 0x39)
      throw new Error('invalid bzip2 data');
    input.skip(STREAM_HEADER * 8);
    this.#level = level;
    this.#checksum = 0;
    this.#isFirst = false;
    return true;
  }

  #end(): boolean {
    const input = this.#input;
    if (input.number(MAGIC * 8, 4) !== this.#checksum) throw new Error('wrong checksum');
    input.skip(HEAD);
    input.skip(input.size % 8);
    this.#level = undefined;
    return true;
  }
}

/** The input that is not decoded yet, with the highest bit of each byte first. Positions are in bits. */
class BitInput {
  readonly #bytes = new Uint8Array(2 * MAX_COMPRESSED);
  #start = 0;
  /** In bytes. */
  #end = 0;
  /** The byte from which to look for the next magic number. */
  #searched = 0;
  #ignored = 0;

  get size(): number {
    return this.#end * 8 - this.#start;
  }

  push(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#bytes.length) this.#compact();
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
  }

  skip(size: number): void {
    this.#start += size;
    this.#searched = 0;
    this.#ignored = 0;
  }

  /** Reads a number of `length` bytes, at most six. */
  number(at: number, length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.byte(at + 8 * i);
    return value;
  }

  byte(at: number): number {
    const bit = this.#start + at;
    const first = bit >>> 3;
    const pair = ((this.#bytes[first] as number) << 8) | (this.#bytes[first + 1] ?? 0);
    return (pair >> (8 - (bit & 7))) & 0xff;
  }

  /**
   * Returns the position of the next magic number after the one at 0, undefined if it has not arrived yet.
   * @throws if it is too far away
   */
  findMagic(): number | undefined {
    this.#searched = Math.max(this.#searched, (this.#start + HEAD) >> 3);
    for (; this.#searched + MAGIC < this.#end; this.#searched++) {
      const at = this.#searched;
      const pair = ((this.#bytes[at + 1] as number) << 8) | (this.#bytes[at + 2] as number);
      const shifts = SHIFTS[pair] as number;
      for (let shift = 0; shifts >> shift > 0; shift++) {
        const position = at * 8 + shift - this.#start;
        const isMagic = (shifts >> shift) & 1 && MAGICS.includes(this.number(position, MAGIC));
        if (isMagic && position >= HEAD) return position;
      }
    }
    if (this.size > MAX_COMPRESSED * 8) throw new Error('invalid bzip2 data');
    return undefined;
  }

  /** Lets the search go on after the magic number that it has found, which belongs to the contents. */
  ignoreMagic(): void {
    if (++this.#ignored > MAX_LOOK_ALIKES) throw new Error('invalid bzip2 data');
    // Magic numbers do not overlap.
    this.#searched++;
  }

  #compact(): void {
    const first = this.#start >>> 3;
    this.#bytes.copyWithin(0, first, this.#end);
    this.#end -= first;
    this.#searched = Math.max(0, this.#searched - first);
    this.#start &= 7;
  }
}

const MAGICS: readonly number[] = [BLOCK, END];

/** By the second and third byte: the bits of the first byte at which a magic number may begin, as a set. */
const SHIFTS = new Uint8Array(65536);
for (const magic of MAGICS)
  for (let shift = 0; shift < 8; shift++) {
    const pair = Math.floor(magic / 2 ** (24 + shift)) & 0xffff;
    SHIFTS[pair] = (SHIFTS[pair] as number) | (1 << shift);
  }

class BlockDecoder {
  readonly #libbzip2: Libbzip2;
  readonly #file: number;
  readonly #outputSize: number;
  #output = 0;

  constructor(libbzip2: Libbzip2) {
    this.#libbzip2 = libbzip2;
    this.#file = this.#allocate(STREAM_HEADER + MAX_COMPRESSED + INPUT_PIECE + HEAD);
    this.#outputSize = this.#allocate(4);
  }

  /**
   * Decodes the block at the start of the input. Returns its contents, to be read before the next block, or
   * undefined if the data makes no sense.
   */
  decode(level: number, input: BitInput, size: number): Iterable<Uint8Array> | undefined {
    const fileSize = this.#writeFile(level, input, size);
    for (const room of [USUAL_OUTPUT, MAX_OUTPUT]) {
      this.#libbzip2.free(this.#output);
      this.#output = 0;
      this.#output = this.#allocate(room);
      this.#setOutputSize(room);
      const { BZ2_bzBuffToBuffDecompress } = this.#libbzip2;
      const code = BZ2_bzBuffToBuffDecompress(this.#output, this.#outputSize, this.#file, fileSize, 0, 0);
      if (code === BZ_OK) return this.#contents();
      if (code === BZ_MEM_ERROR) throw new Error('out of memory');
      if (code !== BZ_OUTBUFF_FULL) return undefined;
    }
    return undefined;
  }

  /** Writes a file of one block, whose checksum is also that of the stream. Returns its size. */
  #writeFile(level: number, input: BitInput, size: number): number {
    const whole = size >> 3;
    const file = this.#bytes(this.#file, STREAM_HEADER + whole + HEAD / 8 + 1);
    file.set([0x42, 0x5a, 0x68, level]);
    for (let i = 0; i < whole; i++) file[STREAM_HEADER + i] = input.byte(8 * i);
    // The last bits of the block come before the end of the stream.
    const rest = size & 7;
    let bits = input.byte(8 * whole) >> (8 - rest);
    const end = [
      0x17,
      0x72,
      0x45,
      0x38,
      0x50,
      0x90,
      ...[0, 8, 16, 24].map((at) => input.byte(MAGIC * 8 + at)),
    ];
    let at = STREAM_HEADER + whole;
    for (const byte of [...end, 0]) {
      bits = (bits << 8) | byte;
      file[at++] = bits >> rest;
    }
    return file.length;
  }

  *#contents(): Generator<Uint8Array, void, void> {
    const size = this.#view(this.#outputSize, 4).getUint32(0, true);
    for (let at = 0; at < size; at += OUTPUT_PIECE)
      yield this.#bytes(this.#output + at, Math.min(OUTPUT_PIECE, size - at)).slice();
  }

  #setOutputSize(size: number): void {
    this.#view(this.#outputSize, 4).setUint32(0, size, true);
  }

  #allocate(size: number): number {
    const address = this.#libbzip2.malloc(size);
    if (address === 0) throw new Error('out of memory');
    return address;
  }

  #bytes(at: number, size: number): Uint8Array {
    return new Uint8Array(this.#libbzip2.memory.buffer, at, size);
  }

  /** The memory may have grown, so its buffer is never kept. */
  #view(at: number, size: number): DataView {
    return new DataView(this.#libbzip2.memory.buffer, at, size);
  }
}

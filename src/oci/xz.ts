import { type Bytes, pieces } from './bytes.ts';
import { lazyDecoder } from './decoder.ts';
import { ImageError } from './errors.ts';

/** The WebAssembly of xz-decompress: XZ Embedded. Addresses are numbers. */
interface XzEmbedded {
  readonly memory: WebAssembly.Memory;
  create_context(): number;
  /** Takes the bytes in the input buffer; none are the end. */
  supply_input(context: number, size: number): void;
  /** Returns one of the codes below. */
  get_next_output(context: number): number;
}

/** The words of a context. Each buffer has the size of BUFFER_SIZE. */
const BUFFER_SIZE = 0;
const INPUT = 1;
const INPUT_POSITION = 2;
const INPUT_SIZE = 3;
const OUTPUT = 4;
const OUTPUT_SIZE = 5;
const WORDS = 6;

const XZ_OK = 0;
const XZ_STREAM_END = 1;
const XZ_MEM_ERROR = 3;
const XZ_MEMLIMIT_ERROR = 4;
const XZ_OPTIONS_ERROR = 6;
const XZ_BUF_ERROR = 8;

/** The library's own class, with the two members that give the WebAssembly without its lock. */
interface Library {
  readonly XzReadableStream: {
    _getModuleInstance(): Promise<void>;
    _moduleInstance: { readonly exports: WebAssembly.Exports } | undefined;
  };
}

const library = lazyDecoder('xz', async () => {
  // Loaders differ in the form that they give a CommonJS module.
  const module = (await import('xz-decompress')) as unknown as Library & { default?: Library };
  return (module.default ?? module).XzReadableStream;
});

let instantiating: Promise<unknown> = Promise.resolve();

/**
 * Makes an instance for one stream, whose memory goes when the stream ends. The library's own stream locks
 * its one instance until it is read to its end, so a layer in an archive would wait for itself.
 */
async function instantiate(): Promise<XzEmbedded> {
  const stream = await library();
  const instance = instantiating.then(async () => {
    await stream._getModuleInstance();
    return stream._moduleInstance?.exports as unknown as XzEmbedded;
  });
  instantiating = instance.catch(() => {});
  return instance;
}

/**
 * Decompresses xz with any number of streams and padding between them. The filter is LZMA2 alone, with a
 * dictionary of up to 64 MiB.
 * @throws ImageError on other options; another error on damaged or truncated data
 */
export async function* unxz(compressed: Bytes): Bytes {
  const decoder = new Decoder(await instantiate());
  for await (const piece of pieces(compressed, decoder.pieceSize)) yield* decoder.push(piece);
  yield* decoder.finish();
}

class Decoder {
  readonly #xz: XzEmbedded;
  readonly #context: number;

  constructor(xz: XzEmbedded) {
    this.#xz = xz;
    this.#context = xz.create_context();
  }

  get pieceSize(): number {
    return this.#words()[BUFFER_SIZE] as number;
  }

  /** @param piece at most `pieceSize` bytes */
  *push(piece: Uint8Array): Generator<Uint8Array, void, void> {
    this.#bytes(INPUT, piece.length).set(piece);
    this.#xz.supply_input(this.#context, piece.length);
    do yield* this.#decode();
    while (this.#hasInput());
  }

  /** No more input tells the decoder that its streams have ended. */
  *finish(): Generator<Uint8Array, void, void> {
    this.#xz.supply_input(this.#context, 0);
    while (!(yield* this.#decode()));
  }

  /** Returns whether all streams have ended. */
  *#decode(): Generator<Uint8Array, boolean, void> {
    const code = this.#xz.get_next_output(this.#context);
    const produced = this.#words()[OUTPUT_SIZE] as number;
    if (produced > 0) yield this.#bytes(OUTPUT, produced).slice();
    this.#words()[OUTPUT_SIZE] = 0;
    if (code !== XZ_OK && code !== XZ_STREAM_END) throw failure(code);
    return code === XZ_STREAM_END;
  }

  #hasInput(): boolean {
    const words = this.#words();
    return words[INPUT_POSITION] !== words[INPUT_SIZE];
  }

  /** The memory may have grown, so its buffer is never kept. */
  #words(): Uint32Array {
    return new Uint32Array(this.#xz.memory.buffer, this.#context, WORDS);
  }

  #bytes(word: number, size: number): Uint8Array {
    return new Uint8Array(this.#xz.memory.buffer, this.#words()[word], size);
  }
}

function failure(code: number): Error {
  switch (code) {
    case XZ_MEM_ERROR:
      return new Error('out of memory');
    case XZ_MEMLIMIT_ERROR:
      return new ImageError(
        'the xz data needs a dictionary of over 64 MiB, which is the limit: compress it again by xz -9',
      );
    case XZ_OPTIONS_ERROR:
      return new ImageError(
        'the xz data uses a filter or check other than LZMA2, CRC32 and CRC64: compress it again by xz -6',
      );
    case XZ_BUF_ERROR:
      return new Error('unexpected end of file');
    default:
      return new Error('invalid xz data');
  }
}

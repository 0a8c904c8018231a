import type { BlockBackend } from './block-backend.ts';
import { type ByteSource, ChunkCache } from './chunk-cache.ts';
import type { ErofsImage } from './erofs.ts';
import { TAR_BLOCK as BLOCK } from './tar-entry.ts';

export interface RootDiskOptions {
  /** The number of bytes of a layer that are read at once, a multiple of 512. */
  readonly chunkSize?: number;
  /** The number of bytes of layers that are kept in memory, at least a chunk. */
  readonly cacheSize?: number;
  /** Receives the reason of a failed read; the guest gets only an I/O error. */
  readonly onError?: (error: unknown) => void;
}

/** The size in which layers are stored. */
const CHUNK_SIZE = 2 << 20;
const CACHE_SIZE = 32 << 20;

/**
 * The number of sequential streams of reads that are tracked, and the gap in bytes that a stream may have,
 * such as the headers between files.
 */
const STREAMS = 8;
const STREAM_GAP = 64 << 10;

/**
 * The read-only disk of a container's root: the metadata of its EROFS file system, then the tars of its
 * layers, which are read on demand.
 */
export class RootDisk implements BlockBackend {
  readonly sizeBytes: number;
  readonly readOnly = true;
  readonly #image: ErofsImage;
  readonly #layers: readonly ByteSource[];
  readonly #chunkSize: number;
  readonly #cache: ChunkCache;
  readonly #onError: (error: unknown) => void;
  /** Where the latest reads ended, the most recent first. */
  #streams: number[] = [];

  /** @param layers the tars whose sizes were given to `writeErofs` */
  constructor(image: ErofsImage, layers: readonly ByteSource[], options: RootDiskOptions = {}) {
    const { chunkSize = CHUNK_SIZE, cacheSize = CACHE_SIZE, onError = () => {} } = options;
    this.sizeBytes = image.diskSize;
    this.#image = image;
    this.#layers = layers;
    this.#chunkSize = chunkSize;
    this.#cache = new ChunkCache(layers, chunkSize, cacheSize);
    this.#onError = onError;
  }

  /** Reads the layers that are small, because a program starts with one of them. */
  prefetch(): void {
    for (const [layer, { size }] of this.#layers.entries())
      if (size <= this.#chunkSize) this.#cache.prefetch(layer, 0);
  }

  read(offset: number, into: Uint8Array[]): void | Promise<void> {
    const pending: Promise<void>[] = [];
    let position = offset;
    for (const buffer of into) {
      for (let rest = buffer; rest.length > 0; ) {
        const length = this.#readPart(position, rest, pending);
        position += length;
        rest = rest.subarray(length);
      }
    }
    this.#readAhead(offset, position);
    if (pending.length > 0) return this.#settle(pending);
  }

  write(): never {
    throw new Error('the root disk is read-only');
  }

  flush(): void {}

  /** Reads to the end of `into`, of a chunk, or of a part of the disk, and returns the number of bytes. */
  #readPart(position: number, into: Uint8Array, pending: Promise<void>[]): number {
    const { metadata } = this.#image;
    if (position < metadata.length) return copy(metadata, position, into);
    const { layer, offset, size } = this.#locate(position);
    if (offset >= size) {
      // Between a tar and the block at which the next one starts.
      const length = Math.min(into.length, BLOCK - (position % BLOCK));
      into.fill(0, 0, length);
      return length;
    }
    const number = Math.floor(offset / this.#chunkSize);
    const start = offset % this.#chunkSize;
    const part = into.subarray(0, Math.min(this.#chunkSize - start, size - offset));
    const chunk = this.#cache.get(layer, number);
    if (chunk instanceof Promise) pending.push(chunk.then((bytes) => void copy(bytes, start, part)));
    else copy(chunk, start, part);
    return part.length;
  }

  /** The layer that contains a position after the metadata, or precedes it. */
  #locate(position: number): { layer: number; offset: number; size: number } {
    const { layerOffsets } = this.#image;
    const layer = layerOffsets.findLastIndex((start) => start <= position);
    return { layer, offset: position - (layerOffsets[layer] ?? 0), size: this.#layers[layer]?.size ?? 0 };
  }

  /** Reads ahead the chunk after the one that a sequential stream has reached. */
  #readAhead(start: number, end: number): void {
    if (end <= this.#image.metadata.length) return;
    const stream = this.#streams.findIndex((last) => start >= last && start < last + STREAM_GAP);
    if (stream >= 0) {
      this.#streams.splice(stream, 1);
      const { layer, offset } = this.#locate(end - 1);
      this.#cache.prefetch(layer, Math.floor(offset / this.#chunkSize) + 1);
    }
    this.#streams.unshift(end);
    this.#streams.length = Math.min(this.#streams.length, STREAMS);
  }

  /** Waits for all, because the buffers are in use until all have settled, even if one fails. */
  async #settle(pending: readonly Promise<void>[]): Promise<void> {
    for (const result of await Promise.allSettled(pending)) {
      if (result.status === 'fulfilled') continue;
      this.#onError(result.reason);
      throw result.reason;
    }
  }
}

/** Copies up to `into.length` bytes of `from`, and returns their number. */
function copy(from: Uint8Array, start: number, into: Uint8Array): number {
  const part = from.subarray(start, start + into.length);
  into.set(part);
  return part.length;
}

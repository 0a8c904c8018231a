import { concat } from '../../../streams/concat.ts';
import type { ReadableSegments } from '../virtio/chain.ts';

/** Small pieces share a block, so that the overhead stays proportional to the bytes held. */
const MIN_BLOCK = 4096;

/** Bytes received and not yet taken, in pieces of any size. */
export class ByteQueue {
  length = 0;
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  /** Bytes of the last block in use; the blocks before it are full. */
  #filled = 0;

  /** @param bytes held from the start, which the queue takes over */
  constructor(bytes: Uint8Array<ArrayBuffer> = new Uint8Array()) {
    if (bytes.length === 0) return;
    this.#blocks.push(bytes);
    this.#filled = bytes.length;
    this.length = bytes.length;
  }

  /** Moves the next `length` bytes of a chain here. */
  append(source: ReadableSegments, length: number): void {
    this.length += length;
    for (let left = length; left > 0; ) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#filled === block.length) {
        block = new Uint8Array(Math.max(left, MIN_BLOCK));
        this.#blocks.push(block);
        this.#filled = 0;
      }
      const piece = Math.min(left, block.length - this.#filled);
      source.read(block, this.#filled, piece);
      this.#filled += piece;
      left -= piece;
    }
  }

  /** Removes some of the oldest bytes; undefined when there are none. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const block = this.#blocks.shift();
    if (block === undefined) return undefined;
    const partial = this.#blocks.length === 0 && this.#filled < block.length;
    const bytes = partial ? block.slice(0, this.#filled) : block;
    this.length -= bytes.length;
    return bytes;
  }

  /** A copy of all bytes. */
  copy(): Uint8Array<ArrayBuffer> {
    return concat(this.#blocks).slice(0, this.length);
  }

  clear(): void {
    this.#blocks.length = 0;
    this.length = 0;
  }
}

import type { DiskFile } from '../../storage/disk-files.ts';
import { StorageFullError } from '../../storage/errors.ts';
import { MemoryDiskFile } from '../../storage/memory.ts';

const SECTOR = 512;

/** A file that remembers what is durable, and can lose the rest. */
export class PowerLossFile implements DiskFile {
  /** The size from which on it is full. */
  capacity: number;
  /** Writes and flushes that still happen before the power is lost, and all others throw. */
  remaining = Number.POSITIVE_INFINITY;
  #present = new MemoryDiskFile();
  #durable = new MemoryDiskFile();
  #unsafe: { offset: number; bytes: Uint8Array<ArrayBuffer> }[] = [];

  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.#present.size;
  }

  read(offset: number, into: Uint8Array<ArrayBuffer>): void {
    this.#present.read(offset, into);
  }

  write(offset: number, from: Uint8Array<ArrayBuffer>): void {
    this.#count();
    this.#present.write(offset, from);
    this.#unsafe.push({ offset, bytes: from.slice() });
  }

  resize(size: number): void {
    if (size > this.capacity) throw new StorageFullError('the file is full');
    this.#present.resize(size);
  }

  flush(): void {
    this.#count();
    this.#unsafe = [];
    this.#durable = copyOf(this.#present);
  }

  close(): void {}

  #count(): void {
    if (this.remaining-- <= 0) throw new Error('the power is lost');
  }

  copy(): PowerLossFile {
    const copy = new PowerLossFile(this.capacity);
    copy.#present = copyOf(this.#present);
    copy.#durable = copyOf(this.#durable);
    return copy;
  }

  /**
   * Goes back to what is durable, with some sectors of what was written later.
   * @param choose returns an odd number for each sector that stays
   */
  losePower(choose: () => number): void {
    const file = copyOf(this.#durable);
    if (file.size < this.size) file.resize(this.size);
    for (const { offset, bytes } of this.#unsafe) {
      for (let at = 0; at < bytes.length; ) {
        const length = Math.min(SECTOR - ((offset + at) % SECTOR), bytes.length - at);
        const isWithin = offset + at + length <= file.size;
        if (isWithin && choose() % 2 === 1) file.write(offset + at, bytes.subarray(at, at + length));
        at += length;
      }
    }
    this.#present = file;
    this.remaining = Number.POSITIVE_INFINITY;
    this.flush();
  }
}

function copyOf(file: MemoryDiskFile): MemoryDiskFile {
  const bytes = new Uint8Array(file.size);
  file.read(0, bytes);
  const copy = new MemoryDiskFile();
  copy.resize(file.size);
  copy.write(0, bytes);
  return copy;
}

import type { BlockBackend, DiskState } from './block-backend.ts';

/** A writable disk of known size, whose place is decided after the machine has started. */
export class LateDisk implements BlockBackend {
  readonly readOnly = false;
  readonly sizeBytes: number;
  #disk: BlockBackend | undefined;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  /** @param disk of the same size. The guest has not used this one yet. */
  open(disk: BlockBackend): void {
    if (disk.sizeBytes !== this.sizeBytes) throw new RangeError('the disk has another size');
    this.#disk = disk;
  }

  read(offset: number, into: Uint8Array[]): void | Promise<void> {
    return this.#opened.read(offset, into);
  }

  write(offset: number, from: Uint8Array[]): void | Promise<void> {
    return this.#opened.write(offset, from);
  }

  flush(): void | Promise<void> {
    return this.#opened.flush();
  }

  discard(offset: number, length: number): void | Promise<void> {
    return this.#opened.discard?.(offset, length);
  }

  suspend(): DiskState | undefined | Promise<DiskState | undefined> {
    return this.#disk?.suspend?.();
  }

  get #opened(): BlockBackend {
    if (!this.#disk) throw new Error('the disk is not open yet');
    return this.#disk;
  }
}

/**
 * The place of a disk's bytes. Offsets and lengths are in bytes, within the size, and multiples of 512.
 * Operations may overlap in time and finish in any order. A throw or rejection is an I/O error to the guest.
 * Buffers are views of guest RAM, valid until the operation has settled.
 */
export interface BlockBackend {
  /** A multiple of 512. */
  readonly sizeBytes: number;
  /** Set by the device. The back end calls it when its size has changed. */
  onResize?: () => void;
  readonly readOnly: boolean;
  /** Fills the buffers, one after the other, with the bytes from `offset` on. */
  read(offset: number, into: Uint8Array[]): void | Promise<void>;
  write(offset: number, from: Uint8Array[]): void | Promise<void>;
  /** Makes all settled writes durable. */
  flush(): void | Promise<void>;
  /** Makes a range read as zeros, and frees its storage where possible. */
  discard?(offset: number, length: number): void | Promise<void>;
  /**
   * What a saved session needs to find the disk as it is now; undefined if it has no content yet. No
   * operation is in progress.
   */
  suspend?(): DiskState | undefined | Promise<DiskState | undefined>;
  /**
   * Brings the disk of a saved session back, before any operation.
   * @throws StorageError when it cannot, RangeError if no such disk has been in the state
   */
  resume?(state: DiskState): void | Promise<void>;
}

/** The unit of disks that take room only for what is written. */
export const CHUNK = 64 << 10;

/** What a saved session has of a disk. */
export type DiskState =
  /** Of a kept disk. */
  | { readonly checkpoint: number }
  /** Of a disk in memory: all chunks that are not zeros, by number. */
  | { readonly chunks: readonly (readonly [chunk: number, bytes: Uint8Array])[] }
  /** Of an image's root disk: the diffIDs of its layers, and the UUID of its file system. */
  | { readonly layers: readonly string[]; readonly uuid: Uint8Array }
  /** Of an emulator's disk: the UUID of its file system, which follows from the content. */
  | { readonly fileSystem: Uint8Array };

/** A disk in memory that takes room only for written chunks. */
export class MemoryBlockBackend implements BlockBackend {
  readonly sizeBytes: number;
  readonly readOnly = false;
  readonly #chunks = new Map<number, Uint8Array>();

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  /** Bytes of memory in use. */
  get allocatedBytes(): number {
    return this.#chunks.size * CHUNK;
  }

  read(offset: number, into: Uint8Array[]): void {
    forEachPiece(offset, into, (chunk, start, piece) => {
      const stored = this.#chunks.get(chunk);
      if (stored === undefined) piece.fill(0);
      else piece.set(stored.subarray(start, start + piece.length));
    });
  }

  write(offset: number, from: Uint8Array[]): void {
    forEachPiece(offset, from, (chunk, start, piece) => this.#allocate(chunk).set(piece, start));
  }

  flush(): void {}

  suspend(): DiskState {
    return { chunks: [...this.#chunks] };
  }

  resume(state: DiskState): void {
    if (!('chunks' in state)) throw new RangeError('is of another kind');
    this.#chunks.clear();
    for (const [chunk, bytes] of state.chunks) this.#chunks.set(chunk, bytes.slice());
  }

  discard(offset: number, length: number): void {
    const end = offset + length;
    const first = Math.ceil(offset / CHUNK);
    const last = Math.floor(end / CHUNK);
    this.#free(first, last);
    if (first > last) {
      this.#chunks.get(last)?.fill(0, offset % CHUNK, end % CHUNK);
      return;
    }
    if (offset % CHUNK !== 0) this.#chunks.get(first - 1)?.fill(0, offset % CHUNK);
    if (end % CHUNK !== 0) this.#chunks.get(last)?.fill(0, 0, end % CHUNK);
  }

  /** Takes time for the chunks that exist, because a range may be far larger. */
  #free(first: number, last: number): void {
    if (last - first <= this.#chunks.size) {
      for (let chunk = first; chunk < last; chunk++) this.#chunks.delete(chunk);
    } else {
      for (const chunk of this.#chunks.keys()) if (chunk >= first && chunk < last) this.#chunks.delete(chunk);
    }
  }

  #allocate(chunk: number): Uint8Array {
    let stored = this.#chunks.get(chunk);
    if (stored === undefined) {
      stored = new Uint8Array(CHUNK);
      this.#chunks.set(chunk, stored);
    }
    return stored;
  }
}

/** Cuts buffers for the bytes from `offset` on at chunk boundaries. */
function forEachPiece(
  offset: number,
  buffers: Uint8Array[],
  visit: (chunk: number, start: number, piece: Uint8Array) => void,
): void {
  let position = offset;
  for (const buffer of buffers) {
    for (let done = 0; done < buffer.length; ) {
      const start = position % CHUNK;
      const length = Math.min(CHUNK - start, buffer.length - done);
      visit((position - start) / CHUNK, start, buffer.subarray(done, done + length));
      done += length;
      position += length;
    }
  }
}

import type { DiskFile, DiskFiles, ReadableDiskFile, WriteAt } from './disk-files.ts';
import { StorageFullError } from './errors.ts';
import type { KeyValueStore, Locks } from './key-value.ts';
import { once } from './once.ts';

/** A store in memory, for tests and for browsers without storage. */
export class MemoryStore implements KeyValueStore {
  readonly readSize = Number.POSITIVE_INFINITY;
  readonly #values = new Map<string, Uint8Array>();
  readonly #capacity: number;
  #size = 0;

  /** @param capacity the limit for all values together, in bytes */
  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#values.get(key)?.slice();
  }

  async read(key: string, offset: number, into: Uint8Array): Promise<boolean> {
    const value = this.#values.get(key);
    if (!value || offset + into.length > value.length) return false;
    into.set(value.subarray(offset, offset + into.length));
    return true;
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    const size = this.#size + value.length - (this.#values.get(key)?.length ?? 0);
    if (size > this.#capacity)
      throw new StorageFullError('the memory set aside for images is full: take a smaller one');
    this.#values.set(key, value.slice());
    this.#size = size;
  }

  async add(key: string, value: Uint8Array): Promise<boolean> {
    if (this.#values.has(key)) return false;
    await this.set(key, value);
    return true;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#size -= this.#values.get(key)?.length ?? 0;
      this.#values.delete(key);
    }
  }

  async keys(prefix: string): Promise<string[]> {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix));
  }
}

/** Locks among the users of this object. */
export class MemoryLocks implements Locks {
  readonly place = 'here';
  readonly #holders: string[] = [];

  async hold(name: string): Promise<() => Promise<void>> {
    this.#holders.push(name);
    return once(async () => {
      this.#holders.splice(this.#holders.indexOf(name), 1);
    });
  }

  async claim(name: string): Promise<(() => Promise<void>) | undefined> {
    return this.#holders.includes(name) ? undefined : this.hold(name);
  }

  async held(): Promise<Set<string>> {
    return new Set(this.#holders);
  }
}

const PIECE = 256 << 10;

/** A file in memory, in pieces because it grows. */
export class MemoryDiskFile implements DiskFile {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array<ArrayBuffer>): void {
    this.#forEachPiece(offset, into, (stored, part) => part.set(stored));
  }

  write(offset: number, from: Uint8Array<ArrayBuffer>): void {
    if (offset + from.length > this.#size) this.resize(offset + from.length);
    this.#forEachPiece(offset, from, (stored, part) => stored.set(part));
  }

  resize(size: number): void {
    const last = this.#pieces[Math.floor(size / PIECE)];
    last?.fill(0, size % PIECE);
    this.#pieces.length = Math.min(this.#pieces.length, Math.ceil(size / PIECE));
    while (this.#pieces.length * PIECE < size) this.#pieces.push(new Uint8Array(PIECE));
    this.#size = size;
  }

  flush(): void {}

  close(): void {}

  #forEachPiece(
    offset: number,
    bytes: Uint8Array<ArrayBuffer>,
    visit: (stored: Uint8Array<ArrayBuffer>, part: Uint8Array<ArrayBuffer>) => void,
  ): void {
    if (offset + bytes.length > this.#size) throw new RangeError('past the end of the file');
    for (let done = 0; done < bytes.length; ) {
      const start = (offset + done) % PIECE;
      const part = bytes.subarray(done, done + PIECE - start);
      const piece = this.#pieces[(offset + done - start) / PIECE] as Uint8Array<ArrayBuffer>;
      visit(piece.subarray(start, start + part.length), part);
      done += part.length;
    }
  }
}

/** Disks in memory, for tests. */
export class MemoryDiskFiles implements DiskFiles {
  readonly #files = new Map<string, MemoryDiskFile>();

  async open(name: string): Promise<MemoryDiskFile> {
    const file = this.#files.get(name) ?? new MemoryDiskFile();
    this.#files.set(name, file);
    return file;
  }

  async openReadOnly(name: string): Promise<ReadableDiskFile | undefined> {
    const file = this.#files.get(name);
    return (
      file && {
        size: file.size,
        read: async (offset, length) => {
          const bytes = new Uint8Array(Math.min(length, file.size - offset));
          file.read(offset, bytes);
          return bytes;
        },
        close: async () => {},
      }
    );
  }

  async create(name: string, fill: (write: WriteAt) => Promise<void>): Promise<void> {
    const file = new MemoryDiskFile();
    await fill(async (offset, bytes) => {
      file.resize(Math.max(file.size, offset + bytes.length));
      file.write(offset, bytes);
    });
    this.#files.set(name, file);
  }

  async size(name: string): Promise<number> {
    return this.#files.get(name)?.size ?? 0;
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name);
  }

  async list(): Promise<string[]> {
    return [...this.#files.keys()];
  }
}

/** The files of a store in memory. */
export function memoryFiles(): { disks: DiskFiles; sessions: DiskFiles } {
  return { disks: new MemoryDiskFiles(), sessions: new MemoryDiskFiles() };
}

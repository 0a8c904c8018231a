import type { DiskFile, DiskFiles, ReadableDiskFile, WriteAt } from './disk-files.ts';
import { StorageError, StorageFullError } from './errors.ts';

/** A worker that has ended may hold its file for a moment, in ms. */
const PATIENCE = 5_000;
const RETRY = 20;

/** What only workers have (File System Standard, 2.7), and the library of types for pages leaves out. */
interface SyncAccessHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(from: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}
export interface WorkerFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>;
}

/** Files of the browser's origin private file system. Only workers can open them to write. */
export class OpfsDiskFiles implements DiskFiles {
  readonly #scope: string;

  /** @param scope the name of a folder that no other program of the origin uses */
  constructor(scope: string) {
    this.#scope = scope;
  }

  open(name: string): Promise<DiskFile> {
    return attempt(async () => {
      const folder = await this.#folder(true);
      const file = (await folder.getFileHandle(name, { create: true })) as WorkerFileHandle;
      for (const deadline = performance.now() + PATIENCE; ; await delay(RETRY)) {
        try {
          return new OpenFile(await file.createSyncAccessHandle());
        } catch (error) {
          if (nameOf(error) !== 'NoModificationAllowedError' || performance.now() > deadline) throw error;
        }
      }
    });
  }

  openReadOnly(name: string): Promise<ReadableDiskFile | undefined> {
    return attempt(async () => {
      const handle = await this.#handle(name);
      const file = await handle?.getFile();
      if (!file) return undefined;
      return {
        size: file.size,
        read: async (offset, length) =>
          new Uint8Array(await attempt(() => file.slice(offset, offset + length).arrayBuffer())),
        close: async () => {},
      };
    });
  }

  async create(name: string, fill: (write: WriteAt) => Promise<void>): Promise<void> {
    const writable = await attempt(async () => {
      const file = await (await this.#folder(true)).getFileHandle(name, { create: true });
      return file.createWritable();
    });
    try {
      await fill((position, data) => attempt(() => writable.write({ type: 'write', position, data })));
    } catch (error) {
      await writable.abort().catch(() => {});
      throw error;
    }
    // The browser writes to another file, which replaces this one now.
    await attempt(() => writable.close());
  }

  size(name: string): Promise<number> {
    return attempt(async () => (await (await this.#handle(name))?.getFile())?.size ?? 0);
  }

  remove(name: string): Promise<void> {
    return attempt(async () => {
      const folder = await this.#folder(false);
      for (const deadline = performance.now() + PATIENCE; folder; await delay(RETRY)) {
        try {
          return await folder.removeEntry(name);
        } catch (error) {
          if (nameOf(error) === 'NotFoundError') return;
          if (nameOf(error) !== 'NoModificationAllowedError' || performance.now() > deadline) throw error;
        }
      }
    });
  }

  list(): Promise<string[]> {
    return attempt(async () => {
      const folder = await this.#folder(false);
      const names: string[] = [];
      if (folder) for await (const name of folder.keys()) names.push(name);
      return names;
    });
  }

  async #folder(create: true): Promise<FileSystemDirectoryHandle>;
  async #folder(create: boolean): Promise<FileSystemDirectoryHandle | undefined>;
  async #folder(create: boolean): Promise<FileSystemDirectoryHandle | undefined> {
    const root = await navigator.storage?.getDirectory?.();
    if (!root && create)
      throw new StorageError('this browser stores no files of pages: a newer one keeps containers');
    if (!root) return undefined;
    try {
      return await root.getDirectoryHandle(this.#scope, { create });
    } catch (error) {
      if (nameOf(error) === 'NotFoundError') return undefined;
      throw error;
    }
  }

  async #handle(name: string): Promise<FileSystemFileHandle | undefined> {
    try {
      return await (await this.#folder(false))?.getFileHandle(name);
    } catch (error) {
      if (nameOf(error) === 'NotFoundError') return undefined;
      throw error;
    }
  }
}

class OpenFile implements DiskFile {
  readonly #handle: SyncAccessHandle;
  #size: number;

  constructor(handle: SyncAccessHandle) {
    this.#handle = handle;
    this.#size = handle.getSize();
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array<ArrayBuffer>): void {
    const count = explained(() => this.#handle.read(into, { at: offset }));
    if (count < into.length) throw new StorageError('the browser has lost a part of a stored disk');
  }

  write(offset: number, from: Uint8Array<ArrayBuffer>): void {
    const count = explained(() => this.#handle.write(from, { at: offset }));
    if (count < from.length) throw full();
    this.#size = Math.max(this.#size, offset + count);
  }

  resize(size: number): void {
    explained(() => this.#handle.truncate(size));
    this.#size = size;
  }

  flush(): void {
    explained(() => this.#handle.flush());
  }

  close(): void {
    this.#handle.close();
  }
}

function nameOf(error: unknown): string {
  return (error as Error).name;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function full(cause?: unknown): StorageFullError {
  const advice = 'remove stored containers or images, or free disk space';
  return new StorageFullError(`the browser has no more room for containers: ${advice}`, { cause });
}

function explain(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const { name, message } = error as Error;
  if (name === 'QuotaExceededError') return full(error);
  if (name === 'NoModificationAllowedError')
    return new StorageError('a stored file is in use in another tab: close that tab', { cause: error });
  return new StorageError(`the browser's storage of files cannot be used: ${message || name}`, {
    cause: error,
  });
}

function explained<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw explain(error);
  }
}

async function attempt<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw explain(error);
  }
}

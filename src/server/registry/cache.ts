import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const TEMPORARY = '.part';
/** No request takes this long, so an older file was left by a killed server, in ms. */
const ABANDONED = 24 * 3_600_000;

/** A file of the cache, open for reading. */
export interface CachedFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** A file being added. It is in the cache once it is committed. If the disk fails, the file is dropped. */
export interface CacheWriter {
  write(bytes: Uint8Array): Promise<void>;
  commit(): Promise<void>;
  /** Does nothing after `commit`. */
  abort(): Promise<void>;
}

/** Files in a folder, by key, with a limit on their total size. The least recently used files make room. */
export class FileCache {
  readonly #folder: string;
  readonly #capacity: number;
  /** Sizes, the least recently used first. */
  readonly #sizes = new Map<string, number>();
  readonly #writing = new Set<string>();
  /** The total size of the files and of those being written. */
  #total = 0;

  private constructor(folder: string, capacity: number) {
    this.#folder = folder;
    this.#capacity = capacity;
  }

  /**
   * @param folder created if needed; the files of an earlier server are used again
   * @param capacity the limit, in bytes
   * @throws when the folder cannot be created or read
   */
  static async open(folder: string, capacity: number): Promise<FileCache> {
    const cache = new FileCache(folder, capacity);
    await mkdir(folder, { recursive: true });
    await cache.#scan();
    return cache;
  }

  /** @param key text that can be part of a file's name */
  async find(key: string): Promise<CachedFile | undefined> {
    if (!this.#sizes.has(key)) return undefined;
    const handle = await open(this.#path(key)).catch(() => undefined);
    const size = this.#sizes.get(key);
    if (!handle || size === undefined) {
      await handle?.close();
      this.#forget(key);
      return undefined;
    }
    this.#sizes.delete(key);
    this.#sizes.set(key, size);
    // The times of the files keep the order of use across restarts.
    const now = new Date();
    await handle.utimes(now, now).catch(() => {});
    return { handle, size };
  }

  async delete(key: string): Promise<void> {
    this.#forget(key);
    await rm(this.#path(key), { force: true }).catch(() => {});
  }

  /**
   * Makes room for a file.
   * @returns undefined when there is no room, or another request is adding the file
   */
  async create(key: string, size: number): Promise<CacheWriter | undefined> {
    if (size > this.#capacity || this.#sizes.has(key) || this.#writing.has(key)) return undefined;
    this.#writing.add(key);
    this.#total += size;
    await this.#evict();
    const release = () => {
      this.#writing.delete(key);
      this.#total -= size;
    };
    if (this.#total > this.#capacity) {
      release();
      return undefined;
    }
    const path = `${this.#path(key)}.${process.pid}${TEMPORARY}`;
    const handle = await open(path, 'w').catch(() => undefined);
    if (!handle) {
      release();
      return undefined;
    }
    return new Writer(handle, path, this.#path(key), (committed) => {
      release();
      if (!committed) return;
      this.#sizes.set(key, size);
      this.#total += size;
    });
  }

  async #scan(): Promise<void> {
    const found: { name: string; size: number; used: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const { size, mtimeMs: used } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
      if (!name.endsWith(TEMPORARY)) found.push({ name, size, used });
      else if (used < Date.now() - ABANDONED) await rm(path, { force: true });
    }
    found.sort((a, b) => a.used - b.used);
    for (const { name, size } of found) {
      this.#sizes.set(name, size);
      this.#total += size;
    }
    await this.#evict();
  }

  async #evict(): Promise<void> {
    for (const key of this.#sizes.keys()) {
      if (this.#total <= this.#capacity) return;
      await this.delete(key);
    }
  }

  #forget(key: string): void {
    this.#total -= this.#sizes.get(key) ?? 0;
    this.#sizes.delete(key);
  }

  #path(key: string): string {
    return join(this.#folder, key);
  }
}

class Writer implements CacheWriter {
  readonly #handle: FileHandle;
  readonly #temporary: string;
  readonly #path: string;
  readonly #onEnd: (committed: boolean) => void;
  #ended = false;

  constructor(handle: FileHandle, temporary: string, path: string, onEnd: (committed: boolean) => void) {
    this.#handle = handle;
    this.#temporary = temporary;
    this.#path = path;
    this.#onEnd = onEnd;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) return;
    await this.#handle.writeFile(bytes).catch(() => this.abort());
  }

  async commit(): Promise<void> {
    if (this.#ended) return;
    try {
      // Without this a crash could leave a file with the right name but without its bytes.
      await this.#handle.datasync();
      await this.#handle.close();
      await rename(this.#temporary, this.#path);
      this.#ended = true;
      this.#onEnd(true);
    } catch {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#handle.close().catch(() => {});
    await rm(this.#temporary, { force: true }).catch(() => {});
    this.#onEnd(false);
  }
}

import { closeSync, fsyncSync, openSync } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StorageError, StorageFullError } from './errors.ts';
import type { KeyValueStore } from './key-value.ts';
import { mayBeAlive, processMark } from './process-mark.ts';

/** Attempts to name a file in a folder that others remove while it is empty. */
const ATTEMPTS = 4;

/** Values as files below a folder. A value is written aside and synced, and then gets its name. */
export class FileStore implements KeyValueStore {
  readonly readSize = 256 << 10;
  readonly #values: string;
  readonly #unfinished: string;
  #prepared: Promise<void> | undefined;

  constructor(folder: string) {
    this.#values = join(folder, 'values');
    this.#unfinished = join(folder, 'unfinished');
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = this.#path(key);
    try {
      const { buffer, byteOffset, length } = await readFile(path);
      return new Uint8Array(buffer, byteOffset, length);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw explainFileError(error, path);
    }
  }

  async read(key: string, offset: number, into: Uint8Array): Promise<boolean> {
    const path = this.#path(key);
    try {
      const file = await open(path);
      try {
        for (let done = 0; done < into.length; ) {
          const { bytesRead } = await file.read(into, done, into.length - done, offset + done);
          if (bytesRead === 0) return false;
          done += bytesRead;
        }
        return true;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (isMissing(error)) return false;
      throw explainFileError(error, path);
    }
  }

  async set(key: string, value: Uint8Array, isDurable = false): Promise<void> {
    await this.#write(key, value, async (unfinished, path) => {
      await rename(unfinished, path);
      if (!isDurable) return;
      syncFolder(dirname(path));
      // The folder may be new.
      syncFolder(dirname(dirname(path)));
    });
  }

  async add(key: string, value: Uint8Array): Promise<boolean> {
    let added = true;
    await this.#write(key, value, async (unfinished, path) => {
      added = await linkNew(unfinished, path);
      await unlink(unfinished).catch(() => {});
    });
    return added;
  }

  async delete(keys: readonly string[]): Promise<void> {
    const above = new Set<string>();
    for (const key of keys) {
      const path = this.#path(key);
      await unlink(path).catch((error) => {
        if (!isMissing(error)) throw explainFileError(error, path);
      });
      above.add(dirname(path));
    }
    // The folders of the first level stay, because other processes may be about to write to them.
    for (const folder of above) if (dirname(folder) !== this.#values) await removeEmpty(folder);
  }

  async keys(prefix: string): Promise<string[]> {
    const found: string[] = [];
    const walk = async (folder: string, above: string): Promise<void> => {
      const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
        if (isMissing(error)) return [];
        throw explainFileError(error, folder);
      });
      for (const entry of entries) {
        const key = above + entry.name.replaceAll('+', ':');
        if (entry.isDirectory()) await walk(join(folder, entry.name), `${key}/`);
        else found.push(key);
      }
    };
    await walk(this.#path(prefix), prefix);
    return found;
  }

  /** Windows allows no colons in file names. */
  #path(key: string): string {
    return join(this.#values, key.replaceAll(':', '+'));
  }

  async #write(
    key: string,
    value: Uint8Array,
    name: (unfinished: string, path: string) => Promise<void>,
  ): Promise<void> {
    const path = this.#path(key);
    const unfinished = join(this.#unfinished, processMark());
    try {
      this.#prepared ??= this.#prepare();
      await this.#prepared;
      const file = await open(unfinished, 'wx');
      try {
        await file.writeFile(value);
        // Otherwise a power failure could keep the record of a layer and lose its chunks.
        await file.datasync();
      } finally {
        await file.close();
      }
      for (let attempt = 1; ; attempt++) {
        try {
          return await name(unfinished, path);
        } catch (error) {
          if (!isMissing(error) || attempt === ATTEMPTS) throw error;
          await mkdir(dirname(path), { recursive: true });
        }
      }
    } catch (error) {
      await unlink(unfinished).catch(() => {});
      throw explainFileError(error, path);
    }
  }

  /** Removes the remains of killed processes: unfinished files, and folders that never got a file. */
  async #prepare(): Promise<void> {
    await mkdir(this.#unfinished, { recursive: true });
    for (const mark of await readdir(this.#unfinished)) {
      const path = join(this.#unfinished, mark);
      const status = await stat(path).catch(() => undefined);
      if (status && !mayBeAlive(mark, status.mtimeMs)) await unlink(path).catch(() => {});
    }
    for (const folder of await folders(this.#values))
      for (const group of await folders(folder)) await removeEmpty(group);
  }
}

/** Lists the folders in a folder. */
async function folders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

/** Removes a folder if it is empty. */
const removeEmpty = (folder: string) => rmdir(folder).catch(() => {});

/** Gives a file another name. Returns false if that is taken. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(code ?? '')) throw error;
  }
  // The file system has no hard links.
  if (await stat(to).catch(() => undefined)) return false;
  await rename(from, to);
  return true;
}

/** Makes the names of a folder's files durable. Windows opens no folders, and needs no such thing. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

export function explainFileError(error: unknown, path: string): StorageError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new StorageFullError(`there is no room left for ${path}: free some disk space`, { cause: error });
  return new StorageError(`cannot use ${path}: ${code ?? message}`, { cause: error });
}

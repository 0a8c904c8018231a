import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DiskFile, DiskFiles, ReadableDiskFile, WriteAt } from './disk-files.ts';
import { explainFileError, syncFolder } from './file-store.ts';
import { mayBeAlive, processMark } from './process-mark.ts';

const ZEROS = new Uint8Array(1 << 20);
/** Separates the name of an unfinished file from the mark of the process that writes it. */
const UNFINISHED = '=';

/** Files of a folder. The owner of a container keeps others from its file by a lock. */
export class NodeDiskFiles implements DiskFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(name: string): Promise<DiskFile> {
    const path = this.#path(name);
    return explained(path, () => {
      mkdirSync(this.#folder, { recursive: true });
      const isNew = !existsSync(path);
      const file = new OpenFile(path, openSync(path, isNew ? 'wx+' : 'r+'));
      if (isNew) syncFolder(this.#folder);
      return file;
    });
  }

  async openReadOnly(name: string): Promise<ReadableDiskFile | undefined> {
    const path = this.#path(name);
    try {
      const file = await open(path, 'r');
      const { size } = await file.stat();
      return {
        size,
        read: async (offset, length) => {
          const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, offset);
          return buffer.subarray(0, bytesRead);
        },
        close: () => file.close(),
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw explainFileError(error, path);
    }
  }

  async create(name: string, fill: (write: WriteAt) => Promise<void>): Promise<void> {
    const path = this.#path(name);
    const unfinished = `${path}${UNFINISHED}${processMark()}`;
    const explain = (error: unknown) => explainFileError(error, path);
    await mkdir(this.#folder, { recursive: true }).catch((error) => Promise.reject(explain(error)));
    try {
      const file = await open(unfinished, 'wx').catch((error) => Promise.reject(explain(error)));
      try {
        await fill(async (offset, bytes) => {
          for (let done = 0; done < bytes.length; ) {
            const written = await file
              .write(bytes, done, bytes.length - done, offset + done)
              .catch((error) => Promise.reject(explain(error)));
            done += written.bytesWritten;
          }
        });
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
      syncFolder(this.#folder);
    } catch (error) {
      await unlink(unfinished).catch(() => {});
      throw error;
    }
  }

  async size(name: string): Promise<number> {
    const status = await stat(this.#path(name)).catch(() => undefined);
    return status?.size ?? 0;
  }

  async remove(name: string): Promise<void> {
    const path = this.#path(name);
    await unlink(path).catch((error) => {
      if (error.code !== 'ENOENT') throw explainFileError(error, path);
    });
  }

  /** Also removes the unfinished files of killed processes. */
  async list(): Promise<string[]> {
    const names: string[] = [];
    for (const file of await readdir(this.#folder).catch(() => [])) {
      const [name = '', mark] = file.split(UNFINISHED);
      if (mark === undefined) {
        names.push(name);
        continue;
      }
      const path = join(this.#folder, file);
      const status = await stat(path).catch(() => undefined);
      if (status && !mayBeAlive(mark, status.mtimeMs)) await unlink(path).catch(() => {});
    }
    return names;
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

class OpenFile implements DiskFile {
  readonly #path: string;
  readonly #fd: number;
  #size: number;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array<ArrayBuffer>): void {
    explained(this.#path, () => {
      for (let done = 0; done < into.length; ) {
        const count = readSync(this.#fd, into, done, into.length - done, offset + done);
        if (count === 0) throw new Error('the file is shorter than it was');
        done += count;
      }
    });
  }

  write(offset: number, from: Uint8Array<ArrayBuffer>): void {
    explained(this.#path, () => {
      for (let done = 0; done < from.length; )
        done += writeSync(this.#fd, from, done, from.length - done, offset + done);
    });
    this.#size = Math.max(this.#size, offset + from.length);
  }

  /** Writes the new zeros, because a hole of a sparse file has no room on a full disk. */
  resize(size: number): void {
    const before = this.#size;
    try {
      for (let at = before; at < size; at += ZEROS.length) this.write(at, ZEROS.subarray(0, size - at));
    } catch (error) {
      this.#cut(before);
      throw error;
    }
    if (size < before) this.#cut(size);
  }

  #cut(size: number): void {
    explained(this.#path, () => ftruncateSync(this.#fd, size));
    this.#size = size;
  }

  async flush(): Promise<void> {
    await promisify(fdatasync)(this.#fd).catch((error) => {
      throw explainFileError(error, this.#path);
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function explained<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw explainFileError(error, path);
  }
}

import type { DiskFiles } from '../storage/disk-files.ts';
import { StorageError } from '../storage/errors.ts';
import type { Locks } from '../storage/key-value.ts';
import { type FolderStore, filesOf, StoredFolder } from './stored-folder.ts';

/** A stored folder in a list. */
export interface StoredFolderItem {
  /** By which containers and programs ask for it. */
  readonly name: string;
  /** Bytes of storage that it takes. */
  readonly usedBytes: number;
  /** Whether a container has it, in this or another tab. */
  readonly inUse: boolean;
}

/** The folders of a store, by their names, which have letters, digits, `_`, `.` and `-`. */
export class StoredFolders {
  readonly #files: DiskFiles;
  readonly #locks: Locks;
  readonly #free: FolderStore['free'];

  /** @param free the bytes that the host still has */
  constructor(files: DiskFiles, locks: Locks, free: FolderStore['free']) {
    this.#files = files;
    this.#locks = locks;
    this.#free = free;
  }

  async list(): Promise<StoredFolderItem[]> {
    const [files, held] = await Promise.all([this.#files.list(), this.#locks.held()]);
    const ends = filesOf('');
    const [content] = ends;
    const names = files
      .filter((file) => file.endsWith(content))
      .map((file) => file.slice(0, -content.length));
    const item = async (name: string): Promise<StoredFolderItem> => {
      const sizes = await Promise.all(filesOf(name).map((file) => this.#files.size(file)));
      return { name, usedBytes: sizes.reduce((sum, size) => sum + size, 0), inUse: held.has(lockOf(name)) };
    };
    return Promise.all(names.sort().map(item));
  }

  /**
   * Takes a folder for one user. It may be missing.
   * @returns a function that ends this
   * @throws StorageError if another one has it
   */
  async claim(name: string): Promise<() => Promise<void>> {
    const release = await this.#locks.claim(lockOf(name));
    if (release) return release;
    throw new StorageError(
      `the folder ${name} is in use ${this.#locks.place}: stop the container that has it first`,
    );
  }

  /** Opens a folder that is claimed, and makes it if it is missing. @throws StorageError */
  open(name: string): Promise<StoredFolder> {
    return StoredFolder.open({ files: this.#files, free: this.#free }, name);
  }

  /** Does something with a folder that nobody else has. @throws StorageError */
  async use<T>(name: string, action: (folder: StoredFolder) => Promise<T>): Promise<T> {
    const release = await this.claim(name);
    try {
      const folder = await this.open(name);
      try {
        return await action(folder);
      } finally {
        await folder.close();
      }
    } finally {
      await release();
    }
  }

  /** Removes a folder with all that is in it. @throws StorageError if it is in use */
  async remove(name: string): Promise<void> {
    const release = await this.claim(name);
    try {
      for (const file of filesOf(name)) await this.#files.remove(file);
    } finally {
      await release();
    }
  }
}

function lockOf(name: string): string {
  return `folder/${name}`;
}

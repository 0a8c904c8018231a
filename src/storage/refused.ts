/** What a page has in place of a store, where the browser lets it keep nothing. */
import { expose, type Remote, wrap } from 'comlink';
import type { DiskFile, DiskFiles, ReadableDiskFile } from './disk-files.ts';
import { StorageError, StorageFullError } from './errors.ts';
import type { KeyValueStore } from './key-value.ts';

const REFUSED =
  'this browser keeps nothing of this page: allow it to store data, and open it outside of private windows';

/** No files. Layers and images have a place in memory, but nobody should take a container for kept. */
export class RefusedFiles implements DiskFiles {
  async open(): Promise<DiskFile> {
    throw new StorageError(REFUSED);
  }

  async openReadOnly(): Promise<ReadableDiskFile | undefined> {
    return undefined;
  }

  async create(): Promise<void> {
    throw new StorageError(REFUSED);
  }

  async size(): Promise<number> {
    return 0;
  }

  async remove(): Promise<void> {}

  async list(): Promise<string[]> {
    return [];
  }
}

/** What a thread lends to those that it starts. */
interface Lender extends Omit<KeyValueStore, 'readSize' | 'read'> {
  /** Whether the browser lets it keep anything, so that the others find it there. */
  isKeeping(): Promise<boolean>;
}

/** Lets the thread at the other end of the channel use values that may be in the memory of this one. */
export function lendValues(
  values: KeyValueStore,
  isKeeping: () => Promise<boolean>,
  port: MessagePort,
): void {
  const lender: Lender = {
    isKeeping,
    get: (key) => values.get(key),
    set: (key, value) => values.set(key, value),
    add: (key, value) => values.add(key, value),
    delete: (keys) => values.delete(keys),
    keys: (prefix) => values.keys(prefix),
  };
  expose(lender, port);
}

/** The values that another thread lends. */
export class BorrowedValues implements KeyValueStore {
  readonly readSize = Number.POSITIVE_INFINITY;
  readonly #lender: Remote<Lender>;

  constructor(port: MessagePort) {
    this.#lender = wrap<Lender>(port);
  }

  isKeeping(): Promise<boolean> {
    return this.#lender.isKeeping();
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#lender.get(key);
  }

  async read(key: string, offset: number, into: Uint8Array): Promise<boolean> {
    const value = await this.get(key);
    if (!value || offset + into.length > value.length) return false;
    into.set(value.subarray(offset, offset + into.length));
    return true;
  }

  set(key: string, value: Uint8Array): Promise<void> {
    return asHere(this.#lender.set(key, value));
  }

  add(key: string, value: Uint8Array): Promise<boolean> {
    return asHere(this.#lender.add(key, value));
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#lender.delete(keys);
  }

  keys(prefix: string): Promise<string[]> {
    return this.#lender.keys(prefix);
  }
}

/** Only the name of an error's class crosses a channel. */
async function asHere<T>(lent: Promise<T>): Promise<T> {
  try {
    return await lent;
  } catch (error) {
    if (error instanceof Error && error.name === 'StorageFullError')
      throw new StorageFullError(error.message);
    throw error;
  }
}

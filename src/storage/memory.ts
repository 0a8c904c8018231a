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
    if (size > this.#capacity) throw new StorageFullError('the memory set aside for images is full');
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
  readonly #holders: string[] = [];

  async hold(name: string): Promise<() => Promise<void>> {
    this.#holders.push(name);
    return once(async () => {
      this.#holders.splice(this.#holders.indexOf(name), 1);
    });
  }

  async held(): Promise<Set<string>> {
    return new Set(this.#holders);
  }
}

/** Parts of a store that are chosen when they are first used. */
import type { DiskFile, DiskFiles, ReadableDiskFile, WriteAt } from './disk-files.ts';
import type { KeyValueStore, Locks } from './key-value.ts';

type Choose<T> = () => Promise<T>;

export class LateValues implements KeyValueStore {
  readonly readSize = Number.POSITIVE_INFINITY;
  readonly #choose: Choose<KeyValueStore>;

  /** @param choose returns one that reads whole values */
  constructor(choose: Choose<KeyValueStore>) {
    this.#choose = choose;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.#choose()).get(key);
  }

  async read(key: string, offset: number, into: Uint8Array): Promise<boolean> {
    return (await this.#choose()).read(key, offset, into);
  }

  async set(key: string, value: Uint8Array, isDurable?: boolean): Promise<void> {
    return (await this.#choose()).set(key, value, isDurable);
  }

  async add(key: string, value: Uint8Array): Promise<boolean> {
    return (await this.#choose()).add(key, value);
  }

  async delete(keys: readonly string[]): Promise<void> {
    return (await this.#choose()).delete(keys);
  }

  async keys(prefix: string): Promise<string[]> {
    return (await this.#choose()).keys(prefix);
  }
}

export class LateLocks implements Locks {
  readonly place: string;
  readonly #choose: Choose<Locks>;

  constructor(place: string, choose: Choose<Locks>) {
    this.place = place;
    this.#choose = choose;
  }

  async hold(name: string): Promise<() => Promise<void>> {
    return (await this.#choose()).hold(name);
  }

  async claim(name: string): Promise<(() => Promise<void>) | undefined> {
    return (await this.#choose()).claim(name);
  }

  async held(): Promise<Set<string>> {
    return (await this.#choose()).held();
  }
}

export class LateFiles implements DiskFiles {
  readonly #choose: Choose<DiskFiles>;

  constructor(choose: Choose<DiskFiles>) {
    this.#choose = choose;
  }

  async open(name: string): Promise<DiskFile> {
    return (await this.#choose()).open(name);
  }

  async openReadOnly(name: string): Promise<ReadableDiskFile | undefined> {
    return (await this.#choose()).openReadOnly(name);
  }

  async create(name: string, fill: (write: WriteAt) => Promise<void>): Promise<void> {
    return (await this.#choose()).create(name, fill);
  }

  async size(name: string): Promise<number> {
    return (await this.#choose()).size(name);
  }

  async remove(name: string): Promise<void> {
    return (await this.#choose()).remove(name);
  }

  async list(): Promise<string[]> {
    return (await this.#choose()).list();
  }
}

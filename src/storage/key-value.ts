/**
 * Bytes by key, kept across runs and shared with other tabs or processes. A key is made of segments parted
 * by `/`, each of letters, digits and `. _ : -`. All methods reject with a `StorageError` when the place
 * itself fails.
 */
export interface KeyValueStore {
  /** How many bytes of a value are best read at once: fewer take about as long. */
  readonly readSize: number;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Fills `into` with the value's bytes from `offset` on; false when there are none or not as many. */
  read(key: string, offset: number, into: Uint8Array): Promise<boolean>;
  /**
   * Sets or replaces a value, wholly or not at all, and before what is set later. The bytes must not change
   * until it is done. @throws StorageFullError
   */
  set(key: string, value: Uint8Array): Promise<void>;
  /** Like `set`, unless the key is there already: then false. @throws StorageFullError */
  add(key: string, value: Uint8Array): Promise<boolean>;
  /** Missing keys are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** The keys below `prefix`, which ends in `/`. */
  keys(prefix: string): Promise<string[]>;
}

/**
 * Says what is in use, to all tabs or processes that share a store. A lock is shared: any number may hold
 * it, and it goes away with its holder, however that ends.
 */
export interface Locks {
  /** @returns what lets go of it */
  hold(name: string): Promise<() => Promise<void>>;
  /** The names of all locks that somebody holds. */
  held(): Promise<Set<string>>;
}

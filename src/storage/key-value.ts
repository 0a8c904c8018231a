/**
 * Bytes by key, kept across runs and shared with other tabs or processes. A key consists of segments
 * separated by `/`, each of letters, digits and `. _ : -`. All methods reject with a `StorageError` when the
 * storage itself fails.
 */
export interface KeyValueStore {
  /** The best number of bytes to read at once. Fewer bytes take about as long. */
  readonly readSize: number;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Fills `into` with the value's bytes from `offset` on. Returns false if there are fewer or none. */
  read(key: string, offset: number, into: Uint8Array): Promise<boolean>;
  /**
   * Sets or replaces a value atomically, before values that are set later. The bytes must not change until
   * the promise resolves. @throws StorageFullError
   * @param isDurable whether it survives a loss of power once the promise has resolved, and so do all values
   *   that were set durably before
   */
  set(key: string, value: Uint8Array, isDurable?: boolean): Promise<void>;
  /** Like `set`, but returns false if the key exists already. @throws StorageFullError */
  add(key: string, value: Uint8Array): Promise<boolean>;
  /** Deletes keys. Missing keys are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Lists the keys below `prefix`, which ends in `/`. */
  keys(prefix: string): Promise<string[]>;
}

/**
 * Tells all tabs or processes that share a store what is in use. A lock ends with its holder, however that
 * ends.
 */
export interface Locks {
  /** Where other holders are, as messages say it. */
  readonly place: string;
  /** Takes a lock that any number of holders may share. @returns a function that releases it */
  hold(name: string): Promise<() => Promise<void>>;
  /** Takes a lock for one holder alone. @returns a function that releases it, or undefined if it is taken */
  claim(name: string): Promise<(() => Promise<void>) | undefined>;
  /** Returns the names of all locks that are held. */
  held(): Promise<Set<string>>;
}

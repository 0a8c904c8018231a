import { createStore, delMany, get, promisifyRequest, set, type UseStore } from 'idb-keyval';
import { StorageError, StorageFullError } from './errors.ts';
import type { KeyValueStore } from './key-value.ts';

/** Values in an IndexedDB database, which reads whole values only. */
export class IndexedDbStore implements KeyValueStore {
  readonly readSize = Number.POSITIVE_INFINITY;
  readonly #store: UseStore;
  readonly #transactions = new Set<IDBTransaction>();
  #isAbandoned = false;

  /** @param database the name of the database, unique in the origin */
  constructor(database: string) {
    const use = createStore(database, 'values');
    this.#store = (mode, callback) =>
      use(mode, (values) => {
        this.#note(values.transaction);
        return callback(values);
      });
  }

  /** Aborts all transactions, those to come too. */
  abandon(): void {
    this.#isAbandoned = true;
    for (const transaction of this.#transactions) abort(transaction);
  }

  #note(transaction: IDBTransaction): void {
    this.#transactions.add(transaction);
    const forget = () => this.#transactions.delete(transaction);
    transaction.addEventListener('complete', forget);
    transaction.addEventListener('abort', forget);
    if (this.#isAbandoned) abort(transaction);
  }

  /** Opens the database, which the first use does otherwise. */
  open(): Promise<void> {
    return attempt(() => this.#store('readonly', async () => {}));
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return attempt(() => get<Uint8Array>(key, this.#store));
  }

  async read(key: string, offset: number, into: Uint8Array): Promise<boolean> {
    const value = await this.get(key);
    if (!value || offset + into.length > value.length) return false;
    into.set(value.subarray(offset, offset + into.length));
    return true;
  }

  set(key: string, value: Uint8Array, isDurable = false): Promise<void> {
    return attempt(async () => {
      if (!isDurable) return set(key, compact(value), this.#store);
      await this.#setDurably(key, compact(value));
    });
  }

  async #setDurably(key: string, value: Uint8Array): Promise<void> {
    const database = await this.#store('readonly', (store) => store.transaction.db);
    const transaction = database.transaction('values', 'readwrite', { durability: 'strict' });
    this.#note(transaction);
    transaction.objectStore('values').put(value, key);
    await promisifyRequest(transaction);
  }

  add(key: string, value: Uint8Array): Promise<boolean> {
    return attempt(() =>
      this.#store('readwrite', async (store) => {
        const taken = await promisifyRequest(store.count(key));
        if (taken) return false;
        store.put(compact(value), key);
        await promisifyRequest(store.transaction);
        return true;
      }),
    );
  }

  delete(keys: readonly string[]): Promise<void> {
    return attempt(() => delMany([...keys], this.#store));
  }

  keys(prefix: string): Promise<string[]> {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    return attempt(() =>
      this.#store('readonly', (store) => promisifyRequest(store.getAllKeys(range) as IDBRequest<string[]>)),
    );
  }
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It is about to end.
  }
}

/** Copies a view of a larger buffer, because cloning a view clones its whole buffer. */
function compact(value: Uint8Array): Uint8Array {
  return value.byteLength === value.buffer.byteLength ? value : value.slice();
}

async function attempt<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    // A transaction that was aborted on purpose has none.
    const { name, message } = (error ?? { name: 'AbortError', message: '' }) as Error;
    if (name === 'QuotaExceededError')
      throw new StorageFullError(
        'the browser has no more room for images: remove stored images, or free disk space',
        { cause: error },
      );
    throw new StorageError(`the browser's storage cannot be used: ${message || name}`, { cause: error });
  }
}

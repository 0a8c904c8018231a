import { StorageError, StorageFullError } from './errors.ts';
import type { KeyValueStore, Locks } from './key-value.ts';
import { once } from './once.ts';

/**
 * Layers are kept as the uncompressed tars they are, cut into chunks of this many bytes: the unit that
 * IndexedDB reads and writes, large enough for its speed.
 */
export const CHUNK_SIZE = 2 << 20;

// Raised when the form of records, chunks or indexes changes: older layers are then pulled anew.
const VERSION = 1;

/** A layer that is wholly stored. Its chunks lie under `group`, a name of their own. */
interface LayerRecord {
  readonly version: typeof VERSION;
  readonly diffId: string;
  /** Bytes of the tar. */
  readonly size: number;
  readonly group: string;
}

/** A stored layer in use: it stays in the store until it is closed. */
export interface StoredLayer {
  readonly diffId: string;
  /** Bytes of the tar. */
  readonly size: number;
  /** The serialised index of its entries, as given to `commit`. */
  readonly index: Uint8Array;
  /**
   * Fills `into` with the tar's bytes from `offset` on. Reading `LayerStore.readSize` at a time is cheapest.
   * @throws RangeError past the end
   * @throws StorageError when the stored bytes are gone; the layer is then forgotten, to be pulled anew
   */
  read(offset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A layer on its way into the store. One of `commit` and `abort` must end it. */
export interface LayerWriter {
  /** Takes a copy of the next bytes of the tar; wait for it before giving more. @throws StorageFullError */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the layer visible under its diffID, and opens it. @throws StorageFullError
   * @param index the serialised index of the tar's entries
   */
  commit(diffId: string, index: Uint8Array): Promise<CommittedLayer>;
  /** Removes what was written; does nothing after `commit`. */
  abort(): Promise<void>;
}

export interface CommittedLayer {
  readonly layer: StoredLayer;
  /** Whether it was not there yet: somebody else may have stored the same layer meanwhile. */
  readonly isNew: boolean;
}

export interface LayerUsage {
  readonly diffId: string;
  /** Bytes of the tar. */
  readonly size: number;
  /** ms since 1970 */
  readonly lastUsed: number;
  readonly inUse: boolean;
}

/**
 * Layers by diffID, shared with other tabs or processes. A layer exists when its record does, and the
 * record is written last; chunks that no record names and no lock protects are garbage.
 */
export class LayerStore {
  readonly #store: KeyValueStore;
  readonly #locks: Locks;

  constructor(store: KeyValueStore, locks: Locks) {
    this.#store = store;
    this.#locks = locks;
  }

  /** How many bytes of a layer are best read at once from a multiple of it on. */
  get readSize(): number {
    return Math.min(this.#store.readSize, CHUNK_SIZE);
  }

  async has(diffId: string): Promise<boolean> {
    return (await this.#record(diffId)) !== undefined;
  }

  /** @returns undefined when the layer is not stored */
  async open(diffId: string): Promise<StoredLayer | undefined> {
    for (;;) {
      const record = await this.#record(diffId);
      if (!record) return undefined;
      const release = await this.#locks.hold(record.group);
      // What was read before the lock was held may have been evicted in between.
      if ((await this.#record(diffId))?.group === record.group) {
        const index = await this.#store.get(indexKey(record.group));
        if (index) {
          await this.#touch(record.group);
          return this.#opened(record, index, release);
        }
        await this.#forget(record);
      }
      await release();
    }
  }

  /** Begins to store a layer. */
  async write(): Promise<LayerWriter> {
    const group = crypto.randomUUID();
    const release = await this.#locks.hold(group);
    // Two by turns, for fresh memory costs a page fault for every 4 KiB.
    let chunk = new Uint8Array(CHUNK_SIZE);
    let spare = new Uint8Array(CHUNK_SIZE);
    let filled = 0;
    let count = 0;
    let writing: Promise<void> = Promise.resolve();
    let ended = false;

    /** Lets one chunk be written while the next is filled. */
    const flush = async () => {
      await writing;
      if (filled === 0) return;
      const bytes = chunk.subarray(0, filled);
      writing = this.#put(chunkKey(group, count++), bytes);
      // The rejection is met by the next flush, or by abort.
      writing.catch(() => {});
      [chunk, spare] = [spare, chunk];
      filled = 0;
    };

    const discard = async () => {
      await writing.catch(() => {});
      await this.#deleteGroup(group);
      await release();
    };

    return {
      append: async (bytes) => {
        for (let done = 0; done < bytes.length; ) {
          const part = bytes.subarray(done, done + CHUNK_SIZE - filled);
          chunk.set(part, filled);
          filled += part.length;
          done += part.length;
          if (filled === CHUNK_SIZE) await flush();
        }
      },
      commit: async (diffId, index) => {
        const size = count * CHUNK_SIZE + filled;
        await flush();
        await writing;
        await this.#put(indexKey(group), index);
        const record: LayerRecord = { version: VERSION, diffId, size, group };
        for (;;) {
          if (await this.makeRoom(() => this.#store.add(layerKey(diffId), encode(record)))) {
            ended = true;
            await this.#touch(group);
            return { layer: this.#opened(record, index, release), isNew: true };
          }
          const layer = await this.open(diffId);
          if (layer) {
            ended = true;
            await discard();
            return { layer, isNew: false };
          }
          await this.#deleteUnreadable(diffId);
        }
      },
      abort: async () => {
        if (ended) return;
        ended = true;
        await discard();
      },
    };
  }

  /** All layers, the least recently used first. */
  async usage(): Promise<LayerUsage[]> {
    const held = await this.#locks.held();
    const layers: LayerUsage[] = [];
    for (const { diffId, size, group } of await this.#records()) {
      layers.push({ diffId, size, lastUsed: await this.#lastUsed(group), inUse: held.has(group) });
    }
    return layers.sort((a, b) => a.lastUsed - b.lastUsed);
  }

  /**
   * Removes layers, the least recently used first and none that are in use.
   * @param bytesNeeded stops once that many bytes are free
   * @returns the bytes freed, perhaps fewer
   */
  async evict(bytesNeeded: number): Promise<number> {
    let freed = 0;
    for (const { diffId, size, inUse } of await this.usage()) {
      if (freed >= bytesNeeded) break;
      if (!inUse && (await this.remove(diffId))) freed += size;
    }
    return freed;
  }

  /** Does what may want room, evicting layers that are not in use when there is none. @throws StorageFullError */
  async makeRoom<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof StorageFullError)) throw error;
        // Several chunks at once: each pass costs a look at all layers.
        if ((await this.evict(16 * CHUNK_SIZE)) === 0) throw error;
      }
    }
  }

  /** Removes a layer, unless it is in use or not there: then false. */
  async remove(diffId: string): Promise<boolean> {
    const record = await this.#record(diffId);
    if (!record || (await this.#locks.held()).has(record.group)) return false;
    await this.#store.delete([layerKey(diffId)]);
    // Who opens a layer takes the lock, then reads the record: one of the two sees the other.
    if ((await this.#locks.held()).has(record.group)) {
      await this.#store.add(layerKey(diffId), encode(record));
      return false;
    }
    await this.#deleteGroup(record.group);
    return true;
  }

  /** Removes what pulls that were cut off have left. */
  async sweep(): Promise<void> {
    // In this order: a writer holds its lock from before its first chunk until after its record.
    const keys = [...(await this.#store.keys('chunk/')), ...(await this.#store.keys('used/'))];
    const held = await this.#locks.held();
    const groups = new Set<string>();
    const garbage: string[] = [];
    for (const key of await this.#store.keys('layer/')) {
      const record = decode(await this.#store.get(key));
      if (record) groups.add(record.group);
      else garbage.push(key);
    }
    const isNeeded = (group = '') => held.has(group) || groups.has(group);
    await this.#store.delete([...garbage, ...keys.filter((key) => !isNeeded(key.split('/')[1]))]);
  }

  #opened(record: LayerRecord, index: Uint8Array, release: () => Promise<void>): StoredLayer {
    const { diffId, size, group } = record;
    return {
      diffId,
      size,
      index,
      read: async (offset, into) => {
        if (offset < 0 || offset + into.length > size) throw new RangeError('read past the end of a layer');
        for (let done = 0; done < into.length; ) {
          const within = (offset + done) % CHUNK_SIZE;
          const part = into.subarray(done, done + CHUNK_SIZE - within);
          const number = Math.floor((offset + done) / CHUNK_SIZE);
          if (!(await this.#store.read(chunkKey(group, number), within, part))) {
            await this.#forget(record);
            throw new StorageError(`the stored layer ${diffId} is damaged: start again to pull it anew`);
          }
          done += part.length;
        }
      },
      close: once(release),
    };
  }

  async #put(key: string, value: Uint8Array): Promise<void> {
    await this.makeRoom(() => this.#store.set(key, value));
  }

  /** Forgets a layer whose chunks are damaged; others who have it open keep what there is. */
  async #forget({ diffId, group }: LayerRecord): Promise<void> {
    if ((await this.#record(diffId))?.group === group) await this.#store.delete([layerKey(diffId)]);
  }

  /** Makes way for a record when there is one that cannot be read. */
  async #deleteUnreadable(diffId: string): Promise<void> {
    const bytes = await this.#store.get(layerKey(diffId));
    if (bytes && !decode(bytes)) await this.#store.delete([layerKey(diffId)]);
  }

  async #touch(group: string): Promise<void> {
    const now = new TextEncoder().encode(String(Date.now()));
    // Full storage must keep nobody from using what is stored.
    await this.#store.set(usedKey(group), now).catch((error) => {
      if (!(error instanceof StorageError)) throw error;
    });
  }

  async #lastUsed(group: string): Promise<number> {
    return Number(new TextDecoder().decode(await this.#store.get(usedKey(group)))) || 0;
  }

  async #record(diffId: string): Promise<LayerRecord | undefined> {
    return decode(await this.#store.get(layerKey(diffId)));
  }

  async #records(): Promise<LayerRecord[]> {
    const keys = await this.#store.keys('layer/');
    const records = await Promise.all(keys.map(async (key) => decode(await this.#store.get(key))));
    return records.filter((record) => record !== undefined);
  }

  async #deleteGroup(group: string): Promise<void> {
    await this.#store.delete([...(await this.#store.keys(`chunk/${group}/`)), usedKey(group)]);
  }
}

const layerKey = (diffId: string) => `layer/${diffId}`;
const chunkKey = (group: string, number: number) => `chunk/${group}/${number}`;
const indexKey = (group: string) => `chunk/${group}/index`;
const usedKey = (group: string) => `used/${group}`;

function encode(record: LayerRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** What another version wrote, or a crash cut short, counts as missing. */
function decode(bytes: Uint8Array | undefined): LayerRecord | undefined {
  if (!bytes) return undefined;
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as LayerRecord;
    return record.version === VERSION ? record : undefined;
  } catch {
    return undefined;
  }
}

import { keptLayers } from './container-store.ts';
import { StorageError, StorageFullError } from './errors.ts';
import { localLayers } from './image-store.ts';
import type { KeyValueStore, Locks } from './key-value.ts';
import { once } from './once.ts';

/**
 * Layers are stored as uncompressed tars in chunks of this many bytes, the unit that IndexedDB reads and
 * writes. A chunk is large enough for IndexedDB's full speed.
 */
export const CHUNK_SIZE = 2 << 20;

// Raised when the format of records, chunks or indexes changes. Older layers are then pulled again.
const VERSION = 1;

/** A completely stored layer. Its chunks have their own name, `group`. */
interface LayerRecord {
  readonly version: typeof VERSION;
  readonly diffId: string;
  /** The size of the tar, in bytes. */
  readonly size: number;
  readonly group: string;
}

/** A stored layer in use. It stays in the store until it is closed. */
export interface StoredLayer {
  readonly diffId: string;
  /** The size of the tar, in bytes. */
  readonly size: number;
  /** The serialised index of its entries, from `commit`. */
  readonly index: Uint8Array;
  /**
   * Fills `into` with the tar's bytes from `offset` on. Reading `LayerStore.readSize` at a time is cheapest.
   * @throws RangeError past the end
   * @throws StorageError when the stored bytes are gone; the store then forgets the layer, and the next pull
   *   fetches it again
   */
  read(offset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A layer on its way into the store. Its user ends it by `commit` or `abort`. */
export interface LayerWriter {
  /** Copies the next bytes of the tar. Wait for it before the next call. @throws StorageFullError */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the layer visible under its diffID and opens it. @throws StorageFullError
   * @param index the serialised index of the tar's entries
   */
  commit(diffId: string, index: Uint8Array): Promise<CommittedLayer>;
  /** Removes the written bytes. Does nothing after `commit`. */
  abort(): Promise<void>;
}

export interface CommittedLayer {
  readonly layer: StoredLayer;
  /** Whether the layer is new: another tab or process may have stored it in the meantime. */
  readonly isNew: boolean;
}

export interface LayerUsage {
  readonly diffId: string;
  /** The size of the tar, in bytes. */
  readonly size: number;
  /** The time in ms since 1970. */
  readonly lastUsed: number;
  /** By a machine that runs, or by a kept container. */
  readonly inUse: boolean;
}

/**
 * Layers by diffID, shared with other tabs or processes. A layer exists if its record does, and the record is
 * written last. Chunks that no record names and no lock protects are garbage.
 */
export class LayerStore {
  readonly #store: KeyValueStore;
  readonly #locks: Locks;
  /** The groups of layers that are open. */
  readonly #groups = new WeakMap<StoredLayer, string>();
  /** Uses that are being noted. */
  readonly #notes = new Set<Promise<void>>();

  constructor(store: KeyValueStore, locks: Locks) {
    this.#store = store;
    this.#locks = locks;
  }

  /** The best number of bytes to read at once, at multiples of that number. */
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
      // Another tab may have evicted the layer before this one held the lock.
      const [current, index] = await Promise.all([
        this.#record(diffId),
        this.#store.get(indexKey(record.group)),
      ]);
      if (current?.group === record.group) {
        if (index) return this.#opened(record, index, this.#use(record.group, release));
        await this.#forget(record);
      }
      await release();
    }
  }

  /**
   * Opens a layer that another thread of this program holds.
   * @param known the layer as it was opened before, which is returned if its bytes are still there
   * @returns undefined when the layer is not stored
   */
  async openHeld(diffId: string, known?: StoredLayer): Promise<StoredLayer | undefined> {
    const record = await this.#record(diffId);
    if (known && record && this.#groups.get(known) === record.group) return known;
    const index = record && (await this.#store.get(indexKey(record.group)));
    return index && this.#opened(record, index, async () => {});
  }

  /** Starts to store a layer. */
  async write(): Promise<LayerWriter> {
    const group = crypto.randomUUID();
    const release = await this.#locks.hold(group);
    // Two chunks alternate, because fresh memory costs a page fault for every 4 KiB.
    let chunk = new Uint8Array(CHUNK_SIZE);
    let spare = new Uint8Array(CHUNK_SIZE);
    let filled = 0;
    let count = 0;
    let writing: Promise<void> = Promise.resolve();
    let ended = false;

    /** Writes one chunk while the next one is filled. */
    const flush = async () => {
      await writing;
      if (filled === 0) return;
      const bytes = chunk.subarray(0, filled);
      writing = this.#put(chunkKey(group, count++), bytes);
      // The next flush or abort handles a rejection.
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
            return { layer: this.#opened(record, index, this.#use(group, release)), isNew: true };
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

  /** Returns all layers, the least recently used first. */
  async usage(): Promise<LayerUsage[]> {
    await Promise.allSettled(this.#notes);
    const held = await this.#locks.held();
    const kept = await keptLayers(this.#store);
    const layers: LayerUsage[] = [];
    for (const { diffId, size, group } of await this.#records()) {
      const inUse = held.has(group) || kept.has(diffId);
      layers.push({ diffId, size, lastUsed: await this.#lastUsed(group), inUse });
    }
    return layers.sort((a, b) => a.lastUsed - b.lastUsed);
  }

  /**
   * Removes layers that are not in use, the least recently used first.
   * @param bytesNeeded the number of bytes to free
   * @returns the number of bytes freed, perhaps fewer
   */
  async evict(bytesNeeded: number): Promise<number> {
    let freed = 0;
    const local = await localLayers(this.#store);
    for (const { diffId, size, inUse } of await this.usage()) {
      if (freed >= bytesNeeded) break;
      if (!inUse && !local.has(diffId) && (await this.remove(diffId))) freed += size;
    }
    return freed;
  }

  /**
   * Runs `write`, and evicts layers that are not in use if it finds no room.
   * @throws StorageFullError
   */
  async makeRoom<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof StorageFullError)) throw error;
        // Evicts several chunks at once, because each pass looks at all layers.
        if ((await this.evict(16 * CHUNK_SIZE)) === 0) throw error;
      }
    }
  }

  /** Removes a layer. Returns false if it is in use or missing. */
  async remove(diffId: string): Promise<boolean> {
    const record = await this.#record(diffId);
    if (!record || (await this.#locks.held()).has(record.group)) return false;
    if ((await keptLayers(this.#store)).has(diffId)) return false;
    await this.#store.delete([layerKey(diffId)]);
    // `open` takes the lock and then reads the record, so one of the two sees the other.
    if ((await this.#locks.held()).has(record.group)) {
      await this.#store.add(layerKey(diffId), encode(record));
      return false;
    }
    await this.#deleteGroup(record.group);
    return true;
  }

  /** Removes the remains of interrupted pulls. */
  async sweep(): Promise<void> {
    // The order matters: a writer holds its lock from before its first chunk until after its record.
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
    const layer: StoredLayer = {
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
            throw new StorageError(
              `the stored layer ${diffId} is damaged: start the container again to pull it`,
            );
          }
          done += part.length;
        }
      },
      close: once(release),
    };
    this.#groups.set(layer, group);
    return layer;
  }

  async #put(key: string, value: Uint8Array): Promise<void> {
    await this.makeRoom(() => this.#store.set(key, value));
  }

  /** Forgets a layer with damaged chunks. Others that have it open can still read the rest. */
  async #forget({ diffId, group }: LayerRecord): Promise<void> {
    if ((await this.#record(diffId))?.group === group) await this.#store.delete([layerKey(diffId)]);
  }

  /** Deletes an unreadable record, which would block a new one. */
  async #deleteUnreadable(diffId: string): Promise<void> {
    const bytes = await this.#store.get(layerKey(diffId));
    if (bytes && !decode(bytes)) await this.#store.delete([layerKey(diffId)]);
  }

  /**
   * Notes the use of a layer, for which nobody waits before the layer's end.
   * @returns what ends it
   */
  #use(group: string, release: () => Promise<void>): () => Promise<void> {
    const noted = this.#touch(group).finally(() => this.#notes.delete(noted));
    noted.catch(() => {});
    this.#notes.add(noted);
    return () => noted.finally(release);
  }

  async #touch(group: string): Promise<void> {
    const now = new TextEncoder().encode(String(Date.now()));
    // A stored layer must stay usable when the storage is full.
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

/** Records of another version and damaged records count as missing. */
function decode(bytes: Uint8Array | undefined): LayerRecord | undefined {
  if (!bytes) return undefined;
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as LayerRecord;
    return record.version === VERSION ? record : undefined;
  } catch {
    return undefined;
  }
}

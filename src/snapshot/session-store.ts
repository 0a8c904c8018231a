import { StateError } from '../machine/errors.ts';
import type { Plain } from '../machine/state.ts';
import type { DiskFiles } from '../storage/disk-files.ts';
import type { KeyValueStore } from '../storage/key-value.ts';
import { checkVersions, type SnapshotHeader, type Versions } from './file.ts';
import { PAGE, RANGE } from './pages.ts';
import { decodePlain, encodePlain } from './plain.ts';
import type { SavedRange } from './saver.ts';
import type { SaverPlatform, SaverWorker } from './savers.ts';
import { decodeIndex, encodeIndex, type FilePlace, neededFiles, type SessionIndex } from './session-index.ts';

const PREFIX = 'session/';
/** A session is saved anew when its files hold this many times what it needs of them. */
const MOST_WASTE = 2;
/** Bytes of files that are never too many. */
const LITTLE = 8 << 20;
const BITS = 8;

/** What is saved of a machine that stands still. */
export interface SessionContents {
  readonly header: SnapshotHeader;
  readonly state: Plain;
  /** Guest RAM, in shared memory. */
  readonly ram: Uint8Array;
  /** One bit for each page: whether it may differ from `base`. */
  readonly dirty: Uint8Array;
}

/** A session in the store. */
export interface StoredSession {
  /** A UUID. */
  readonly id: string;
  readonly index: SessionIndex;
}

/** A session that is being loaded. */
export interface LoadingSession extends StoredSession {
  readonly state: Plain;
  /** Places the RAM, which is zero and in shared memory. @throws StorageError, StateError */
  fillRam(ram: Uint8Array): Promise<void>;
  /** Ends the workers, when its RAM is not wanted. */
  close(): void;
}

/** The place of sessions in a store. */
export interface SessionPlaces {
  readonly values: KeyValueStore;
  readonly sessions: DiskFiles;
}

/**
 * Suspended sessions of containers. A session is files with ranges of RAM, and a value that says where each
 * range is. It shares files with the session that was saved before it, in which nothing changes. It counts
 * once the container's record names it; the others of a container are garbage.
 */
export class SessionStore {
  readonly #values: KeyValueStore;
  readonly #files: DiskFiles;
  readonly #platform: SaverPlatform;

  constructor({ values, sessions }: SessionPlaces, platform: SaverPlatform) {
    this.#values = values;
    this.#files = sessions;
    this.#platform = platform;
  }

  /**
   * Saves a session of a container under a new id, durably. The caller owns the container.
   * @param base the session from which the pages that are not dirty have not changed since; without one, all
   *   pages are saved
   * @throws StorageError; then nothing is left of it
   */
  async save(
    container: string,
    { header, state, ram, dirty }: SessionContents,
    base?: StoredSession,
  ): Promise<StoredSession> {
    const id = crypto.randomUUID();
    const kept = base && !isWasteful(base.index) ? base.index : undefined;
    const ranges = kept ? dirtyRanges(dirty, ram.length / PAGE) : allRanges(ram.length / PAGE);
    const { bytes, blobs } = encodePlain(state);
    const taken = new Int32Array(new SharedArrayBuffer(4));
    const savers = this.#startSavers(Math.max(1, Math.min(this.#platform.workers, ranges.length)));
    try {
      const answers = await all(
        savers.map(async (saver, n) => {
          const file = `${container}-${id}-${n}`;
          const request = { type: 'save', file, ram, ranges, taken, blobs: n === 0 ? blobs : [] } as const;
          return { file, ...(await saver.save(request)) };
        }),
      );
      const saved = new Map(kept?.ranges);
      for (const { file, ranges } of answers) for (const range of ranges) note(saved, range, file);
      const blobPlaces = answers.flatMap(({ file, blobs }) => blobs.map((place) => ({ file, ...place })));
      const parts = { blobs: blobPlaces, ranges: saved };
      const sizes = new Map([
        ...(kept?.files ?? []),
        ...answers.map(({ file, bytes }) => [file, bytes] as const),
      ]);
      const files = new Map([...neededFiles(parts)].map((file) => [file, sizes.get(file) ?? 0]));
      const index = { header, state: bytes, ...parts, files };
      await this.#values.set(keyOf(container, id), await encodeIndex(index), true);
      return { id, index };
    } catch (error) {
      await this.#removeFiles((file) => file.startsWith(`${container}-${id}-`));
      throw error;
    } finally {
      for (const saver of savers) saver.terminate();
    }
  }

  /**
   * Opens a session of a container.
   * @param versions of the programs here
   * @throws StateError if it is damaged or missing; VersionError if others saved it; StorageError
   */
  async open(container: string, id: string, versions: Versions): Promise<LoadingSession> {
    const savers = this.#startSavers(this.#platform.workers);
    const close = () => {
      for (const saver of savers) saver.terminate();
    };
    try {
      const index = await this.read(container, id);
      checkVersions(index.header, versions);
      const state = decodePlain(index.state, await loadBlobs(savers, index.blobs));
      return { id, index, state, fillRam: (ram) => fillRam(savers, index, ram).finally(close), close };
    } catch (error) {
      close();
      throw error;
    }
  }

  /** Reads a session without its RAM. @throws StateError if it is damaged or missing; StorageError */
  async read(container: string, id: string): Promise<SessionIndex> {
    const value = await this.#values.get(keyOf(container, id));
    if (!value) throw new StateError('it is not in the store any more');
    return decodeIndex(value);
  }

  /**
   * Removes the sessions of a container, whose owner the caller is.
   * @param kept the one that its record names
   */
  async forget(container: string, kept?: StoredSession): Promise<void> {
    const ids = (await this.#values.keys(`${PREFIX}${container}/`)).map((key) => key.split('/')[2] as string);
    await this.#values.delete(ids.filter((id) => id !== kept?.id).map((id) => keyOf(container, id)));
    await this.#removeFiles((file) => file.startsWith(`${container}-`) && !kept?.index.files.has(file));
  }

  /** The bytes of storage that the sessions of a container take. */
  async usage(container: string): Promise<number> {
    const files = (await this.#files.list()).filter((file) => file.startsWith(`${container}-`));
    return sum(await Promise.all(files.map((file) => this.#files.size(file))));
  }

  #startSavers(count: number): SaverWorker[] {
    return Array.from({ length: count }, () => this.#platform.startSaver());
  }

  async #removeFiles(isGarbage: (file: string) => boolean): Promise<void> {
    for (const file of await this.#files.list()) if (isGarbage(file)) await this.#files.remove(file);
  }
}

const keyOf = (container: string, id: string) => `${PREFIX}${container}/${id}`;

/** Notes where a range is now. A range that has become zero is nowhere. */
function note(ranges: Map<number, FilePlace>, { range, place }: SavedRange, file: string): void {
  if (place) ranges.set(range, { file, ...place });
  else ranges.delete(range);
}

function isWasteful({ ranges, files }: SessionIndex): boolean {
  const needed = sum([...ranges.values()].map(({ length }) => length));
  return sum(files.values()) > MOST_WASTE * needed + LITTLE;
}

function allRanges(pages: number): Uint32Array {
  return Uint32Array.from({ length: Math.ceil(pages / RANGE) }, (_, range) => range);
}

function dirtyRanges(dirty: Uint8Array, pages: number): Uint32Array {
  const size = RANGE / BITS;
  return allRanges(pages).filter((range) =>
    dirty.subarray(range * size, (range + 1) * size).some((bits) => bits !== 0),
  );
}

async function fillRam(savers: readonly SaverWorker[], index: SessionIndex, ram: Uint8Array): Promise<void> {
  if (ram.length !== index.header.ramBytes) throw new StateError('its memory has another size');
  await inTurns(savers, byFile([...index.ranges.values()]), (saver, [file, places]) => {
    const ranges = [...places].sort((a, b) => a.offset - b.offset);
    return saver.load({ type: 'load', file, ram, ranges, blobs: [] });
  });
}

async function loadBlobs(
  savers: readonly SaverWorker[],
  places: readonly FilePlace[],
): Promise<Uint8Array[]> {
  const blobs: Uint8Array[] = [];
  const [saver] = savers;
  for (const [file, group] of byFile(places)) {
    const answer = await saver?.load({
      type: 'load',
      file,
      ram: new Uint8Array(0),
      ranges: [],
      blobs: group,
    });
    blobs.push(...(answer?.blobs ?? []));
  }
  return blobs;
}

/** Files and what is wanted of them, the most first, so that workers that share them end together. */
function byFile(places: readonly FilePlace[]): [string, FilePlace[]][] {
  const groups = new Map<string, FilePlace[]>();
  for (const place of places) {
    const group = groups.get(place.file) ?? [];
    groups.set(place.file, group);
    group.push(place);
  }
  const bytes = (group: readonly FilePlace[]) => sum(group.map(({ length }) => length));
  return [...groups].sort(([, a], [, b]) => bytes(b) - bytes(a));
}

/** Gives each worker the next item when it has done one. */
async function inTurns<T>(
  savers: readonly SaverWorker[],
  items: readonly T[],
  work: (saver: SaverWorker, item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  await all(
    savers.map(async (saver) => {
      for (const item of rest) await work(saver, item);
    }),
  );
}

/** Like `Promise.all`, but no action goes on when it has rejected. */
async function all<T>(actions: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(actions);
  return Promise.all(actions);
}

function sum(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

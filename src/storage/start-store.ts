import type { DiskFiles } from './disk-files.ts';
import type { Json } from './json.ts';
import type { KeyValueStore, Locks } from './key-value.ts';

const VERSION = 1;
const PREFIX = 'start/';
/** Whose sessions these are, as their files' names and the keys of their indexes have it. */
export const START_OWNER = 'start-';
const SESSIONS = 'session/';
/** What follows the owner in the name of a session's file. */
const SUFFIX = /-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+$/;

/** The saved start of containers: the state of one that had started, from which the next ones go on. */
export interface StartRecord {
  /** Hexadecimal digits that stand for the image and the options. */
  readonly key: string;
  /** The image, as in its own record. */
  readonly reference: string;
  readonly digest: string;
  readonly config: string;
  readonly layers: readonly string[];
  /** How the container was started. */
  readonly options: Json;
  /** The id of the saved session. */
  readonly session: string;
  /** Times in ms since 1970. */
  readonly created: number;
  readonly lastUsed: number;
}

/** Saved starts, which only save time: they are removed before anything that cannot be made again. */
export class StartStore {
  readonly #store: KeyValueStore;
  readonly #locks: Locks;
  readonly #sessions: DiskFiles;

  /** @param sessions the memory of suspended containers */
  constructor(store: KeyValueStore, locks: Locks, sessions: DiskFiles) {
    this.#store = store;
    this.#locks = locks;
    this.#sessions = sessions;
  }

  /** Lists all, the most recently used first. */
  async list(): Promise<StartRecord[]> {
    const keys = await this.#store.keys(PREFIX);
    const records = await Promise.all(keys.map(async (key) => decode(await this.#store.get(key))));
    return records.filter((record) => record !== undefined).sort((a, b) => b.lastUsed - a.lastUsed);
  }

  async get(key: string): Promise<StartRecord | undefined> {
    return decode(await this.#store.get(PREFIX + key));
  }

  /** @throws StorageFullError */
  async put(record: StartRecord): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify({ version: VERSION, ...record }));
    await this.#store.set(PREFIX + record.key, bytes, true);
  }

  /** Keeps `sweep` from a session that is being saved or read. @returns a function that ends that */
  hold(key: string): Promise<() => Promise<void>> {
    return this.#locks.hold(START_OWNER + key);
  }

  async remove(key: string): Promise<void> {
    await this.#store.delete([PREFIX + key]);
    await this.sweep();
  }

  /** Removes the one that was used longest ago, to make room. @returns whether there was one */
  async evict(): Promise<boolean> {
    const last = (await this.list()).at(-1);
    if (last) await this.remove(last.key);
    return last !== undefined;
  }

  /** The bytes of storage that one takes. */
  async usage(key: string): Promise<number> {
    const files = (await this.#sessions.list()).filter((file) => ownerOf(file) === START_OWNER + key);
    const sizes = await Promise.all(files.map((file) => this.#sessions.size(file)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Removes sessions that no record names. */
  async sweep(): Promise<void> {
    // The order matters: who saves holds the lock from before the first file until after the record.
    const files = (await this.#sessions.list()).filter((file) => file.startsWith(START_OWNER));
    const values = await this.#store.keys(SESSIONS);
    const held = await this.#locks.held();
    const needed = new Set((await this.list()).map(({ key, session }) => `${START_OWNER}${key}/${session}`));
    for (const file of files) {
      const owner = ownerOf(file);
      const isNeeded = [...needed].some((id) => file.startsWith(`${id.replace('/', '-')}-`));
      if (!held.has(owner) && !isNeeded) await this.#sessions.remove(file);
    }
    const indexes = values.filter((key) => key.startsWith(SESSIONS + START_OWNER));
    const garbage = indexes.filter((key) => {
      const id = key.slice(SESSIONS.length);
      return !needed.has(id) && !held.has(id.split('/')[0] as string);
    });
    await this.#store.delete(garbage);
  }
}

/** Whose session a file belongs to. */
export function ownerOf(file: string): string {
  return file.replace(SUFFIX, '');
}

function decode(bytes: Uint8Array | undefined): StartRecord | undefined {
  if (!bytes) return undefined;
  try {
    const { version, ...record } = JSON.parse(new TextDecoder().decode(bytes));
    return version === VERSION ? (record as StartRecord) : undefined;
  } catch {
    return undefined;
  }
}

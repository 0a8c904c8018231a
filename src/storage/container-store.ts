import type { DiskFiles } from './disk-files.ts';
import { StorageError } from './errors.ts';
import type { Json } from './json.ts';
import type { KeyValueStore, Locks } from './key-value.ts';
import { once } from './once.ts';
import { ownerOf, START_OWNER } from './start-store.ts';

export type { Json } from './json.ts';

const VERSION = 1;
const PREFIX = 'container/';
/** The prefix of the indexes of sessions. Their files begin with the id of their container, too. */
const SESSIONS = 'session/';
/** Guards names while one is given to a container. */
const NAMES_LOCK = 'container-names';
/** How long another may take to give a name, in ms. */
const NAMES_PATIENCE = 10_000;
const NAMES_RETRY = 20;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MAX_NAME = 128;
const COPY_SIZE = 1 << 20;

/** A saved state of a container's machine. */
export interface SavedSession {
  readonly id: string;
  /** The checkpoint of the disk that belongs to it. */
  readonly checkpoint: number;
  /** When it was saved, in ms since 1970. */
  readonly saved: number;
  /** Whether the container ended then. Otherwise it went on, until it was stopped or cut off. */
  readonly isEnd: boolean;
}

/** A kept container: with its layers and its disk, all that a later start needs. */
export interface ContainerRecord {
  readonly name: string;
  /** A UUID, for ever the same; also the name of its disk. */
  readonly id: string;
  /** The canonical reference of its image. */
  readonly reference: string;
  /** The digest of the image's manifest. */
  readonly digest: string;
  /** The image's configuration, as published JSON. */
  readonly config: string;
  /** The diffIDs of its layers, the lowest first. */
  readonly layers: readonly string[];
  /** How it was started. */
  readonly options: Json;
  /** Times in ms since 1970. */
  readonly created: number;
  readonly lastUsed: number;
  /** The size of its disk, as the guest sees it. */
  readonly diskBytes: number;
  /** If it is suspended. */
  readonly session?: SavedSession | undefined;
}

/** A container with this name is kept already. */
export class ContainerExistsError extends StorageError {
  override name = 'ContainerExistsError';
}

/** A container has another owner. */
export class ContainerInUseError extends StorageError {
  override name = 'ContainerInUseError';
}

/** No container with this name is kept. */
export class ContainerMissingError extends StorageError {
  override name = 'ContainerMissingError';
}

/** A kept container that belongs to the caller alone until it is closed. */
export interface OpenContainer {
  readonly record: ContainerRecord;
  /** Changes the record, at once and durably. @throws StorageFullError, and then nothing has changed */
  update(changes: Partial<Omit<ContainerRecord, 'id' | 'name'>>): Promise<void>;
  /** @throws ContainerExistsError, OptionError */
  rename(name: string): Promise<void>;
  /** Removes the record. The disk follows when the container is closed, unless `rename` keeps it again. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Kept containers, shared with other tabs or processes. A container exists if its record does; a disk without
 * a record and without a lock is garbage. Records have the id as key, so that each change is one write.
 */
export class ContainerStore {
  readonly #store: KeyValueStore;
  readonly #locks: Locks;
  readonly #disks: DiskFiles;
  readonly #sessions: DiskFiles;
  readonly #askPersistence: () => void;

  /**
   * @param files the disks of containers, and the memory of suspended ones
   * @param askPersistence called when the first container is kept
   */
  constructor(
    store: KeyValueStore,
    locks: Locks,
    files: { disks: DiskFiles; sessions: DiskFiles },
    askPersistence: () => void,
  ) {
    this.#store = store;
    this.#locks = locks;
    this.#disks = files.disks;
    this.#sessions = files.sessions;
    this.#askPersistence = askPersistence;
  }

  /** Lists all containers, the most recently used first. */
  async list(): Promise<ContainerRecord[]> {
    return (await readRecords(this.#store)).sort((a, b) => b.lastUsed - a.lastUsed);
  }

  async get(name: string): Promise<ContainerRecord | undefined> {
    return (await readRecords(this.#store)).find((record) => record.name === name);
  }

  /** The ids of the containers that have an owner, here or elsewhere. */
  async running(): Promise<Set<string>> {
    const held = await this.#locks.held();
    return new Set(
      [...held].filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length)),
    );
  }

  /**
   * Keeps a new container, whose owner the caller becomes. Its layers must be in use meanwhile.
   * @throws ContainerExistsError, StorageError if the name or the id is none
   */
  async create(record: ContainerRecord): Promise<OpenContainer> {
    checkContainerName(record.name);
    const release = await this.#claim(record);
    try {
      await this.#withNames(async () => {
        await this.#requireFree(record.name);
        if ((await this.#ids()).length === 0) this.#askPersistence();
        await this.#write(record);
      });
      return this.#opened(record, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  /**
   * Makes the caller the owner of a container.
   * @throws ContainerInUseError if another caller owns it, ContainerMissingError if it is not kept
   */
  async open(name: string): Promise<OpenContainer> {
    const found = await this.#find(name);
    const release = await this.#claim(found);
    // Its last owner may have changed or removed it before the lock was taken.
    const record = await this.#read(found.id);
    if (record?.name === name) return this.#opened(record, release);
    await release();
    throw missing(name);
  }

  /** @throws ContainerExistsError, ContainerInUseError, StorageError */
  async rename(name: string, newName: string): Promise<void> {
    const container = await this.open(name);
    try {
      await container.rename(newName);
    } finally {
      await container.close();
    }
  }

  /**
   * Copies a container, without the session if it is suspended.
   * @throws ContainerExistsError, ContainerInUseError, StorageFullError, StorageError
   */
  async duplicate(name: string, newName: string): Promise<ContainerRecord> {
    checkContainerName(newName);
    const source = await this.open(name);
    try {
      const now = Date.now();
      const { session: _, ...rest } = source.record;
      const record = { ...rest, name: newName, id: crypto.randomUUID(), created: now, lastUsed: now };
      await this.#requireFree(newName);
      const release = await this.#claim(record);
      try {
        await this.#copyDisk(source.record.id, record.id);
        await this.#withNames(async () => {
          await this.#requireFree(newName);
          await this.#write(record);
        });
      } catch (error) {
        await this.#disks.remove(record.id);
        throw error;
      } finally {
        await release();
      }
      return record;
    } finally {
      await source.close();
    }
  }

  /** Removes a container with its disk. @throws ContainerInUseError, StorageError */
  async remove(name: string): Promise<void> {
    const { record, close } = await this.open(name);
    try {
      await this.#store.delete([PREFIX + record.id]);
      await this.#disks.remove(record.id);
      await this.#removeSessions(record.id);
    } finally {
      await close();
    }
  }

  /** The bytes of storage that a container takes: its disk, and its memory if it is suspended. */
  async usage(name: string): Promise<number> {
    const { id } = await this.#find(name);
    const sizes = [
      this.#disks.size(id),
      ...(await this.#sessionFiles(id)).map((file) => this.#sessions.size(file)),
    ];
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  /** Removes disks and sessions that no container has. */
  async sweep(): Promise<void> {
    // The order matters: an owner holds its lock from before the disk until after the record.
    const disks = await this.#disks.list();
    const values = await this.#store.keys(SESSIONS);
    const files = await this.#sessions.list();
    const owners = [...files.map(ownerOf), ...values.map((key) => key.split('/')[1] as string)];
    const running = await this.running();
    const ids = new Set(await this.#ids());
    for (const disk of disks) if (!running.has(disk) && !ids.has(disk)) await this.#disks.remove(disk);
    for (const id of new Set(owners.filter((owner) => !owner.startsWith(START_OWNER))))
      if (!running.has(id) && !(await this.#read(id))?.session) await this.#removeSessions(id);
  }

  async #claim({ id, name }: ContainerRecord): Promise<() => Promise<void>> {
    const release = await this.#locks.claim(PREFIX + id);
    if (!release)
      throw new ContainerInUseError(`the container "${name}" is running ${this.#locks.place}: stop it first`);
    return once(release);
  }

  #opened(opened: ContainerRecord, close: () => Promise<void>): OpenContainer {
    let record = opened;
    let isForgotten = false;
    const write = async (changed: ContainerRecord) => {
      if (!isForgotten) await this.#write(changed);
      record = changed;
    };
    return {
      get record() {
        return record;
      },
      update: (changes) => write({ ...record, ...changes }),
      rename: async (name) => {
        checkContainerName(name);
        if (name === record.name && !isForgotten) return;
        await this.#withNames(async () => {
          await this.#requireFree(name);
          await this.#write({ ...record, name });
          record = { ...record, name };
          isForgotten = false;
        });
      },
      forget: async () => {
        await this.#store.delete([PREFIX + record.id]);
        isForgotten = true;
      },
      close: async () => {
        if (isForgotten) await this.#disks.remove(record.id);
        if (isForgotten || !record.session) await this.#removeSessions(record.id);
        await close();
      },
    };
  }

  /** Removes all sessions of a container: files that begin with its id, and their indexes. */
  async #removeSessions(id: string): Promise<void> {
    await this.#store.delete(await this.#store.keys(`${SESSIONS}${id}/`));
    for (const file of await this.#sessionFiles(id)) await this.#sessions.remove(file);
  }

  async #sessionFiles(id: string): Promise<string[]> {
    return (await this.#sessions.list()).filter((file) => ownerOf(file) === id);
  }

  async #copyDisk(from: string, to: string): Promise<void> {
    const file = await this.#disks.openReadOnly(from);
    if (!file) return;
    try {
      await this.#disks.create(to, async (write) => {
        for (let at = 0; at < file.size; at += COPY_SIZE) await write(at, await file.read(at, COPY_SIZE));
      });
    } finally {
      await file.close();
    }
  }

  async #find(name: string): Promise<ContainerRecord> {
    const record = await this.get(name);
    if (!record) throw missing(name);
    return record;
  }

  async #requireFree(name: string): Promise<void> {
    if (await this.get(name)) throw new ContainerExistsError(`there is a container "${name}" already`);
  }

  async #withNames(action: () => Promise<void>): Promise<void> {
    const deadline = Date.now() + NAMES_PATIENCE;
    let release = await this.#locks.claim(NAMES_LOCK);
    while (!release) {
      if (Date.now() > deadline)
        throw new StorageError('another tab or process does not let go of the names');
      await new Promise((resolve) => setTimeout(resolve, NAMES_RETRY));
      release = await this.#locks.claim(NAMES_LOCK);
    }
    try {
      await action();
    } finally {
      await release();
    }
  }

  async #ids(): Promise<string[]> {
    return (await this.#store.keys(PREFIX)).map((key) => key.slice(PREFIX.length));
  }

  async #read(id: string): Promise<ContainerRecord | undefined> {
    return decode(await this.#store.get(PREFIX + id));
  }

  async #write(record: ContainerRecord): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify({ version: VERSION, ...record }));
    await this.#store.set(PREFIX + record.id, bytes, true);
  }
}

/** The layers of all kept containers, which stay in the store. */
export async function keptLayers(store: KeyValueStore): Promise<Set<string>> {
  return new Set((await readRecords(store)).flatMap(({ layers }) => layers));
}

/** @throws StorageError */
export function checkContainerName(name: string): void {
  if (NAME.test(name) && name.length <= MAX_NAME) return;
  throw new StorageError(
    `${JSON.stringify(name)} is no name of a container: ` +
      `take up to ${MAX_NAME} letters, digits and _ . -, the first a letter or a digit`,
  );
}

function missing(name: string): ContainerMissingError {
  return new ContainerMissingError(`no container "${name}" is kept here`);
}

async function readRecords(store: KeyValueStore): Promise<ContainerRecord[]> {
  const keys = await store.keys(PREFIX);
  const records = await Promise.all(keys.map(async (key) => decode(await store.get(key))));
  return records.filter((record) => record !== undefined);
}

function decode(bytes: Uint8Array | undefined): ContainerRecord | undefined {
  if (!bytes) return undefined;
  try {
    const { version, ...record } = JSON.parse(new TextDecoder().decode(bytes));
    return version === VERSION ? (record as ContainerRecord) : undefined;
  } catch {
    return undefined;
  }
}

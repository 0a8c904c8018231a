/** The list of saved starts, apart from what uses them. */
import type { StartRecord } from '../storage/start-store.ts';
import { library } from './host.ts';
import type { LaunchOptions } from './kept-options.ts';

/** A saved start. */
export interface SavedStart {
  /** For `removeStart`. */
  readonly id: string;
  /** The canonical reference of its image. */
  readonly image: string;
  /** The digest of that image's manifest. */
  readonly digest: string;
  /** The program and its arguments; empty if they are the image's. */
  readonly command: readonly string[];
  /** The bytes that it takes in the store. */
  readonly usedBytes: number;
  /** When it was saved. */
  readonly created: Date;
  /** When a container last began with it, or it was saved. */
  readonly lastUsed: Date;
}

/** Lists the saved starts, the most recently used first. @throws StorageError */
export async function starts(): Promise<SavedStart[]> {
  const store = library().openStore().starts;
  return Promise.all(
    (await store.list()).map(async (record) => describe(record, await store.usage(record.key))),
  );
}

/** Removes a saved start. @throws StorageError */
export async function removeStart(id: string): Promise<void> {
  await library().openStore().starts.remove(id);
}

function describe(record: StartRecord, usedBytes: number): SavedStart {
  const { entrypoint = [], args = [] } = record.options as unknown as LaunchOptions;
  return {
    id: record.key,
    image: record.reference,
    digest: record.digest,
    command: [...entrypoint, ...args],
    usedBytes,
    created: new Date(record.created),
    lastUsed: new Date(record.lastUsed),
  };
}

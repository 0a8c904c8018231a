/** The list of kept containers, apart from what runs them. */
import { isUnchangedSince } from '../disk/kept-disk-file.ts';
import { checkContainerName } from '../options/container-name.mjs';
import type { ContainerRecord } from '../storage/container-store.ts';
import { library } from './host.ts';
import { keptOptions, type LaunchOptions } from './kept-options.ts';

/** A container whose files are kept. */
export interface KeptContainer {
  /** By which it is found, and which `rename` changes. */
  readonly name: string;
  /** Hexadecimal digits, which stay when the container is renamed. */
  readonly id: string;
  /** The canonical reference of its image. */
  readonly image: string;
  /** The digest of its image's manifest, which may have another name by now. */
  readonly imageDigest: string;
  /** When it was kept. */
  readonly created: Date;
  /** When it last began or ended. */
  readonly lastUsed: Date;
  /** The bytes that its files take in the store. */
  readonly usedBytes: number;
  /** A container that is suspended goes on where it was when it starts. */
  readonly status: 'running' | 'suspended' | 'stopped';
  /**
   * When its programs were saved last. A stopped one that has them was cut off, and has written files since;
   * it goes on from there only if `start` is told to, and then these files are lost.
   */
  readonly saved: Date | undefined;
  /** Whether it was cut off after `saved`, by a crash for example. */
  readonly wasCutOff: boolean;
  /** How it starts. */
  readonly options: LaunchOptions;
}

/** Lists the kept containers, the most recently used first. @throws StorageError */
export async function list(): Promise<KeptContainer[]> {
  const { containers } = library().openStore();
  const [records, running] = await Promise.all([containers.list(), containers.running()]);
  // One may be removed meanwhile.
  const found = await Promise.all(records.map((record) => describe(record, running).catch(() => undefined)));
  return found.filter((container) => container !== undefined);
}

/** Returns undefined if no container of the name is kept. @throws StorageError */
export async function get(name: string): Promise<KeptContainer | undefined> {
  const { containers } = library().openStore();
  const [record, running] = await Promise.all([containers.get(name), containers.running()]);
  return record && describe(record, running);
}

/**
 * Gives a container that does not run another name.
 * @throws OptionError, StorageError, ContainerExistsError, ContainerInUseError
 */
export async function rename(name: string, newName: string): Promise<void> {
  checkContainerName(newName);
  await library().openStore().containers.rename(name, newName);
}

/**
 * Copies a container that does not run, with its files. The copy of a suspended one is stopped.
 * @throws OptionError, StorageError, ContainerExistsError, ContainerInUseError
 */
export async function duplicate(name: string, newName: string): Promise<void> {
  checkContainerName(newName);
  await library().openStore().containers.duplicate(name, newName);
}

/** Removes a container that does not run, with its files. @throws StorageError, ContainerInUseError */
export async function remove(name: string): Promise<void> {
  await library().openStore().containers.remove(name);
}

async function describe(record: ContainerRecord, running: ReadonlySet<string>): Promise<KeptContainer> {
  const { name, id, reference, digest, created, lastUsed, session } = record;
  const { containers, disks } = library().openStore();
  const isRunning = running.has(id);
  const wasCutOff = !isRunning && session?.isEnd === false;
  const goesOn = session && (!wasCutOff || (await isUnchangedSince(disks, id, session.checkpoint)));
  return {
    name,
    id: id.replaceAll('-', ''),
    image: reference,
    imageDigest: digest,
    created: new Date(created),
    lastUsed: new Date(lastUsed),
    usedBytes: await containers.usage(name),
    saved: session && new Date(session.saved),
    wasCutOff,
    options: keptOptions(record).launch,
    status: isRunning ? 'running' : goesOn ? 'suspended' : 'stopped',
  };
}

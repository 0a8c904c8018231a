/** Kept containers: those whose files stay when they have ended. `Container.name` keeps one. */
import { exportStopped } from '../container/container.ts';
import { bootImage } from '../container/image-machine.ts';
import { isUnchangedSince } from '../disk/kept-disk-file.ts';
import { OptionError } from '../options/option-error.mjs';
import { StorageError } from '../storage/errors.ts';
import { chunks } from '../streams/chunks.ts';
import { streamOf } from '../streams/stream-of.ts';
import { containerHost } from './host.ts';
import { holdKept, type Keeping, keepWith, openKept, type Source } from './kept.ts';
import type { LaunchOptions } from './kept-options.ts';
import { type LiveOptions, launch } from './launch.ts';
import type { ImageLocation, LoadImageOptions } from './load-image.ts';
import { type CommitOptions, commitImage } from './local-images.ts';
import { machineOf } from './machine-settings.ts';
import type { RunningContainer } from './running-container.ts';
import type { StartOptions } from './start-options.ts';
import type { StartedContainer } from './started-container.ts';

export { duplicate, get, type KeptContainer, list, remove, rename } from './kept-list.ts';
export {
  describeSession,
  type OpenSessionOptions,
  openSession,
  type SessionDescription,
  type SessionFile,
} from './session-file.ts';
export type { StartOptions } from './start-options.ts';

const SIZE = { columns: 80, rows: 24 };

/**
 * Starts a container again, with its files and as it was started before, or goes on with one that is
 * suspended. Resolves when its program runs, or has failed to start.
 * @throws StorageError if no such container is kept; ContainerInUseError if it runs; OptionError,
 *   MachineError, or the reason of the signal
 */
export async function start(name: string, options: StartOptions = {}): Promise<RunningContainer> {
  const container = await startKept(name, options);
  await container.started;
  return container;
}

/** Resolves before the program runs. @internal */
export async function startKept(
  name: string,
  options: StartOptions & Pick<LiveOptions, 'onConsole' | 'savesItself'>,
): Promise<StartedContainer> {
  const { stdin = 'piped', stdout = 'piped', stderr = 'piped', terminal } = options;
  const { signal, onConsole, onLessMemory, savesItself } = options;
  const source = await openKept(name);
  try {
    const openSession = savedSession(source.kept, options.resume);
    const live = {
      stdio: { stdin, stdout, stderr },
      terminal: terminal ?? (source.launch.terminal ? SIZE : undefined),
      signal,
      onConsole,
      onLessMemory,
      savesItself,
    };
    return await launch(source.launch, live, async () => ({ ...source, openSession }));
  } catch (error) {
    await source.image.release();
    throw error;
  }
}

/**
 * Drops the saved session of a container, unless it goes on from that. By default it does unless files have
 * been written since, which would be lost.
 */
function savedSession({ container }: Keeping, resume?: boolean): Source['openSession'] {
  const { id, session } = container.record;
  if (!session) return undefined;
  return async (emulator) => {
    const { openStored, startSavers } = await import('./sessions.ts');
    // They start while the disk is read.
    const savers = resume === false ? undefined : await startSavers(emulator);
    const { store } = await containerHost().openKept();
    if (savers && (resume ?? (await isUnchangedSince(store.disks, id, session.checkpoint))))
      return openStored(id, session.id, emulator, savers);
    savers?.close();
    await container.update({ session: undefined });
    return undefined;
  };
}

/**
 * Reads what a container that does not run has changed: a tar that is a layer of its image, as the OCI image
 * specification describes it.
 * @throws StorageError, ContainerInUseError, MachineError, also as the stream's error
 */
async function exportChanges(name: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  return streamOf(changesOf(name));
}

/**
 * Keeps a new container of an image with changes that `export` has written.
 * @throws OptionError, ImageError, StorageError, ContainerExistsError, or the signal's reason
 */
async function importChanges(
  name: string,
  image: ImageLocation,
  changes: ReadableStream<Uint8Array>,
  options: LoadImageOptions = {},
): Promise<void> {
  await keepWith(() => chunks(changes), { name, image, loading: options, launch: defaultLaunch() });
}

/**
 * Makes an image of a container that does not run: its image with one more layer.
 * @returns the canonical reference of the new image
 * @throws ImageError, OptionError, StorageError, ContainerInUseError, MachineError
 */
export async function commit(name: string, image: string, options: CommitOptions = {}): Promise<string> {
  const places = await containerHost().openKept();
  const record = await places.store.containers.get(name);
  if (!record) throw new StorageError(`no container "${name}" is kept here`);
  return commitImage(async () => changesOf(name), record, image, options, places);
}

export { exportChanges as export, importChanges as import };

/** How a container starts that has only been imported. */
function defaultLaunch(): LaunchOptions {
  const { cpus, memoryBytes, diskBytes } = machineOf({});
  const nothing = { env: [], devices: [], tmpfs: [], ports: [] };
  return { ...nothing, cpus, memoryBytes, diskBytes, network: 'internet', terminal: false };
}

async function* changesOf(name: string): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const { image, kept, keptDisk } = await holdKept(name);
  const { diskBytes, session } = kept.container.record;
  if (session) {
    await image.release();
    throw new OptionError(`the container "${name}" is suspended: resume it, and stop it`);
  }
  const size = { ...machineOf({ network: 'none' }), diskBytes };
  const platform = containerHost().createPlatform(size.cpus);
  const store = containerHost().storeFolder;
  const machine = await bootImage({ ...size, platform, image, store, keptDisk });
  try {
    yield* chunks(await exportStopped(machine));
  } finally {
    await machine.stop();
  }
}

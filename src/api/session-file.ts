/** Sessions as files, which may come from strangers. */
import { randomId } from '../docker/names.ts';
import { StateReader } from '../machine/state.ts';
import { atDigest } from '../oci/reference.ts';
import { checkContainerName } from '../options/container-name.mjs';
import { type OpenedSnapshot, openSnapshot, readHeader, type SnapshotHeader } from '../snapshot/file.ts';
import { Lz4 } from '../snapshot/lz4.ts';
import { versionsOf } from '../snapshot/versions.ts';
import { chunks } from '../streams/chunks.ts';
import { containerHost } from './host.ts';
import { type Keeping, keep, releasing, type Source } from './kept.ts';
import type { LaunchOptions } from './kept-options.ts';
import { type LiveOptions, launch } from './launch.ts';
import type { LoadedImage, LoadImageOptions } from './load-image.ts';
import type { RunningContainer } from './running-container.ts';
import { partsOf } from './sessions.ts';
import type { StartOptions } from './start-options.ts';
import type { StartedContainer } from './started-container.ts';

/** Limits of what a file says. */
const MAX_TEXT = 1 << 20;
const MAX_WORDS = 1 << 16;
const MAX_CPUS = 64;

/** What a file says that it holds. */
export interface SessionDescription {
  /** The reference of the image. */
  readonly image: string;
  /** The size of its machine's memory. */
  readonly memoryBytes: number;
  /** The number of its machine's CPUs. */
  readonly cpus: number;
  /** When it was saved. */
  readonly saved: Date;
  /** The program and its arguments; empty if they are the image's. */
  readonly command: readonly string[];
  /** Of LinuxRun. */
  readonly version: string;
}

/** A file with the session of a container. */
export type SessionFile = Blob | ReadableStream<Uint8Array>;

/** How a container from a file goes on. */
export interface OpenSessionOptions
  extends Omit<StartOptions, 'resume' | 'onLessMemory'>,
    Pick<LoadImageOptions, 'credentials' | 'onProgress'> {
  /** Keeps it under this name. */
  readonly name?: string | undefined;
}

/**
 * Reads what a file says that it holds, and no more than its beginning.
 * @throws MachineError if it is none, is damaged, or comes from another build of LinuxRun
 */
export async function describeSession(file: SessionFile): Promise<SessionDescription> {
  const header = await readHeader(...(await reading(file)));
  const { reference, launch } = readAbout(header);
  return {
    image: reference,
    memoryBytes: launch.memoryBytes,
    cpus: launch.cpus,
    saved: new Date(header.created),
    command: [...(launch.entrypoint ?? []), ...(launch.args ?? [])],
    version: header.release,
  };
}

/**
 * Goes on with the container of a file, which `exportSession` has written. Its image is pulled if it is not
 * stored.
 * @throws MachineError if the file is none, is damaged, or comes from another build of LinuxRun; ImageError,
 *   OptionError, StorageError, or the reason of the signal
 */
export async function openSession(
  file: SessionFile,
  options: OpenSessionOptions = {},
): Promise<RunningContainer> {
  return startSession(file, options);
}

/** @internal */
export async function startSession(
  file: SessionFile,
  options: OpenSessionOptions & Pick<LiveOptions, 'onConsole' | 'savesItself'>,
): Promise<StartedContainer> {
  const { name, stdin = 'piped', stdout = 'piped', stderr = 'piped', terminal } = options;
  const { signal, onConsole, savesItself } = options;
  if (name !== undefined) checkContainerName(name);
  const opened = await open(file);
  let kept: Keeping | undefined;
  try {
    const { reference, digest, launch: program } = readAbout(opened.header);
    // Before its machine has workers, because these wait for the image.
    const image = await loadExactly(reference, digest, options);
    const source = await sourceOf(name, image, program);
    kept = await source.kept;
    const live = { stdio: { stdin, stdout, stderr }, terminal, signal, onConsole, savesItself };
    return await launch(program, live, async () => ({
      ...source,
      openSession: async () => sessionOf(opened),
    }));
  } catch (error) {
    await opened.close();
    // Without its memory it is nothing.
    await kept?.forget();
    throw error;
  }
}

function sessionOf({ state, fillRam }: OpenedSnapshot) {
  return { ...partsOf(state), fillRam };
}

async function sourceOf(
  name: string | undefined,
  image: LoadedImage,
  launch: LaunchOptions,
): Promise<Source> {
  const disk = randomId();
  const keptDisk = { disk, isDeferred: true };
  if (name === undefined) return { image, keptDisk };
  try {
    const { store } = await containerHost().openKept();
    const kept = await keep(store, { name, disk, image, launch });
    return { image: releasing(image, kept), keptDisk, kept };
  } catch (error) {
    await image.release();
    throw error;
  }
}

async function open(file: SessionFile): Promise<OpenedSnapshot> {
  return openSnapshot(...(await reading(file)));
}

async function reading(file: SessionFile): Promise<Parameters<typeof openSnapshot>> {
  const platform = containerHost().createPlatform(0);
  const emulator = await platform.loadEmulator();
  platform.dismiss?.();
  const { decompress } = await Lz4.create(emulator);
  const stream = file instanceof Blob ? file.stream() : file;
  return [chunks(stream), { lz4: decompress }, versionsOf(emulator)];
}

/** Loads the image with this digest, whatever its tag means by now. */
async function loadExactly(
  reference: string,
  digest: string,
  { credentials, onProgress, signal }: OpenSessionOptions,
): Promise<LoadedImage> {
  const loading = { credentials, onProgress, signal };
  const image = await containerHost().loadImage(reference, loading);
  if (image.digest === digest) return image;
  await image.release();
  return containerHost().loadImage(atDigest(reference, digest), loading);
}

interface About {
  readonly reference: string;
  readonly digest: string;
  readonly launch: LaunchOptions;
}

/** What a header says about a container, which strangers may have written. */
function readAbout({ about, ramBytes }: SnapshotHeader): About {
  const reader = new StateReader(about, 'about');
  return {
    reference: reader.field('reference').text(MAX_TEXT),
    digest: reader.field('digest').text(MAX_TEXT),
    launch: readLaunch(reader.field('launch'), ramBytes),
  };
}

/** Ports of this computer are opened only for who names them here. */
function readLaunch(launch: StateReader, memoryBytes: number): LaunchOptions {
  const cpus = launch.field('cpus').integer(1, MAX_CPUS);
  const text = (name: string) => (launch.has(name) ? launch.field(name).text(MAX_TEXT) : undefined);
  const flag = (name: string) => (launch.has(name) ? launch.field(name).boolean() : undefined);
  const words = (name: string) =>
    launch
      .field(name)
      .list(MAX_WORDS)
      .map((word) => word.text(MAX_TEXT));
  return {
    entrypoint: launch.has('entrypoint') ? words('entrypoint') : undefined,
    args: launch.has('args') ? words('args') : undefined,
    env: words('env'),
    currentDir: text('currentDir'),
    user: text('user'),
    hostname: text('hostname'),
    init: flag('init'),
    devices: words('devices'),
    readOnly: flag('readOnly'),
    tmpfs: words('tmpfs'),
    ports: [],
    cpus,
    memoryBytes,
    diskBytes: launch.field('diskBytes').integer(1, Number.MAX_SAFE_INTEGER),
    // A relay of a stranger is not used.
    network: launch.field('network').raw === 'none' ? 'none' : 'internet',
    terminal: launch.field('terminal').boolean(),
  };
}

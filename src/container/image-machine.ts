import type { KeptDiskDescription } from '../disk/kept-backend.ts';
import { MemoryRefusedError } from '../machine/errors.ts';
import {
  type BootFigures,
  type DiskOptions,
  Machine,
  type MachineState,
  type NetworkOptions,
  type NetworkStatus,
  type Plain,
  type SavedMachine,
  type WritableDisk,
} from '../machine/machine.ts';
import { lessMemory } from '../machine/memory.ts';
import type { Platform } from '../machine/platform/platform.ts';
import type { ImageConfig } from '../oci/image.ts';
import type { HeldImage } from '../oci/pull.ts';
import type { JitMode } from '../options/jit.mjs';
import { checkDiskSize } from '../options/sizes.mjs';
import { BOOTED, COMMAND_LINE, isUsual, openBooted } from './booted.ts';
import { delay } from './delay.ts';
import { giveEmulator, giveEmulatorCode, loadEmulatorDisk } from './emulator.ts';
import { readContainerState } from './session.ts';
import type { SpareMachine } from './spare-machine.ts';

/** What a machine needs of an image, whose layers are in the store until it is released. */
export type RunnableImage = Pick<HeldImage, 'config' | 'layers' | 'release'>;

/** A disk in the store, which the caller owns. */
export type KeptDisk = Omit<KeptDiskDescription, 'kind' | 'store' | 'sizeBytes'>;

/** How long a guest may take to write its files when its machine ends, in ms. */
const POWER_OFF = 10_000;

/** A state of a machine with an image, which may come from a stranger. */
export interface SavedSession {
  readonly state: Plain;
  /** Places the RAM, which is zero. */
  fillRam(ram: Uint8Array): void | Promise<void>;
}

export interface ImageMachineOptions {
  readonly platform: Platform;
  /**
   * The image, or a promise of it, so that the machine boots meanwhile. If the promise rejects, the start
   * fails with the same error. The image is released when the machine has ended, or the start has failed.
   */
  readonly image: RunnableImage | Promise<RunnableImage>;
  /** The store of the image's layers: a folder in Node. Browsers have one store for each origin. */
  readonly store: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly jit?: JitMode | undefined;
  /** The size of the writable disk. */
  readonly diskBytes: number;
  /** The kept disk to write to, in the same store. Without one, the machine writes to memory. */
  readonly keptDisk?: KeptDisk | undefined;
  /** Connects containers to the internet: from Node, or by a relay. */
  readonly network?: NetworkOptions | undefined;
  /** Called when the state of the network changes, and once a second while frames are passed on. */
  readonly onNetwork?: ((status: NetworkStatus) => void) | undefined;
  /** Called when the kept disk cannot be written, and when it can be again. */
  readonly onDiskProblem?: ((problem: string | undefined) => void) | undefined;
  /** Called with the log of the guest's kernel. */
  readonly onConsole?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  /**
   * Called when the host refuses to give the machine its memory, with the bytes that it gets instead. Without
   * this the start fails.
   */
  readonly onLessMemory?: ((memoryBytes: number) => void) | undefined;
  /** Called when the guest's kernel is up. */
  readonly onBoot?: ((figures: BootFigures) => void) | undefined;
  /** The machine goes on from this state, which says its CPUs and its memory. */
  readonly session?: SavedSession | undefined;
  /** A machine that may take the container. `platform.dismiss` ends it if it does not. */
  readonly spare?: SpareMachine | undefined;
  /** Aborts the start: cleans up, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A machine with the disk of an image. */
export interface ImageMachine {
  readonly machine: Machine;
  readonly config: ImageConfig;
  /** Whether its disk can be kept. */
  readonly isKeepable: boolean;
  /**
   * Gives its disk, which was deferred, a place in the store.
   * @throws MachineError when the store is full or cannot be used; the disk then stays in memory
   */
  keepDisk(): Promise<void>;
  /** Stops the machine, one with a kept disk once that is whole, and releases the image. */
  stop(): Promise<void>;
}

/**
 * Boots a machine, and gives it an image.
 * @throws OptionError, MachineError, or the error with which the image's promise rejects
 */
export async function bootImage(options: ImageMachineOptions): Promise<ImageMachine> {
  const image = Promise.resolve(options.image);
  // The first failure of image and machine is reported. The other must not stay unhandled.
  image.catch(() => {});
  try {
    checkDiskSize(options.diskBytes);
    return await boot(options, image);
  } catch (error) {
    options.platform.dismiss?.();
    // The image may still arrive.
    void discard(image);
    throw error;
  }
}

/** Releases an image, also one that has not arrived yet. Its user has ended, so nobody hears of a failure. */
export async function discard(image: RunnableImage | Promise<RunnableImage>): Promise<void> {
  await Promise.resolve(image)
    .then((arrived) => arrived.release())
    .catch(() => {});
}

async function boot(options: ImageMachineOptions, image: Promise<RunnableImage>): Promise<ImageMachine> {
  const { signal, session } = options;
  // A state opens the layers itself, which must be in use then.
  const state = session && readContainerState(session.state, (await image).layers).machine;
  const machine = await (session && state
    ? resumeMachine(options, state, { session, architecture: (await image).config.architecture })
    : startMachine(options));
  // A failed boot is reported through the promise of this function.
  machine.booted.then(options.onBoot).catch(() => {});
  const stop = () => void machine.stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    const { config, layers } = await Promise.race([image, machine.failure()]);
    if (!session)
      await Promise.all([
        machine.openImage(layers),
        giveEmulator(machine, options.platform, config.architecture),
      ]);
    const released = machine.exit.then(
      () => discard(image),
      () => discard(image),
    );
    const { keptDisk } = options;
    let isKept = keptDisk !== undefined && keptDisk.isDeferred !== true;
    const keepDisk = async () => {
      await machine.keepDisk();
      isKept = true;
    };
    const stopAndRelease = async () => {
      if (isKept && !machine.isSuspended) await powerOff(machine);
      await machine.stop();
      await released;
    };
    return { machine, config, isKeepable: keptDisk !== undefined, keepDisk, stop: stopAndRelease };
  } catch (error) {
    await machine.stop();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Lets the guest write its files and unmount its disk. One that hangs loses what it has not synced. */
async function powerOff(machine: Machine): Promise<void> {
  machine.powerOff();
  const overdue = new AbortController();
  await Promise.race([machine.exit, delay(POWER_OFF, overdue.signal)]);
  overdue.abort();
}

async function resumeMachine(
  options: ImageMachineOptions,
  state: MachineState,
  { session, architecture }: { readonly session: SavedSession; readonly architecture: string },
): Promise<Machine> {
  options.spare?.stop();
  const { platform, signal } = options;
  const [emulator, content] = await Promise.all([
    platform.loadEmulator(),
    loadEmulatorDisk(platform, architecture),
  ]);
  signal?.throwIfAborted();
  const { fillRam } = session;
  const machine = await Machine.start(platform, {
    ...commonOptions(options, content),
    emulator,
    state,
    fillRam,
  });
  void giveEmulatorCode(machine, platform, architecture);
  return machine;
}

/** The devices of the machine, and its compiler. */
function commonOptions(options: ImageMachineOptions, emulator?: Uint8Array) {
  const { jit, store, network, onNetwork, onDiskProblem, onConsole } = options;
  const disks: DiskOptions[] = [
    { kind: 'image', store },
    writableDisk(options),
    { kind: 'emulator', content: emulator },
  ];
  return { ...(jit && { jit }), disks, network, onNetwork, onDiskProblem, ...(onConsole && { onConsole }) };
}

function writableDisk({ store, keptDisk, diskBytes }: ImageMachineOptions): WritableDisk {
  if (keptDisk === undefined) return { kind: 'scratch', sizeBytes: diskBytes };
  return { kind: 'kept', store, ...keptDisk, sizeBytes: diskBytes };
}

/** Takes the spare machine, or goes on from the saved one, if it can, and boots otherwise. */
async function startMachine(options: ImageMachineOptions): Promise<Machine> {
  const { platform, signal, spare } = options;
  const taken = await spare?.take({ ...options, disk: writableDisk(options) });
  if (taken) {
    // It has workers of its own.
    platform.dismiss?.();
    return taken;
  }
  const emulator = await platform.loadEmulator();
  const booted = isUsual(options) ? await findBooted(platform, emulator) : undefined;
  signal?.throwIfAborted();
  const going = booted && Machine.start(platform, { ...commonOptions(options), emulator, ...booted });
  const machine = await going?.catch(() => undefined);
  return machine ?? bootMachine(options, emulator);
}

/** The saved machine, if it is there and whole. A boot reports what is wrong with the server, too. */
async function findBooted(
  platform: Platform,
  emulator: WebAssembly.Module,
): Promise<SavedMachine | undefined> {
  try {
    if (platform.openBooted) return await platform.openBooted(emulator);
    return await openBooted(await platform.loadFile(BOOTED), emulator);
  } catch {
    return undefined;
  }
}

async function bootMachine(options: ImageMachineOptions, emulator: WebAssembly.Module): Promise<Machine> {
  const { platform, cpus } = options;
  const [kernel, initrd] = await Promise.all([
    platform.loadFile(cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    platform.loadFile('kernel/initramfs.cpio'),
  ]);
  options.signal?.throwIfAborted();
  const common = { emulator, kernel, initrd, cpus, commandLine: COMMAND_LINE, ...commonOptions(options) };
  return withMemory(options, (memoryBytes) => Machine.start(platform, { ...common, memoryBytes }));
}

/** Starts a machine with as much memory as the host gives it, if its owner wants to hear of that. */
async function withMemory(
  { memoryBytes, onLessMemory }: ImageMachineOptions,
  start: (memoryBytes: number) => Promise<Machine>,
): Promise<Machine> {
  for (let bytes = memoryBytes; ; )
    try {
      const machine = await start(bytes);
      if (bytes < memoryBytes) onLessMemory?.(bytes);
      return machine;
    } catch (error) {
      const less = error instanceof MemoryRefusedError && onLessMemory ? lessMemory(bytes) : undefined;
      if (less === undefined) throw error;
      bytes = less;
    }
}

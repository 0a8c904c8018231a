/**
 * The machine that most containers have, as it is after its boot. The set-up saves it, and machines that are
 * like it start from there.
 */
import { PROTOCOL_VERSION } from '../machine/agent-codes.ts';
import { StateError } from '../machine/errors.ts';
import {
  Machine,
  type MachineState,
  type NetworkOptions,
  type Plain,
  type SavedMachine,
} from '../machine/machine.ts';
import { allocateMemory, guestRam } from '../machine/memory.ts';
import type { Platform } from '../machine/platform/platform.ts';
import { savedPlan } from '../machine/saved-blocks.ts';
import { StateReader } from '../machine/state.ts';
import { openSnapshot, type Versions, writeSnapshot } from '../snapshot/file.ts';
import type { Compressor } from '../snapshot/sections.ts';
import { buildOf, RELEASE } from '../snapshot/versions.ts';
import { loadZstd } from '../snapshot/zstd.ts';

/** The saved machine, below the folder of the kernels. */
export const BOOTED = 'kernel/booted';
export const COMMAND_LINE = 'quiet';

const CPUS = 1;
const MEMORY_BYTES = 512 << 20;
/** The size of its writable disk. */
export const DISK_BYTES = 2 ** 30;
/** The pages of all RAM, which are compressed together. */
const ALL_PAGES = MEMORY_BYTES / 4096;

/**
 * Overwrites free memory with zeros, which the file omits. Freed pages keep their bytes, such as those of the
 * initial RAM disk. A temporary file system takes half of the memory; a rest of 6 MiB keeps the kernel going.
 */
const WIPE = `
  free() { awk '/MemFree/ { print int($2 / 1024) - 6 }' /proc/meminfo; }
  for folder in /run /tmp; do
    dd if=/dev/zero of=$folder/zeros bs=1M count=$(free) 2>/dev/null
  done
  rm /run/zeros /tmp/zeros`;

/** What decides about the devices and the memory of a machine. */
export interface MachineKind {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly network?: NetworkOptions | undefined;
}

export interface BootedMachine extends SavedMachine {
  /** Its memory in ranges instead, of `src/snapshot/pages.ts`. */
  ranges(): AsyncIterable<Uint8Array>;
}

/** Whether a machine is like the saved one. A relay of others needs another network card. */
export function isUsual({ cpus, memoryBytes, network }: MachineKind): boolean {
  return cpus === CPUS && memoryBytes === MEMORY_BYTES && !!network && network.relay?.kind !== 'foreign';
}

/**
 * Opens the saved machine.
 * @param emulator the core that it is to run on
 * @throws MachineError if the file is damaged, or belongs to another core or agent
 */
export async function openBooted(file: Uint8Array, emulator: WebAssembly.Module): Promise<BootedMachine> {
  const { header, state, fillRam, ranges } = await openSnapshot(stream(file), { zstd: await loadZstd() });
  const about = new StateReader(header.about, 'about');
  if (header.versions.core !== buildOf(emulator)) throw new StateError('it belongs to another core');
  if (about.field('protocol').integer(0, 1000) !== PROTOCOL_VERSION)
    throw new StateError('it belongs to another agent');
  return { state: state as unknown as MachineState, fillRam, ranges };
}

/** Places the memory of a saved machine, so that a machine starts from it at once. @throws MachineError */
export async function placeBooted({ state, fillRam }: SavedMachine): Promise<SavedMachine> {
  const plan = savedPlan(state);
  const memory = allocateMemory(plan);
  await fillRam(guestRam(memory, plan));
  return { state, memory, fillRam() {} };
}

async function* stream(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield file;
}

/**
 * Boots the machine and saves it.
 * @param guest the hashes of the kernel and the initial RAM disk
 * @returns the file in pieces, each valid until the next one is asked for
 */
export async function* saveBooted(
  platform: Platform,
  guest: Omit<Versions, 'core'>,
  compressor: Compressor,
): AsyncGenerator<Uint8Array> {
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile('kernel/Image'),
    platform.loadFile('kernel/initramfs.cpio'),
  ]);
  const machine = await Machine.start(platform, {
    emulator,
    kernel,
    initrd,
    cpus: CPUS,
    memoryBytes: MEMORY_BYTES,
    commandLine: COMMAND_LINE,
    disks: [{ kind: 'image', store: '' }, { kind: 'scratch', sizeBytes: DISK_BYTES }, { kind: 'emulator' }],
    network: { relay: { kind: 'off', reason: 'it is saved' } },
  });
  try {
    // The agent is there when a process has run.
    const status = await machine.run({ args: ['/bin/busybox', 'sh', '-c', WIPE] }).exit;
    if (status !== 0) throw new Error(`free memory cannot be overwritten: status ${status}`);
    const { state, ram } = await machine.suspend();
    const header = {
      release: RELEASE,
      versions: { core: buildOf(emulator), ...guest },
      ramBytes: MEMORY_BYTES,
      created: 0,
      about: { protocol: PROTOCOL_VERSION },
    };
    yield* writeSnapshot({ header, state: withoutDisks(state), ram }, compressor, ALL_PAGES);
  } finally {
    await machine.stop();
  }
}

/** Other machines have disks of their own, which the guest has not used yet. */
function withoutDisks({ devices, ...state }: MachineState): Plain {
  const isBlock = (device: Plain) => (device as { kind?: Plain }).kind === 'block';
  const bare = (devices as SavedBlockDevice[]).map((device) =>
    isBlock(device) ? { ...device, state: { ...device.state, own: { disk: null } } } : device,
  );
  return { ...state, devices: bare } as unknown as Plain;
}

type SavedBlockDevice = { readonly kind: string; readonly state: { readonly [name: string]: Plain } };

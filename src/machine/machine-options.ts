import {
  MODE_FIRMWARE,
  MODE_ICOUNT,
  MODE_JIT,
  MODE_JIT_ALL,
  VIRTIO_SLOTS,
} from '../../emulator-wasm/layout.ts';
import type { DiskOptions } from '../disk/disks.ts';
import type { NetworkOptions, NetworkStatus } from '../network/network.ts';
import type { JitMode } from '../options/jit.mjs';
import type { ContainerRequest, ExecRequest, ProcessRequest } from './agent-requests.ts';
import type { DeviceOptions } from './devices/index.ts';
import { MachineError } from './errors.ts';
import { type MemoryPlan, planMemory } from './memory.ts';
import { diskSerial, type LinuxGuest, type MachineStart } from './protocol.ts';
import { savedFirmware, savedPlan } from './saved-blocks.ts';
import type { SavedMachine } from './state.ts';

const CONSOLE_COMMAND_LINE = 'console=hvc0';

const JIT_MODES: Record<JitMode, number> = { hot: MODE_JIT, off: 0, all: MODE_JIT | MODE_JIT_ALL };

export interface MachineOptions {
  /** The compiled emulator.wasm. */
  readonly emulator: WebAssembly.Module;
  /** 1 to MAX_HARTS. More than one needs a kernel with SMP. */
  readonly cpus: number;
  /** Guest RAM, a multiple of 4096. */
  readonly memoryBytes: number;
  /** For reproducible runs: time is the instruction count, and the random seed is fixed. */
  readonly icount?: boolean;
  /**
   * Receives what the guest writes to its console: hvc0, SBI debug console and UART. While a promise that it
   * returned is pending, the guest waits. Without `onConsole`, output is dropped.
   */
  readonly onConsole?: (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>;
  /**
   * Which code is compiled: hot code (the default, except in reproducible or traced runs), none, or, for
   * tests, all code when it is first executed.
   */
  readonly jit?: JitMode;
  /** Receives a line for each instruction, in the same way as `onConsole`. The machine becomes very slow. */
  readonly onTrace?: (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>;
}

export interface LinuxOptions extends MachineOptions {
  /** An uncompressed RISC-V Image. */
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  /** Appended to the command line. */
  readonly commandLine?: string;
  readonly disks?: readonly DiskOptions[];
  /** The network card; by default there is none. Reproducible runs ignore it. */
  readonly network?: NetworkOptions | undefined;
  /** Called when the state of the network changes, and once a second while frames are passed on. */
  readonly onNetwork?: ((status: NetworkStatus) => void) | undefined;
  /** Called when a kept disk cannot be written, such as when the store is full, and when it can be again. */
  readonly onDiskProblem?: ((problem: string | undefined) => void) | undefined;
}

/** A machine that goes on where another one was suspended, with the same devices. */
export type ResumeOptions = SavedMachine &
  Omit<LinuxOptions, 'kernel' | 'initrd' | 'commandLine' | 'cpus' | 'memoryBytes' | 'icount' | 'onTrace'>;

export interface BareMetalOptions extends MachineOptions {
  /** An ELF64 executable for RISC-V. */
  readonly elf: Uint8Array;
}

export type ContainerOptions = Omit<ContainerRequest, keyof ProcessRequest>;
export type ExecOptions = Omit<ExecRequest, keyof ProcessRequest | 'container'>;

export type StartOptions = LinuxOptions | BareMetalOptions | ResumeOptions;

/** What differs between the kinds of machines. */
export interface Setup {
  readonly guest: MachineStart['guest'];
  /** In the order of their slots. */
  readonly devices: readonly DeviceOptions[];
  readonly plan: MemoryPlan;
  /** MODE_* bits. */
  readonly mode: number;
  readonly onTrace?: MachineOptions['onTrace'];
  readonly memory?: WebAssembly.Memory | undefined;
}

export function setupOf(options: StartOptions): Setup {
  if ('state' in options) {
    const { state } = options;
    const isLinux = savedFirmware(state);
    return {
      guest: { kind: 'suspended', state },
      memory: options.memory,
      devices: isLinux ? devicesOf(options) : [],
      plan: savedPlan(state),
      mode: (isLinux ? MODE_FIRMWARE : 0) | JIT_MODES[options.jit ?? 'hot'],
    };
  }
  const { icount, onTrace } = options;
  const isLinux = 'kernel' in options;
  return {
    guest: isLinux ? linuxGuest(options) : { kind: 'elf', file: options.elf },
    devices: isLinux ? devicesOf(options) : [],
    plan: planMemory(options.cpus, options.memoryBytes),
    mode:
      (isLinux ? MODE_FIRMWARE : 0) |
      (icount ? MODE_ICOUNT : 0) |
      JIT_MODES[icount || onTrace ? 'off' : (options.jit ?? 'hot')],
    onTrace,
  };
}

function linuxGuest({ kernel, initrd, commandLine = '' }: LinuxOptions): LinuxGuest {
  return { kind: 'linux', kernel, initrd, commandLine: `${CONSOLE_COMMAND_LINE} ${commandLine}`.trim() };
}

/** The devices of a Linux machine, in the order of their slots. */
function devicesOf({
  disks = [],
  icount,
  network,
}: Pick<LinuxOptions, 'disks' | 'icount' | 'network'>): DeviceOptions[] {
  for (const disk of disks) {
    if ('data' in disk && disk.data.length % 512 !== 0)
      throw new MachineError('a disk is a whole number of 512-byte sectors');
  }
  const fixed: DeviceOptions[] = [{ kind: 'console' }, { kind: 'vsock' }];
  if (!icount) fixed.push({ kind: 'rng' });
  fixed.push({ kind: 'fs' });
  if (network && !icount) fixed.push({ kind: 'net', network });
  const room = VIRTIO_SLOTS - fixed.length;
  if (disks.length > room) throw new MachineError(`a machine has at most ${room} disks, not ${disks.length}`);
  return [
    ...fixed,
    ...disks.map((disk, index) => ({ kind: 'block', serial: diskSerial(index), disk }) as const),
  ];
}

/** Messages between the threads of a machine. All are structured-cloneable. */
import type { WritableDisk } from '../disk/disks.ts';
import type { FolderOptions } from '../folders/folder-options.ts';
import type { NetworkStatus } from '../network/network.ts';
import type { Usage } from './agent-messages.ts';
import type { DeviceOptions } from './devices/index.ts';
import type { PackedError } from './errors.ts';
import type { CodeBuffers } from './image-code.ts';
import type { MemoryPlan } from './memory.ts';
import type { MachineState } from './state.ts';
import type { StreamMessage } from './stream-mux.ts';
import type { TerminalSize } from './terminal-size.ts';

/** Names of the streams between page and machine worker. */
export const CONSOLE_OUTPUT = 'console/output';
export const CONSOLE_INPUT = 'console/input';
export const TRACE_OUTPUT = 'trace';
/** @param descriptor 0, 1, 2, or 3 for the agent's messages about a container or a file of it */
export function processStream(process: number, descriptor: number): string {
  return `process/${process}/${descriptor}`;
}
export function isProcessStream(stream: string): boolean {
  return stream.startsWith('process/');
}
/** Both directions of a connection to a server in the guest. */
export function connectionStream(connection: number): string {
  return `connection/${connection}`;
}

export interface LinuxGuest {
  readonly kind: 'linux';
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array | undefined;
  readonly commandLine: string;
}

/** A bare-metal program, started in M-mode on all harts. */
export interface ElfGuest {
  readonly kind: 'elf';
  readonly file: Uint8Array;
}

/** A machine that was suspended, whose RAM the owner fills in while the workers start. */
export interface SuspendedGuest {
  readonly kind: 'suspended';
  readonly state: MachineState;
}

interface CommonStart {
  readonly memory: WebAssembly.Memory;
  /** An `OutputRing`. */
  readonly output: SharedArrayBuffer;
  /** A word: the last value of the machine worker's doorbell that the devices have seen. */
  readonly served: SharedArrayBuffer;
  /** Machine start as `monotonicNow`. */
  readonly epoch: number;
  /** The word of `machineClock` that several harts share. */
  readonly latestTime: SharedArrayBuffer | undefined;
  /** For reproducible runs: no randomness, and a hart that rings the doorbell waits for the devices. */
  readonly deterministic: boolean;
  readonly trace: boolean;
}

/** The first message to the machine worker. */
export interface MachineStart extends CommonStart {
  readonly role: 'machine';
  readonly plan: MemoryPlan;
  readonly guest: LinuxGuest | ElfGuest | SuspendedGuest;
  /** In the order of their slots. */
  readonly devices: readonly DeviceOptions[];
  /** Those of the translator, if it compiles hot code. */
  readonly code: CodeBuffers | undefined;
  readonly port: MessagePort;
  readonly harts: readonly MessagePort[];
}

/** The first message to a hart worker. */
export interface HartStart extends CommonStart {
  readonly role: 'hart';
  readonly hart: number;
  readonly emulator: WebAssembly.Module;
  readonly port: MessagePort;
  /** From the translator, if there is one. */
  readonly translations: MessagePort | undefined;
}

/** The first message to the translator. */
export interface TranslatorStart {
  readonly role: 'translator';
  readonly memory: WebAssembly.Memory;
  readonly emulator: WebAssembly.Module;
  readonly harts: readonly MessagePort[];
  readonly code: CodeBuffers | undefined;
}

/** The first message to the worker of shared folders. */
export interface FoldersStart {
  readonly role: 'folders';
  readonly memory: WebAssembly.Memory;
  /** From the machine's worker, from which the device moves here. */
  readonly port: MessagePort;
  /** To the machine's `LockHolder`. */
  readonly locks: MessagePort;
}

export type WorkerStart = MachineStart | HartStart | TranslatorStart | FoldersStart;

export type ToMachine =
  | StreamMessage
  /**
   * @param message the agent protocol's RUN, CONTAINER, EXEC, FORWARD, or a request for a file
   * @param tokens those in the message
   * @param outputs descriptors of the streams that come from it; none for a process on the console
   */
  | {
      type: 'run';
      process: number;
      tokens: Uint8Array;
      outputs: readonly number[] | undefined;
      message: Uint8Array;
    }
  | { type: 'signal'; process: number; signal: number }
  | { type: 'stop-process'; process: number; signal: number }
  /** Kills a further process of a container and its descendants. */
  | { type: 'kill-all'; process: number; container: string }
  | { type: 'resize-process'; process: number; size: TerminalSize }
  /** @param container its name; `usage` answers, in the same order */
  | { type: 'measure'; container: string }
  /** The guest will open a connection by that token; `connected` answers, and `connectionStream` follows. */
  | { type: 'expect-connection'; connection: number; token: Uint8Array }
  | { type: 'forget-connection'; token: Uint8Array }
  /** The worker of shared folders is at the other end. */
  | { type: 'folders'; port: MessagePort }
  /** Compiled code that belongs to no image, see `shipPack`. */
  | { type: 'code'; file: Uint8Array }
  /** Shares a folder with the guest. Folders have the numbers of their order. */
  | { type: 'share'; folder: FolderOptions; readOnly: boolean }
  /** `disk-done` or `disk-failed` answers, in the same order. */
  | { type: 'disk'; request: DiskRequest }
  | { type: 'resize'; size: TerminalSize }
  | { type: 'power-off' }
  /** The RAM of a `SuspendedGuest` is in place. */
  | { type: 'ram-filled' }
  /** `suspended` or `suspend-failed` answers. */
  | { type: 'suspend' }
  /** Ends the suspension. */
  | { type: 'proceed' }
  /** Closes the network of a suspended machine, which does not go on; `disconnected` answers. */
  | { type: 'disconnect' }
  /** Stores what was compiled; `code-saved` answers. */
  | { type: 'save-code' };

export type DiskRequest =
  /** Gives the disk of kind `image` its layers: diffIDs, the lowest first. */
  | { readonly kind: 'open-image'; readonly layers: readonly string[] }
  /** Chooses the disk of kind `late`. */
  | { readonly kind: 'open-late'; readonly disk: WritableDisk }
  /** Gives the disk of kind `emulator` its content. */
  | { readonly kind: 'open-emulator'; readonly content: Uint8Array }
  /** Gives a deferred disk its file. */
  | { readonly kind: 'keep' }
  /** @param before the first checkpoint that stays; none does without it */
  | { readonly kind: 'drop-checkpoints'; readonly before?: number | undefined };

export type ExitReason = 'poweroff' | 'reboot' | 'fail' | 'call' | 'stop';

export interface MachineExit {
  readonly reason: ExitReason;
  /** The code that the guest gave with `fail`, the number of the system call with `call`, otherwise 0. */
  readonly code: number;
  /** Host time for which the harts ran, that of the longest. */
  readonly seconds: number;
}

/** By which the guest finds the disk of this index among the machine's. */
export const diskSerial = (index: number): string => `disk${index}`;

/** PID 1's first line on the console. */
export const INIT_STARTED = 'LinuxRun: init started';

/** How long it took until the kernel was up. */
export interface BootFigures {
  /** Instructions that all CPUs have run since the kernel's entry, also before they were saved. */
  readonly instructions: number;
  /** Since the machine was started. */
  readonly seconds: number;
}

export function describeExit({ reason, code }: MachineExit): string {
  switch (reason) {
    case 'poweroff':
      return 'the guest has powered off';
    case 'reboot':
      return 'the guest panicked, or asked for a reboot';
    case 'fail':
      return `the guest failed with code ${code}`;
    case 'call':
      return (
        `the guest made system call ${code} of HTIF, which this machine does not serve: ` +
        'write to the UART or to HTIF’s console, and end by tohost or the test finisher'
      );
    case 'stop':
      return 'the machine was stopped';
  }
}

export type FromMachine =
  | StreamMessage
  | { type: 'started' }
  /** Code is hot in a hart, for the first time, or the translator has stored code to read. */
  | { type: 'hot' }
  | { type: 'booted'; figures: BootFigures }
  | { type: 'process-started'; process: number }
  | { type: 'process-exit'; process: number; status: number }
  | { type: 'process-failed'; process: number; reason: string }
  | { type: 'usage'; usage: Usage }
  | { type: 'network'; status: NetworkStatus }
  | { type: 'connected'; connection: number }
  | { type: 'disk-problem'; problem: string | undefined }
  | { type: 'disk-done' }
  | { type: 'disk-failed'; error: PackedError }
  /** All harts are paused, and nothing changes guest RAM until `proceed`. */
  | { type: 'suspended'; state: Omit<MachineState, 'owner'> }
  /** The machine goes on. */
  | { type: 'suspend-failed'; error: PackedError }
  | { type: 'disconnected' }
  | { type: 'code-saved' }
  | { type: 'exit'; exit: MachineExit };

export type HartStartingPoint =
  | { type: 'reset'; pc: bigint; privilege: number; argument: bigint }
  /** The registers in the hart's block. */
  | { type: 'resume' };

export type ToHart =
  | HartStartingPoint
  /** Until the machine stops or the hart is paused (REQUEST_PAUSE); when tracing, for a while. */
  | { type: 'run' };

export type FromHart =
  /** It is reset, or has taken over its registers. */
  | { type: 'ready' }
  /** @param server SERVER_*: the thread that cannot watch its doorbell */
  | { type: 'doorbell'; server: number }
  /** Code is hot, for the first time. */
  | { type: 'hot' }
  | { type: 'trace'; text: string }
  /** Waits for another `run`, after a part of the trace. */
  | { type: 'traced' }
  /** Waits for another `run`, because of REQUEST_PAUSE. */
  | { type: 'paused' }
  /** @param power POWER_* */
  | { type: 'halted'; power: number; seconds: number };

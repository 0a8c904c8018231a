import {
  type DiskOptions,
  Machine,
  type NetworkOptions,
  type NetworkStatus,
  type SavedMachine,
  type WritableDisk,
} from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import type { JitMode } from '../options/jit.mjs';
import { DISK_BYTES, isUsual, type MachineKind } from './booted.ts';
import { giveEmulator } from './emulator.ts';

/** What a container asks of its machine. */
export interface MachineRequest extends MachineKind {
  readonly jit?: JitMode | undefined;
  readonly store: string;
  readonly disk: WritableDisk;
  readonly onNetwork?: ((status: NetworkStatus) => void) | undefined;
  readonly onDiskProblem?: ((problem: string | undefined) => void) | undefined;
  readonly onConsole?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
}

type Listeners = Pick<MachineRequest, 'onNetwork' | 'onDiskProblem' | 'onConsole'>;

export interface SpareOptions {
  /** Its machine gets workers of its own. */
  readonly platform: Platform;
  /** The saved machine, with its memory in place. */
  readonly saved: Promise<SavedMachine>;
  /** The store of images and disks: a folder in Node. */
  readonly store: string;
  readonly network: NetworkOptions;
}

/**
 * The usual machine, which has gone on from its saved state before a container is wanted. It has neither
 * image nor disk, and runs nothing but PID 1, which waits.
 */
export class SpareMachine {
  readonly #options: SpareOptions;
  /** Undefined once it is taken or stopped. */
  #machine: Promise<Machine> | undefined;
  #listeners: Listeners = {};
  #status: NetworkStatus | undefined;

  constructor(options: SpareOptions) {
    this.#options = options;
    this.#machine = this.#start();
    // Whoever takes it starts another machine.
    this.#machine.catch(() => {});
  }

  /** Gives the machine to a container, if it is as the container wants it. Otherwise it ends. */
  async take(request: MachineRequest): Promise<Machine | undefined> {
    if (!this.#suits(request)) this.stop();
    const starting = this.#machine;
    this.#machine = undefined;
    const machine = await starting?.catch(() => undefined);
    if (!machine) return undefined;
    this.#listeners = request;
    if (this.#status) request.onNetwork?.(this.#status);
    // The container waits for its image, which is opened after it.
    machine.openDisk(request.disk).catch(() => {});
    return machine;
  }

  /** Opens a stored image in advance. Its layers may be evicted, because a container opens its own image. */
  expect(layers: readonly string[], architecture: string): void {
    this.#machine?.then((machine) => machine.openImage(layers)).catch(() => {});
    this.expectPrograms(architecture);
  }

  /** Loads what the programs of a processor need in advance. */
  expectPrograms(architecture: string): void {
    const { platform } = this.#options;
    this.#machine?.then((machine) => giveEmulator(machine, platform, architecture)).catch(() => {});
  }

  /** Ends the machine, unless a container has it. */
  stop(): void {
    this.#machine?.then((machine) => machine.stop()).catch(() => {});
    this.#machine = undefined;
    this.#options.platform.dismiss?.();
  }

  #suits(request: MachineRequest): boolean {
    const { store, network } = this.#options;
    return (
      isUsual(request) &&
      request.jit === undefined &&
      request.disk.sizeBytes === DISK_BYTES &&
      request.store === store &&
      JSON.stringify(request.network) === JSON.stringify(network)
    );
  }

  async #start(): Promise<Machine> {
    const { platform, saved, store, network } = this.#options;
    const [emulator, booted] = await Promise.all([platform.loadEmulator(), saved]);
    const disks: DiskOptions[] = [
      { kind: 'image', store },
      { kind: 'late', sizeBytes: DISK_BYTES },
      { kind: 'emulator' },
    ];
    const machine = await Machine.start(platform, {
      ...{ emulator, ...booted, disks, network },
      onNetwork: (status) => {
        this.#status = status;
        this.#listeners.onNetwork?.(status);
      },
      onDiskProblem: (problem) => this.#listeners.onDiskProblem?.(problem),
      onConsole: (bytes) => this.#listeners.onConsole?.(bytes),
    });
    machine.startTranslator();
    const forget = () => {
      this.#machine = undefined;
    };
    machine.exit.then(forget, forget);
    return machine;
  }
}

import { MODE_ICOUNT } from '../../emulator-wasm/layout.ts';
import type { WritableDisk } from '../disk/disks.ts';
import { type FolderOptions, portsOf } from '../folders/folder-options.ts';
import { chunks } from '../streams/chunks.ts';
import type { Usage } from './agent-messages.ts';
import { monotonicNow } from './clock.ts';
import { type Deferred, deferred } from './deferred.ts';
import { DiskRequests } from './disk-requests.ts';
import { MachineError, unpackError } from './errors.ts';
import { FileRequests } from './file-requests.ts';
import { type Connection, Forwarders, type Listening } from './forwarders.ts';
import type {
  ConsoleProcess,
  ContainerHandle,
  ContainerProcess,
  FirstProcess,
  GuestProcess,
} from './guest-process.ts';
import { instructionsRetired } from './hart-words.ts';
import { type JitStats, jitStats } from './jit-stats.ts';
import {
  type ContainerOptions,
  type ExecOptions,
  type LinuxOptions,
  type MachineOptions,
  type ResumeOptions,
  type StartOptions,
  setupOf,
} from './machine-options.ts';
import { createMemory, guestRam, type MemoryPlan } from './memory.ts';
import type { Platform } from './platform/platform.ts';
import type { PortChange } from './port-watch.ts';
import { Processes, type Resumed, type RunOptions } from './processes.ts';
import {
  type BootFigures,
  CONSOLE_INPUT,
  CONSOLE_OUTPUT,
  describeExit,
  type FromMachine,
  isProcessStream,
  type MachineExit,
  type ToMachine,
  TRACE_OUTPUT,
} from './protocol.ts';
import type { MachineState } from './state.ts';
import { StreamMux } from './stream-mux.ts';
import { SuspendedMachine } from './suspended-machine.ts';
import { Workers } from './workers.ts';

export type { DiskOptions, WritableDisk } from '../disk/disks.ts';
export type { NetworkOptions, NetworkStatus, RelayOptions } from '../network/network.ts';
export type { Refusal, RefusalReason } from '../network/refusal.ts';
export type { RelayLimit } from '../network/relay-protocol.ts';
export type { Usage } from './agent-messages.ts';
export type { ContainerDisks, ContainerEmulator } from './agent-requests.ts';
export type { FileChange, FileStatus, FileType, FolderEntry } from './file-records.ts';
export type { FileReading, FileRequests, FileTask, FileWriting } from './file-requests.ts';
export type { Connection, Listening } from './forwarders.ts';
export type {
  ConsoleProcess,
  ContainerHandle,
  ContainerProcess,
  FirstProcess,
  GuestProcess,
} from './guest-process.ts';
export type { JitStats } from './jit-stats.ts';
export type {
  BareMetalOptions,
  ContainerOptions,
  ExecOptions,
  LinuxOptions,
  MachineOptions,
  ResumeOptions,
  StartOptions,
} from './machine-options.ts';
export type { PortChange } from './port-watch.ts';
export type { Resumed, RunOptions } from './processes.ts';
export {
  type BootFigures,
  describeExit,
  diskSerial,
  type ElfGuest,
  type ExitReason,
  type MachineExit,
} from './protocol.ts';
export type { MachineState, Plain, SavedMachine } from './state.ts';
export type { SuspendedMachine } from './suspended-machine.ts';

/** The length of the log that errors carry. */
const LOG_LENGTH = 4096;
/** Bytes that a process may leave in each stream: those that fit into the guest's buffers are less. */
const MOST_LEFT = 4 << 20;

/** How long the network of a suspended machine may take to close, and compiled code to be stored, in ms. */
const STOP_PATIENCE = 1000;

export interface MachineStats {
  /** Instructions retired by each hart since the machine was started or resumed. */
  readonly instructions: readonly number[];
  readonly jit: JitStats;
  /** Since the machine was started. */
  readonly seconds: number;
}

/** A virtual machine, seen from the thread that started it. */
export class Machine {
  /** How the machine ended. Rejects when a part of the emulator fails. */
  readonly exit: Promise<MachineExit>;
  /** Resolves when PID 1 starts; rejects when the machine ends before that. */
  readonly booted: Promise<BootFigures>;
  /** What goes on, if the machine was started from a state. */
  readonly resumed: Resumed | undefined;
  /** Those of its containers. */
  readonly files: FileRequests;

  readonly #plan: MemoryPlan;
  readonly #canSuspend: boolean;
  #memory: WebAssembly.Memory | undefined;
  readonly #epoch = monotonicNow();
  readonly #port: MessagePort;
  readonly #mux: StreamMux;
  readonly #workers: Workers;
  readonly #processes: Processes;
  readonly #forwarders: Forwarders;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  /** Settles when `onConsole` and `onTrace` have taken everything. */
  readonly #outputTaken: Promise<unknown>;
  readonly #onNetwork: LinuxOptions['onNetwork'];
  readonly #onDiskProblem: LinuxOptions['onDiskProblem'];
  #emulator: { readonly name: string; readonly opened: Promise<void> } | undefined;
  readonly #disk = new DiskRequests((request) => this.#post({ type: 'disk', request }));
  readonly #log = new LogTail();
  #shares = 0;
  /** Resolves when the guest runs, at first or again. */
  #started = deferred<void>();
  /** While a suspension is requested, and until it ends. */
  #suspension: Deferred<MachineState> | undefined;
  readonly #disconnected = deferred<void>();
  readonly #codeSaved = deferred<void>();
  readonly #booted = deferred<BootFigures>();
  readonly #exit = deferred<MachineExit>();
  /** Settles when everything is shut down. */
  #ending: Promise<void> | undefined;
  #finalStats: MachineStats | undefined;
  /** Instructions that each hart had retired before the machine was resumed. */
  #retiredBefore: readonly number[] | undefined;

  /**
   * Resolves when the guest runs its first instruction.
   * @throws MachineError when the guest's files or the options are at fault; StateError when no machine can
   *   have been in the state
   */
  static async start(platform: Platform, options: StartOptions): Promise<Machine> {
    const machine = new Machine(platform, options);
    await machine.#started.promise;
    return machine;
  }

  private constructor(platform: Platform, options: StartOptions) {
    this.exit = this.#exit.promise;
    this.booted = this.#booted.promise;
    // Owners that do not wait for these promises do not want their errors either.
    this.exit.catch(() => {});
    this.booted.catch(() => {});

    const setup = setupOf(options);
    this.#onNetwork = 'onNetwork' in options ? options.onNetwork : undefined;
    this.#onDiskProblem = 'onDiskProblem' in options ? options.onDiskProblem : undefined;
    this.#plan = setup.plan;
    this.#canSuspend = !setup.onTrace && (setup.mode & MODE_ICOUNT) === 0;
    this.#memory = createMemory(this.#plan, setup.mode, setup.memory);

    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#mux = new StreamMux((message, transfer) => port1.postMessage(message, transfer));
    port1.onmessage = ({ data }: MessageEvent<FromMachine>) => this.#receive(data);
    this.#processes = new Processes(this.#mux, (message) => this.#post(message));
    this.files = new FileRequests(this.#processes);
    this.#forwarders = new Forwarders(this.#processes, this.#mux, (message) => this.#post(message));
    this.#input = this.#mux.writable(CONSOLE_INPUT).getWriter();
    this.#outputTaken = Promise.all([
      this.#consume(CONSOLE_OUTPUT, (bytes) => {
        this.#log.add(bytes);
        return options.onConsole?.(bytes);
      }),
      this.#consume(TRACE_OUTPUT, setup.onTrace),
    ]);
    if ('state' in options) this.resumed = this.#processes.resume(options.state.owner);
    this.#workers = new Workers(platform, {
      ...{ emulator: options.emulator, memory: this.#memory, setup, epoch: this.#epoch, port: port2 },
      onFailure: (error) => this.#fail(error),
    });
    if ('fillRam' in options) void this.#fillRam(options);
  }

  async #fillRam({ fillRam }: ResumeOptions): Promise<void> {
    try {
      await fillRam(this.ram);
      this.#post({ type: 'ram-filled' });
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Starts the thread that compiles code, which otherwise starts when code is hot. */
  startTranslator(): void {
    if (!this.#ending) this.#workers.startTranslator();
  }

  /** Sends input to the guest's console; resolves when the guest is ready for more. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#input.write(bytes);
  }

  /** Tells the guest the size of the console, in characters. */
  resize(columns: number, rows: number): void {
    this.#post({ type: 'resize', size: { columns, rows } });
  }

  /**
   * Runs a process in the guest, as soon as the guest is up.
   * @throws OptionError when arguments and environment contain NUL or exceed 1 MiB
   */
  run(options: RunOptions): GuestProcess {
    return this.#processes.run(options);
  }

  /** Runs a process whose terminal is the console. @throws OptionError as `run` */
  runOnConsole(options: RunOptions): ConsoleProcess {
    return this.#processes.runOnConsole(options);
  }

  /**
   * Gives the disk of kind `image` its image, whose layers must all be stored. Another one may take its place
   * until a container runs.
   * @param layers diffIDs, the lowest first
   * @throws MachineError when they cannot be read
   */
  openImage(layers: readonly string[]): Promise<void> {
    return this.#disk.request({ kind: 'open-image', layers });
  }

  /**
   * Gives the disk of kind `emulator` the content of a name, unless it has it already. Another one may take
   * its place until a container runs.
   */
  openEmulator(name: string, load: () => Promise<Uint8Array>): Promise<void> {
    if (this.#emulator?.name !== name) this.#emulator = { name, opened: this.#loadEmulator(load) };
    return this.#emulator.opened;
  }

  async #loadEmulator(load: () => Promise<Uint8Array>): Promise<void> {
    try {
      await this.#disk.request({ kind: 'open-emulator', content: await load() });
    } catch (error) {
      this.#emulator = undefined;
      throw error;
    }
  }

  /** Takes compiled code that belongs to no image, see `shipPack`. */
  addCode(file: Uint8Array): void {
    this.#post({ type: 'code', file });
  }

  /**
   * Shares a folder with the guest, for containers that run later.
   * @returns its name in `ContainerOptions.shares`
   */
  share(folder: FolderOptions, readOnly: boolean): string {
    if (this.#shares === 0 && !this.#ending) {
      const { port1, port2 } = new MessageChannel();
      this.#workers.startFolders(port1);
      this.#post({ type: 'folders', port: port2 }, [port2]);
    }
    this.#post({ type: 'share', folder, readOnly }, portsOf(folder));
    return `${this.#shares++}`;
  }

  /** Chooses the disk of kind `late`, whose size it has. Works once for each machine. */
  openDisk(disk: WritableDisk): Promise<void> {
    return this.#disk.request({ kind: 'open-late', disk });
  }

  /**
   * Runs a container from two of the machine's disks, named by `diskSerial`: one of kind `image`, already
   * open, and one of kind `scratch`. With a terminal all output is on `stdout`.
   * @throws OptionError as `run`
   */
  runContainer(options: ContainerOptions): FirstProcess {
    return this.#processes.runContainer(options);
  }

  /**
   * Gives the kept disk, which was deferred, its file. Its content is durable afterwards.
   * @throws MachineError when the store is full, or cannot be used; the disk then stays in memory
   */
  keepDisk(): Promise<void> {
    return this.#disk.request({ kind: 'keep' });
  }

  /**
   * Frees what only checkpoints of the kept disk before this one need; without a number, what any needs. Call
   * it when the record that names an older one is durably replaced.
   */
  dropCheckpoints(before?: number): Promise<void> {
    return this.#disk.request({ kind: 'drop-checkpoints', before });
  }

  /** Runs a further process in a container. @throws OptionError as `run` */
  exec(container: ContainerHandle, options: ExecOptions): ContainerProcess {
    return this.#processes.exec({ ...options, container: container.name });
  }

  /** How full memory and the container's writable disk are now. */
  measure(container: ContainerHandle): Promise<Usage> {
    return this.#processes.measure(container.name);
  }

  /**
   * Connects to a TCP port of a container, also to one of a server that accepts local connections only.
   * @param signal gives up connecting
   * @throws ConnectError if nothing listens there, or the container does not run; MachineError if the machine
   *   ends; OptionError if the port is invalid; the signal's reason
   */
  connect(container: ContainerHandle, port: number, signal?: AbortSignal): Promise<Connection> {
    return this.#forwarders.connect(container.name, port, signal);
  }

  /**
   * Makes the socket `/run/linuxrun/NAME.sock` in a container, for clients of the owner.
   * @throws RangeError if the name holds NUL
   */
  listen(container: ContainerHandle, name: string): Listening {
    return this.#forwarders.listen(container.name, name);
  }

  /** The TCP ports on which servers of a container listen, and then all changes, until the container ends. */
  ports(container: ContainerHandle): ReadableStream<PortChange> {
    return this.#forwarders.ports(container.name);
  }

  /**
   * Takes what processes have left of their output, which can then be read when the machine has gone.
   * Resolves when all of them have ended; one that never ends, or leaves a lot, keeps it waiting.
   */
  drain(): Promise<void> {
    return this.#mux.drain(isProcessStream, MOST_LEFT);
  }

  /**
   * Brings the machine to a standstill, in which it can be saved.
   * @throws MachineError if it is traced or reproducible, is suspended already, has ended, or does not come
   *   to rest in time; it goes on then
   */
  async suspend(): Promise<SuspendedMachine> {
    if (!this.#canSuspend) throw new MachineError('a traced or reproducible machine cannot be suspended');
    if (this.#suspension) throw new MachineError('the machine is suspended already');
    const suspension = deferred<MachineState>();
    this.#suspension = suspension;
    this.#processes.freeze();
    this.#post({ type: 'suspend' });
    try {
      if (this.#ending) await this.failure();
      const state = await suspension.promise;
      return new SuspendedMachine(state, this.#memory as WebAssembly.Memory, this.#plan, () =>
        this.#proceed(),
      );
    } catch (error) {
      this.#suspension = undefined;
      this.#processes.proceed();
      throw error;
    }
  }

  /** Whether it stands still, or is about to. */
  get isSuspended(): boolean {
    return this.#suspension !== undefined;
  }

  /** Ends the suspension. */
  async #proceed(): Promise<void> {
    if (!this.#suspension) throw new MachineError('the machine is not suspended');
    this.#suspension = undefined;
    this.#started = deferred();
    this.#post({ type: 'proceed' });
    await this.#started.promise;
  }

  /** Asks PID 1 to end all processes, sync, and power off. */
  powerOff(): void {
    this.#post({ type: 'power-off' });
  }

  /**
   * Whether the machine keeps Node's process alive, as it does at first. A process that ends takes its
   * machines with it.
   */
  setReferenced(isReferenced: boolean): void {
    this.#workers.setReferenced(isReferenced);
    // Only Node's ports have these methods.
    const port: Partial<Record<'ref' | 'unref', () => void>> = this.#port as object;
    if (isReferenced) port.ref?.();
    else port.unref?.();
  }

  /** Stops the machine at once. Afterwards only this object is left. */
  async stop(): Promise<void> {
    if (this.#suspension && !this.#ending) await this.#ask('disconnect', this.#disconnected);
    if (this.#workers.hasTranslator && !this.#ending) await this.#ask('save-code', this.#codeSaved);
    const exit: MachineExit = { reason: 'stop', code: 0, seconds: this.stats().seconds };
    await this.#end(() => this.#exit.resolve(exit), new MachineError(describeExit(exit)));
    this.#memory = undefined;
  }

  /**
   * Has the machine's worker do something before it ends: reset connections to the outside, which the guest
   * will not have when it goes on elsewhere, because the system would end them in order, and the other ends
   * would take what they got for all; or store what the translator has compiled.
   */
  async #ask(type: 'disconnect' | 'save-code', answer: Deferred<void>): Promise<void> {
    const timer = setTimeout(() => answer.resolve(), STOP_PATIENCE);
    this.#post({ type });
    await answer.promise;
    clearTimeout(timer);
  }

  /** Rejects when the machine ends for any reason. @throws MachineError */
  async failure(): Promise<never> {
    const error = new MachineError(describeExit(await this.exit));
    error.log = this.#log.text;
    throw error;
  }

  stats(): MachineStats {
    if (this.#finalStats) return this.#finalStats;
    const memory = this.#memory as WebAssembly.Memory;
    const before = this.#retiredBefore;
    const instructions = this.#retired().map((retired, hart) => retired - (before?.[hart] ?? 0));
    const seconds = (monotonicNow() - this.#epoch) / 1000;
    return { instructions, jit: jitStats(memory, this.#plan.harts), seconds };
  }

  #retired(): number[] {
    const memory = this.#memory as WebAssembly.Memory;
    return Array.from({ length: this.#plan.harts }, (_, hart) => instructionsRetired(memory, hart));
  }

  /**
   * Guest RAM, from RAM_START on.
   * @throws MachineError after `stop`
   */
  get ram(): Uint8Array {
    if (!this.#memory) throw new MachineError('the machine was stopped');
    return guestRam(this.#memory, this.#plan);
  }

  /** Bytes of shared memory for each hart that are not guest RAM. */
  get overhead(): number {
    return this.#plan.ramBase / this.#plan.harts;
  }

  #post(message: ToMachine, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #receive(message: FromMachine): void {
    switch (message.type) {
      case 'started':
        this.#processes.proceed();
        if (this.resumed) this.#retiredBefore ??= this.#retired();
        this.#started.resolve();
        break;
      case 'hot':
        this.startTranslator();
        break;
      case 'booted':
        this.#booted.resolve(message.figures);
        break;
      case 'process-started':
        this.#processes.started(message.process);
        break;
      case 'process-exit':
        this.#processes.exited(message.process, message.status);
        break;
      case 'process-failed':
        this.#processes.failed(message.process, message.reason);
        break;
      case 'usage':
        this.#processes.measured(message.usage);
        break;
      case 'network':
        this.#onNetwork?.(message.status);
        break;
      case 'connected':
        this.#forwarders.connected(message.connection);
        break;
      case 'disk-problem':
        this.#onDiskProblem?.(message.problem);
        break;
      case 'disk-done':
        this.#disk.done();
        break;
      case 'disk-failed':
        this.#disk.failed(message.error);
        break;
      case 'suspended':
        this.#suspension?.resolve({ ...message.state, owner: this.#processes.state() });
        break;
      case 'suspend-failed':
        this.#suspension?.reject(unpackError(message.error));
        break;
      case 'disconnected':
        this.#disconnected.resolve();
        break;
      case 'code-saved':
        this.#codeSaved.resolve();
        break;
      case 'exit':
        void this.#finish(message.exit);
        break;
      default:
        this.#mux.receive(message);
    }
  }

  async #finish(exit: MachineExit): Promise<void> {
    await this.#outputTaken;
    await this.#end(() => this.#exit.resolve(exit), new MachineError(describeExit(exit)));
  }

  async #consume(stream: string, take: MachineOptions['onConsole']): Promise<void> {
    try {
      for await (const bytes of chunks(this.#mux.readable(stream))) await take?.(bytes);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    void this.#end(() => this.#exit.reject(error), error);
  }

  /** Ends workers and streams, once. Everything that is still pending fails with `error`. */
  #end(settle: () => void, error: Error): Promise<void> {
    this.#ending ??= this.#shutDown(error).then(settle);
    return this.#ending;
  }

  async #shutDown(error: Error): Promise<void> {
    this.#finalStats = this.stats();
    if (error instanceof MachineError) error.log = this.#log.text;
    this.#mux.destroy(error);
    this.#started.reject(error);
    this.#suspension?.reject(error);
    this.#booted.reject(error);
    this.#processes.destroy(error);
    this.#disk.destroy(error);
    await this.#workers.end(this.#memory as WebAssembly.Memory);
    this.#port.close();
  }
}

/** The end of a log. */
class LogTail {
  text = '';
  readonly #decoder = new TextDecoder();

  add(bytes: Uint8Array): void {
    this.text = (this.text + this.#decoder.decode(bytes, { stream: true })).slice(-LOG_LENGTH);
  }
}

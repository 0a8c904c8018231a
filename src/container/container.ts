import type { FolderOptions } from '../folders/folder-options.ts';
import { HttpClient, type RequestOptions } from '../http/client.ts';
import type { HttpRequest } from '../http/request-head.ts';
import { type ProxiedResponse, toResponse } from '../http/response.ts';
import { deferred } from '../machine/deferred.ts';
import { StateError } from '../machine/errors.ts';
import {
  type Connection,
  type ContainerProcess,
  type ContainerOptions as ContainerRequest,
  diskSerial,
  type FirstProcess,
  type Listening,
  type Machine,
  type MachineStats,
  type PortChange,
  type Usage,
} from '../machine/machine.ts';
import type { TerminalSize } from '../machine/terminal-size.ts';
import type { ImageConfig } from '../oci/image.ts';
import { mergeEnvironment } from '../options/assignments.mjs';
import { type CommandOptions, commandOf } from '../options/command.ts';
import { checkDevices } from '../options/devices.mjs';
import { parseSignal, SIGKILL, SIGTERM, STOP_GRACE } from '../options/signals.ts';
import { parseAllTmpfs } from '../options/tmpfs.mjs';
import { absolute } from './absolute.ts';
import { ContainerFiles } from './container-files.ts';
import { delay } from './delay.ts';
import { emulatedMachine } from './emulator.ts';
import { readContent } from './files.ts';
import {
  bootImage,
  discard,
  type ImageMachine,
  type ImageMachineOptions,
  type SavedSession,
} from './image-machine.ts';
import { readContainerState, type Settings, type SuspendedContainer, suspended } from './session.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_HOSTNAME = 'linuxrun';
/** How long a container that has ended may take to hand over its output, in ms. */
const DRAIN = 2_000;
/** How long a guest may take to carry out SIGKILL, in ms. */
const KILL_PATIENCE = 5_000;
/** The status after SIGKILL. */
const KILLED = 128 + SIGKILL;
/** The disks of a machine, by their indices. */
const DISKS = { image: diskSerial(0), scratch: diskSerial(1) };
const EMULATOR_DISK = diskSerial(2);
/** How messages call an export. */
const CHANGES = 'the changes of the container';
/** The name of the only container that runs in its machine. */
const NAME = 'main';

export interface TerminalOptions extends TerminalSize {
  /** The terminal's type, the container's TERM. */
  readonly type: string;
}

/** A further process in a container. */
export interface ExecOptions {
  /** Program, looked up in the PATH of its environment, and arguments. */
  readonly args: readonly string[];
  /** `NAME=value` each. They replace the container's variables with the same names. */
  readonly env?: readonly string[] | undefined;
  /** Replaces the container's user. */
  readonly user?: string | undefined;
  /** Replaces the container's working directory. It is not created if it is missing. */
  readonly currentDir?: string | undefined;
  /** Without one, standard streams are three and carry bytes as they are. */
  readonly terminal?: TerminalOptions | undefined;
}

export interface ConnectOptions {
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of stopping. */
export interface StopOptions {
  readonly signal?: number | undefined;
  readonly grace?: number | undefined;
}

export interface ProgramOptions extends CommandOptions {
  /** `NAME=value` each. They replace the image's variables with the same names. */
  readonly env?: readonly string[] | undefined;
  /** Replaces the image's user. */
  readonly user?: string | undefined;
  readonly currentDir?: string | undefined;
  readonly hostname?: string | undefined;
  /**
   * Puts a small init before the program, for programs that are no good PID 1: it reaps orphans, and signals
   * without a handler have their usual effect.
   */
  readonly init?: boolean | undefined;
  /** Devices beside the usual ones, of DEVICES. */
  readonly devices?: readonly string[] | undefined;
  /** Makes the root file system read-only. The image's volumes and temporary file systems remain writable. */
  readonly readOnly?: boolean | undefined;
  /** Temporary file systems in memory, `PATH[:options]` each, with the options of Docker. */
  readonly tmpfs?: readonly string[] | undefined;
  readonly shares?: readonly FolderShare[] | undefined;
  /** Without one, standard streams are three and carry bytes as they are. */
  readonly terminal?: TerminalOptions | undefined;
}

/** A folder that a container shares. */
export interface FolderShare {
  readonly folder: FolderOptions;
  /** Where the container sees it: absolute, as `normaliseMountPath` writes it. */
  readonly path: string;
  readonly readOnly: boolean;
}

export type ContainerOptions = ImageMachineOptions & ProgramOptions;

/**
 * Boots a machine and runs an image in it.
 * @throws OptionError, MachineError, or the error with which the image's promise rejects
 */
export async function startContainer(options: ContainerOptions): Promise<ContainerMachine> {
  try {
    checkDevices(options.devices ?? []);
    parseAllTmpfs(options.tmpfs ?? []);
  } catch (error) {
    options.platform.dismiss?.();
    void discard(options.image);
    throw error;
  }
  const booted = await bootImage(options);
  try {
    return runContainer(booted, options);
  } catch (error) {
    await booted.stop();
    throw error;
  }
}

/**
 * Runs the image of a machine, in which no container runs yet.
 * @throws OptionError
 */
export function runContainer(machine: ImageMachine, options: ProgramOptions): ContainerMachine {
  const { config } = machine;
  const stopSignal = config.stopSignal === '' ? SIGTERM : parseSignal(config.stopSignal);
  const shares = (options.shares ?? []).map(({ folder, path, readOnly }) => ({
    share: machine.machine.share(folder, readOnly),
    path,
    readOnly,
  }));
  const request = { ...requestOf(config, options), shares, kept: machine.isKeepable };
  return new ContainerMachine(machine, machine.machine.runContainer(request), { ...request, stopSignal });
}

/**
 * Goes on with a container that was suspended.
 * @throws StateError if its state is damaged; MachineError, or the error with which the image's promise
 *   rejects
 */
export async function resumeContainer(
  options: ImageMachineOptions & { readonly session: SavedSession },
): Promise<ContainerMachine> {
  const booted = await bootImage(options);
  try {
    const { layers } = await options.image;
    const { settings } = readContainerState(options.session.state, layers);
    const [process] = booted.machine.resumed?.containers ?? [];
    if (!process) throw new StateError('no container runs in it');
    return new ContainerMachine(booted, process, settings);
  } catch (error) {
    await booted.stop();
    throw error;
  }
}

/**
 * Reads what the container of a kept disk has changed, which does not run, as a layer of its image: a tar.
 * @throws FileError, also as the stream's error; MachineError if the machine ends
 */
export function exportStopped({ machine }: ImageMachine): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  return readContent(machine.files.exportChanges(DISKS), CHANGES);
}

function requestOf(config: ImageConfig, options: ProgramOptions): ContainerRequest {
  const { terminal } = options;
  const hostname = options.hostname ?? DEFAULT_HOSTNAME;
  const machine = emulatedMachine(config.architecture);
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${hostname}`];
  return {
    args: commandOf(config, options),
    env: mergeEnvironment(
      terminal ? [...defaults, `TERM=${terminal.type}`] : defaults,
      config.env,
      options.env ?? [],
    ),
    directory: absolute(options.currentDir ?? config.workingDir),
    user: options.user ?? config.user,
    name: NAME,
    disks: DISKS,
    emulator: machine === undefined ? undefined : { disk: EMULATOR_DISK, machine },
    hostname,
    volumes: config.volumes.map(absolute),
    init: options.init,
    devices: [...new Set(options.devices)],
    readOnly: options.readOnly,
    tmpfs: parseAllTmpfs(options.tmpfs ?? []),
    terminal,
  };
}

/** A running container, alone in its machine. */
export class ContainerMachine {
  /** Rejects writes, and ends, when the container no longer reads. */
  readonly stdin: WritableStream<Uint8Array>;
  /** Must be read to the end, like `stderr`, because a container waits until its output is read. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Ends at once if there is a terminal. */
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Lines for the user: why the container did not start, or that memory ran out. */
  readonly messages: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Resolves when the program runs: to true, or to false if it ended before that. */
  readonly started: Promise<boolean>;
  /**
   * The program's exit status, 0 to 255; 128 + n after signal n; 127 if there is no such program, 126 if it
   * cannot be run, 125 if the container could not be made. Rejects with a MachineError if the machine fails.
   * It is 137 if the container has not ended 5 s after SIGKILL, because a shared folder does not answer.
   */
  readonly exit: Promise<number>;
  readonly files: ContainerFiles;
  /** Further processes that go on, if it does. */
  readonly resumed: readonly ContainerProcess[];
  readonly #machine: Machine;
  readonly #stop: () => Promise<void>;
  readonly #keepDisk: () => Promise<void>;
  readonly #settings: Settings;
  readonly #process: FirstProcess;
  /** Resolves with its status if not even SIGKILL ends it, so that its machine must end. */
  readonly #hangs = deferred<number>();
  /** The ends of its further processes, which are told after its own. */
  readonly #further = new Set<Promise<number>>();
  readonly #http = new HttpClient((port, signal) => this.connect(port, { signal }));

  /** @param process its first process, which was just started or goes on */
  constructor({ machine, stop, keepDisk }: ImageMachine, process: FirstProcess, settings: Settings) {
    this.stdin = process.stdin;
    this.stdout = process.stdout;
    this.stderr = process.stderr;
    this.messages = process.messages;
    this.#machine = machine;
    this.#stop = stop;
    this.#keepDisk = keepDisk;
    this.#settings = settings;
    this.#process = process;
    this.files = new ContainerFiles(machine.files, process);
    this.resumed = machine.resumed?.processes ?? [];
    for (const { exit } of this.resumed) this.#await(exit);
    this.started = process.started;
    this.exit = Promise.race([process.exit, this.#hangs.promise]);
    this.exit.catch(() => {});
  }

  /**
   * Gives its disk, which was deferred, a place in the store.
   * @throws MachineError when the store is full or cannot be used; the disk then stays in memory
   */
  keepDisk(): Promise<void> {
    return this.#keepDisk();
  }

  /**
   * Reads what it has changed, as a layer of its image: a tar. Its processes wait meanwhile.
   * @throws FileError, also as the stream's error; MachineError if the machine ends
   */
  exportChanges(): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return readContent(this.#machine.files.exportChanges(this.#process), CHANGES);
  }

  /** Statistics of its machine. */
  stats(): MachineStats {
    return this.#machine.stats();
  }

  resize(columns: number, rows: number): void {
    this.#process.resize(columns, rows);
  }

  /** Sends a signal to the container's first process, which may ignore all signals except SIGKILL. */
  kill(signal: number): void {
    this.#process.kill(signal);
    if (signal === SIGKILL) this.#awaitEnd();
  }

  /** Kills the container with all its processes. */
  killAll(): void {
    this.#process.killAll();
    this.#awaitEnd();
  }

  /** A process that waits for a folder does not obey SIGKILL before the folder answers. */
  #awaitEnd(): void {
    const timer = setTimeout(() => this.#hangs.resolve(KILLED), KILL_PATIENCE);
    const ended = () => clearTimeout(timer);
    this.exit.then(ended, ended);
  }

  /**
   * Runs a further process in the container, with streams, signals and exit like the container's own. It ends
   * when the container ends. Statuses are Docker's: 127 if there is no such program; 126 if it cannot be run,
   * if the user or the working directory does not exist, or if the container has ended. Its `messages` give
   * the reason.
   * @throws OptionError if arguments and environment contain NUL or exceed 1 MiB
   */
  exec({ args, env = [], user, currentDir, terminal }: ExecOptions): ContainerProcess {
    const type = terminal ? [`TERM=${terminal.type}`] : [];
    const process = this.#machine.exec(this.#process, {
      args,
      env: mergeEnvironment(this.#settings.env, type, env),
      directory: currentDir === undefined ? this.#settings.directory : absolute(currentDir),
      user: user ?? this.#settings.user,
      terminal,
    });
    this.#await(process.exit);
    return process;
  }

  #await(exit: Promise<number>): void {
    const forget = () => this.#further.delete(exit);
    this.#further.add(exit);
    exit.then(forget, forget);
  }

  /**
   * Connects to a TCP port of the container, also to a server that accepts local connections only. Closing
   * `writable` half-closes; aborting it, or cancelling `readable`, resets.
   * @throws ConnectError if nothing listens there, or the container does not run; MachineError if the
   *   machine ends; OptionError if the port is invalid; the signal's reason if it aborts before that
   */
  connect(port: number, { signal }: ConnectOptions = {}): Promise<Connection> {
    return this.#machine.connect(this.#process, port, signal);
  }

  /**
   * Makes the socket `/run/linuxrun/NAME.sock` for clients in the container, which any of its users may be.
   * @param name letters, digits, `.`, `_` and `-`, at most 63; not that of another open socket
   */
  listen(name: string): Listening {
    return this.#machine.listen(this.#process, name);
  }

  /**
   * The TCP ports to which `connect` leads, and then all changes, until the container ends. The guest looks
   * for changes twice a second, as long as a stream is open.
   */
  get ports(): ReadableStream<PortChange> {
    return this.#machine.ports(this.#process);
  }

  /**
   * Sends an HTTP request to a server in the container, on the port of the URL if no other is given. Resolves
   * when the head of the response has arrived. Redirects are responses like others, and `setCookies` has the
   * cookies, which browsers keep from a Response. A `Request` in a browser cannot hold some fields, such as
   * Cookie; any object with its properties can. The signal of the request ends it at any time.
   * @throws TypeError if the request is invalid; HttpError if the response is; ConnectError if nothing
   *   listens; the error of the request's body, or the signal's reason; MachineError if the machine ends
   */
  async proxyRequest(request: HttpRequest, options: RequestOptions = {}): Promise<ProxiedResponse> {
    return toResponse(await this.#http.request(request, options));
  }

  /** The working directory of its first process. */
  get currentDir(): string {
    return this.#settings.directory;
  }

  /** Measures the use of the machine's memory and the container's disk. */
  usage(): Promise<Usage> {
    return this.#machine.measure(this.#process);
  }

  /**
   * Asks the first process to end with a signal, and hangs up its terminal if it does not handle the signal.
   * Interactive shells ignore SIGTERM, but end then.
   */
  askToEnd(signal: number): void {
    this.#process.stop(signal);
  }

  /**
   * Asks the container to end, and kills it if it has not.
   * @param options.signal by default the image's stop signal
   * @param options.grace how long it has, in ms
   */
  async stop({ signal = this.#settings.stopSignal, grace = STOP_GRACE }: StopOptions = {}): Promise<void> {
    this.askToEnd(signal);
    const timer = setTimeout(() => this.kill(SIGKILL), grace);
    await this.exit.catch(() => {}).finally(() => clearTimeout(timer));
  }

  /**
   * Waits for the end of the container and its further processes, after which the machine can run another
   * one. Output that nobody has read stays readable.
   * @throws as `exit`
   */
  async settle(): Promise<void> {
    try {
      await this.exit;
      const given = new AbortController();
      const rest = Promise.all([this.#machine.drain(), Promise.allSettled(this.#further)]);
      await Promise.race([rest, delay(DRAIN, given.signal)]);
      given.abort();
    } finally {
      this.#http.close();
    }
  }

  /**
   * Brings it to a standstill, in which it can be saved.
   * @throws MachineError if its guest does not stop in time; it goes on then
   */
  async suspend(): Promise<SuspendedContainer> {
    return suspended(await this.#machine.suspend(), this.#settings);
  }

  /** Frees what its kept disk has only for checkpoints before this one; without a number, for any. */
  async dropCheckpoints(before?: number): Promise<void> {
    await this.#machine.dropCheckpoints(before);
  }

  /** Whether the container keeps Node's process alive, as it does at first. */
  setReferenced(isReferenced: boolean): void {
    this.#machine.setReferenced(isReferenced);
  }

  /** Ends the machine at once. Must always be called after all output has been read. */
  async destroy(): Promise<void> {
    this.#http.close();
    await this.#stop();
  }
}

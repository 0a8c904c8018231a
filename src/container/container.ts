import { MachineError } from '../machine/errors.ts';
import {
  type BootFigures,
  type ContainerHandle,
  type ContainerProcess,
  describeExit,
  diskSerial,
  type ContainerOptions as FirstProcess,
  type JitMode,
  Machine,
  type MachineStats,
  type Usage,
} from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import type { TerminalSize } from '../machine/terminal-size.ts';
import type { ImageConfig } from '../oci/image.ts';
import type { HeldImage } from '../oci/pull.ts';
import { mergeEnvironment } from './assignments.ts';
import { type CommandOptions, commandOf } from './command.ts';
import { readContent, writeContent } from './files.ts';
import { parseSignal, SIGKILL, SIGTERM } from './signals.ts';
import { checkDiskSize } from './sizes.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_HOSTNAME = 'linuxrun';
/** Of the only container of its machine. */
const NAME = 'main';
/** How long a container may take to end by itself when it is stopped, in ms; as `docker stop` has it. */
const STOP_GRACE = 10_000;

export interface TerminalOptions extends TerminalSize {
  /** The terminal's type, the container's TERM. */
  readonly type: string;
}

/** A further process in a container. */
export interface ExecOptions {
  /** Program, looked up in the PATH of its environment, and arguments. */
  readonly args: readonly string[];
  /** `NAME=value` each, in place of the container's of the same name. */
  readonly env?: readonly string[] | undefined;
  /** In place of the container's. */
  readonly user?: string | undefined;
  /** In place of the container's; not made when it is missing. */
  readonly workingDir?: string | undefined;
  /** Without one, standard streams are three and carry bytes as they are. */
  readonly terminal?: TerminalOptions | undefined;
}

export interface WriteOptions {
  /** Permissions; without them, those of the file that is replaced, or 0644. */
  readonly mode?: number | undefined;
  /** Gives up; the file stays as it was. */
  readonly signal?: AbortSignal | undefined;
}

export interface ContainerOptions extends CommandOptions {
  readonly platform: Platform;
  /**
   * May still be on its way: the machine boots meanwhile. When it fails, so does the container, in the same way.
   * It is released once the machine holds its layers, or the start has failed.
   */
  readonly image: HeldImage | Promise<HeldImage>;
  /** Where the image's layers are stored: a folder in Node. Browsers have one store for each origin. */
  readonly store: string;
  /** `NAME=value` each, in place of the image's of the same name. */
  readonly env?: readonly string[] | undefined;
  /** In place of the image's. */
  readonly user?: string | undefined;
  readonly workingDir?: string | undefined;
  readonly hostname?: string | undefined;
  /** Without one, standard streams are three and carry bytes as they are. */
  readonly terminal?: TerminalOptions | undefined;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly jit?: JitMode | undefined;
  /** How much the container may write to its file system. */
  readonly diskBytes: number;
  /** Takes the log of the guest's kernel. */
  readonly onConsole?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** Told when the guest's kernel is up. */
  readonly onBoot?: ((figures: BootFigures) => void) | undefined;
  /** Gives up: what was begun is undone, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Boots a machine and runs an image in it.
 * @throws OptionError, MachineError, or what the image's promise rejects with
 */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const image = Promise.resolve(options.image);
  // Whichever of image and machine fails first is told; the other must not go unhandled.
  image.catch(() => {});
  try {
    checkDiskSize(options.diskBytes);
    return await boot(options, image);
  } finally {
    // The image may still arrive after the start has failed.
    image.then((image) => image.release()).catch(() => {});
  }
}

async function boot(options: ContainerOptions, image: Promise<HeldImage>): Promise<Container> {
  const { signal } = options;
  const machine = await startMachine(options);
  // Whoever waits for the container learns of a machine that did not boot.
  machine.booted.then(options.onBoot).catch(() => {});
  const stop = () => void machine.stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    const { config, layers } = await Promise.race([image, endOf(machine)]);
    const stopSignal = config.stopSignal === '' ? SIGTERM : parseSignal(config.stopSignal);
    const request = requestOf(config, options);
    await machine.openImage(layers);
    return new Container(machine, request, stopSignal);
  } catch (error) {
    await machine.stop();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function startMachine(options: ContainerOptions): Promise<Machine> {
  const { platform, store, cpus, memoryBytes, diskBytes, onConsole } = options;
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    platform.loadFile('kernel/initramfs.cpio'),
  ]);
  options.signal?.throwIfAborted();
  return Machine.start(platform, {
    emulator,
    kernel,
    initrd,
    cpus,
    memoryBytes,
    ...(options.jit && { jit: options.jit }),
    commandLine: 'quiet',
    disks: [
      { kind: 'image', store },
      { kind: 'scratch', sizeBytes: diskBytes },
    ],
    ...(onConsole && { onConsole }),
  });
}

/** Rejects when the machine ends, however it does. */
async function endOf(machine: Machine): Promise<never> {
  throw new MachineError(describeExit(await machine.exit));
}

function requestOf(config: ImageConfig, options: ContainerOptions): FirstProcess {
  const { terminal } = options;
  const hostname = options.hostname ?? DEFAULT_HOSTNAME;
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${hostname}`];
  return {
    args: commandOf(config, options),
    env: mergeEnvironment(
      terminal ? [...defaults, `TERM=${terminal.type}`] : defaults,
      config.env,
      options.env ?? [],
    ),
    directory: absolute(options.workingDir ?? config.workingDir),
    user: options.user ?? config.user,
    name: NAME,
    // By their places among the machine's disks.
    disks: { image: diskSerial(0), scratch: diskSerial(1) },
    hostname,
    volumes: config.volumes.map(absolute),
    terminal,
  };
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** A running container, alone in its machine. */
export class Container {
  /** Rejects writes, and ends, when the container reads no more. */
  readonly stdin: WritableStream<Uint8Array>;
  /** To be read to the end, as `stderr`: a container waits when nobody takes its output. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Ends at once when there is a terminal. */
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Why the container did not start, that memory ran out: lines for the user. */
  readonly messages: ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * 0 to 255 as the program ended, 128 + n after signal n; 127 when there is no such program, 126 when it cannot be
   * run, 125 when the container could not be made. Rejects with a MachineError when the machine fails.
   */
  readonly exit: Promise<number>;
  readonly #machine: Machine;
  readonly #request: FirstProcess;
  readonly #process: ContainerProcess & ContainerHandle;
  readonly #stopSignal: number;

  constructor(machine: Machine, request: FirstProcess, stopSignal: number) {
    const process = machine.runContainer(request);
    this.stdin = process.stdin;
    this.stdout = process.stdout;
    this.stderr = process.stderr;
    this.messages = process.messages;
    this.#machine = machine;
    this.#request = request;
    this.#process = process;
    this.#stopSignal = stopSignal;
    this.exit = process.exit;
  }

  /** How much its machine has done so far. */
  stats(): MachineStats {
    return this.#machine.stats();
  }

  resize(columns: number, rows: number): void {
    this.#process.resize(columns, rows);
  }

  /** Sends a signal to the container's first process, which is not bound to heed it unless it is SIGKILL. */
  kill(signal: number): void {
    this.#process.kill(signal);
  }

  /**
   * Runs a further process in the container, with its streams, signals and exit as the container's own; it ends when
   * the container does. Statuses are Docker's: 127 when there is no such program, 126 when it cannot be run, the user
   * or the working directory is not there, or the container has ended. Its `messages` say which.
   * @throws RangeError when arguments and environment hold NUL or exceed 1 MiB
   */
  exec({ args, env = [], user, workingDir, terminal }: ExecOptions): ContainerProcess {
    const type = terminal ? [`TERM=${terminal.type}`] : [];
    return this.#machine.exec(this.#process, {
      args,
      env: mergeEnvironment(this.#request.env, type, env),
      directory: workingDir === undefined ? this.#request.directory : absolute(workingDir),
      user: user ?? this.#request.user,
      terminal,
    });
  }

  /**
   * A file of the container, as its root may read it. Links are followed within the container.
   * @param path absolute, of a regular file
   * @throws FileError, also as the stream's error; MachineError when the machine ends
   */
  async readFile(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return readContent(this.#machine.readFile(this.#process, absolute(path)), path);
  }

  /**
   * Writes a file of the container, as its root: a new one, or in place of a regular one. It is there when all of it
   * is, or not at all. Folders have to be there.
   * @param path absolute; a link at its end is followed
   * @throws FileError, what `content` fails with, or the signal's reason; MachineError when the machine ends
   */
  async writeFile(
    path: string,
    content: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>,
    { mode, signal }: WriteOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const stream = content instanceof Uint8Array ? new Blob([content]).stream() : content;
    return writeContent(this.#machine.writeFile(this.#process, absolute(path), mode), path, stream, signal);
  }

  /** How full the machine's memory and the container's disk are now. */
  usage(): Promise<Usage> {
    return this.#machine.measure(this.#process);
  }

  /** Asks the container to end, with the signal that its image names, and kills it when it has not in 10 s. */
  async stop(): Promise<void> {
    this.kill(this.#stopSignal);
    const timer = setTimeout(() => this.kill(SIGKILL), STOP_GRACE);
    await this.exit.catch(() => {}).finally(() => clearTimeout(timer));
  }

  /** Ends the machine at once; to be called in any case when all output has been read. */
  async destroy(): Promise<void> {
    await this.#machine.stop();
  }
}

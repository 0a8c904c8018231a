/** Runs a container with this process's standard streams and signals, for `./run.sh` and `linuxrun run`. */
import { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import { Container } from '../api/container.ts';
import { emulationNotice } from '../api/emulation-notice.ts';
import { MachineError } from '../api/errors.ts';
import { type ContainerHost, installContainerHost } from '../api/host.ts';
import { networkNotice } from '../api/network-notice.ts';
import { nodeContainers } from '../api/node-containers.ts';
import type { NetworkStatus, Terminal } from '../api/public.ts';
import type { StartedContainer } from '../api/started-container.ts';
import { toRecord } from '../options/assignments.mjs';
import type { PullPolicy } from '../options/pull-policy.ts';
import { parseSignal } from '../options/signals.ts';
import { Ending, HANG_UP_GRACE } from './ending.ts';
import { CommandError, STATUS_FAILURE } from './errors.ts';
import { grantMemory } from './grant-memory.ts';
import { imageStore } from './places.ts';
import { PUBLIC, write } from './program.ts';
import type { JitMode, RunOptions } from './run-options.mjs';
import { Newlines, takeTerminal } from './terminal.ts';
import { WayOut } from './way-out.ts';

/** The number of bytes of the kernel's log that are shown when a machine fails. */
const LOG_LENGTH = 4096;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** Those that end this process before there is a container. */
const ENDING: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
const IGNORES_INTERRUPT =
  'linuxrun: the program ignores Ctrl-C. Ctrl-] three times within a second ends the machine.';

type Signal = (typeof FORWARDED)[number];

/** A signal ended the program before there was a container. */
class Interrupted extends Error {
  readonly signal: Signal;

  constructor(signal: Signal) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}

/**
 * How standard input reaches the container: as keys, as bytes, in the way that its terminal asks for, ended
 * from the start, or never ended.
 */
export type Input = 'keyboard' | 'bytes' | 'attached' | 'closed' | 'open';

/** A further user of a container's events, beside the standard streams. */
export interface Witness {
  /** Resolves when the container may start. Called when its machine boots, or before if it is kept. */
  prepare(): Promise<void>;
  onContainer(container: StartedContainer): void;
  /** Takes output: 1 is standard output, 2 standard error with the messages about the container. */
  onOutput(stream: 1 | 2, bytes: Uint8Array): void;
  /** The container has ended, but its machine has not. */
  onEnd(status: number): Promise<void>;
}

export interface RunRequest {
  readonly options: RunOptions & { readonly jit: JitMode };
  /** The name under which the container is kept. */
  readonly name?: string | undefined;
  /** Whether the container of that name starts as it was started before, and not by the options. */
  readonly startsAgain?: boolean | undefined;
  /** A file with a session, which goes on instead of a container that the options describe. */
  readonly snapshot?: string | undefined;
  /** The name of the option for memory, for a message. */
  readonly memoryOption: string;
  readonly terminal: Terminal | undefined;
  readonly input: Input;
  /** Whether the container's output is shown. Messages about the container always are. */
  readonly isAttached: boolean;
  readonly policy: PullPolicy;
  /** Whether the progress of a pull is shown. */
  readonly showsProgress: boolean;
  readonly jitStats: boolean;
  readonly witness?: Witness | undefined;
}

/** Runs a container until it ends; returns its status. */
export async function runContainer(request: RunRequest): Promise<number> {
  const { cpus, memoryBytes } = request.options;
  const granted = grantMemory(`linuxrun: ${request.memoryOption}`, cpus, memoryBytes);
  const signals = new Signals();
  let log = '';
  let container: StartedContainer | undefined;
  try {
    container = await start({ ...request, memoryBytes: granted }, signals.aborted, (bytes) => {
      log = (log + Buffer.from(bytes).toString()).slice(-LOG_LENGTH);
    });
    request.witness?.onContainer(container);
    const ending = new Ending(container);
    signals.forwardTo(ending);
    const status = await converse(container, ending, request);
    if (request.jitStats) await (await import('./jit-stats.ts')).printJitStats(container.machineStats());
    return status;
  } catch (error) {
    if (container?.isSuspended) return tellSuspended(container);
    if (error instanceof Interrupted) return 128 + parseSignal(error.signal);
    if (error instanceof MachineError && log !== '') process.stderr.write(log);
    throw error;
  }
}

function tellSuspended({ name = '' }: StartedContainer): number {
  process.stderr.write(`linuxrun: suspended; linuxrun resume -ai ${name} goes on\n`);
  return 0;
}

async function start(
  request: RunRequest & { memoryBytes: number },
  signal: AbortSignal,
  onConsole: (bytes: Uint8Array) => void,
): Promise<StartedContainer> {
  const abort = new AbortController();
  installContainerHost(hostOf(request, AbortSignal.any([signal, abort.signal])));
  try {
    const container = await begin(request, signal, onConsole);
    const notice = emulationNotice(container.platform);
    if (notice) process.stderr.write(`linuxrun: ${notice}\n`);
    container.on('network', tellAboutNetwork(request.terminal !== undefined));
    return container;
  } catch (error) {
    // The image is useless without a machine.
    abort.abort(error);
    throw error;
  }
}

async function begin(
  { options, name, startsAgain, snapshot, terminal, memoryBytes }: RunRequest & { memoryBytes: number },
  signal: AbortSignal,
  onConsole: (bytes: Uint8Array) => void,
): Promise<StartedContainer> {
  if (snapshot !== undefined) {
    const { startSnapshot } = await import('./snapshot.ts');
    return startSnapshot(snapshot, { name, terminal, signal, onConsole, savesItself: false });
  }
  if (startsAgain && name !== undefined) {
    const { startKept } = await import('../api/kept-containers.ts');
    return startKept(name, { terminal, signal, onConsole, savesItself: false });
  }
  const builder = containerOf(options, terminal).memory(memoryBytes).signal(signal).onConsole(onConsole);
  if (name !== undefined) builder.name(name);
  return builder.start({ jit: options.jit, savesItself: false });
}

function containerOf(options: RunOptions, terminal: Terminal | undefined): Container {
  const { platform, entrypoint, args, env, user, currentDir, hostname, readOnly, init } = options;
  const { cpus, diskBytes, network, devices, tmpfs = [], mounts, ports } = options;
  const container = new Container(options.image)
    .args(args ?? [])
    .envs(toRecord(env))
    .cpus(cpus)
    .disk(diskBytes)
    .network(network ? 'internet' : 'none')
    .init(init)
    .readOnly(readOnly === true);
  if (platform) container.platform(platform);
  if (entrypoint) container.entrypoint(entrypoint);
  if (user !== undefined) container.user(user);
  if (currentDir !== undefined) container.currentDir(currentDir);
  if (hostname !== undefined) container.hostname(hostname);
  if (terminal) container.terminal(terminal);
  for (const device of devices) container.device(device);
  for (const mount of tmpfs) container.tmpfs(mount);
  for (const { path, source, readOnly } of mounts) container.mount(path, source, { readOnly });
  for (const port of ports) container.publish(`${port.address}:${port.host}:${port.container}`);
  return container;
}

/** How the container reaches its image and its ports, with messages on standard error. */
function hostOf({ options, policy, showsProgress, witness }: RunRequest, signal: AbortSignal): ContainerHost {
  const { platform, credentials, mirror, network = {} } = options;
  const places = { assets: PUBLIC, store: imageStore(process.env) };
  let prepared: Promise<void> | undefined;
  const prepare = () => {
    prepared ??= witness?.prepare();
    return prepared;
  };
  const host = nodeContainers(places, async (location) => {
    const reference = String(location);
    const { showLoadingImage } = await import('./image.ts');
    const [image] = await Promise.all([
      showLoadingImage({
        ...places,
        ...{ reference, platform, credentials, mirror, policy, showsProgress, signal },
      }),
      prepare(),
    ]);
    return image;
  });
  return {
    ...host,
    network,
    async openKept() {
      await prepare();
      return host.openKept();
    },
    async publish(ports) {
      const publication = await host.publish(ports);
      // The user chose the others.
      for (const [index, { address, host, container }] of publication.ports.entries())
        if (ports[index]?.host === 0)
          process.stderr.write(`linuxrun: ${address}:${host} leads to port ${container}\n`);
      return publication;
    },
  };
}

/** Says once why the network does not work. */
function tellAboutNetwork(hasTerminal: boolean): (status: NetworkStatus) => void {
  let told: string | undefined;
  return (status) => {
    const notice = networkNotice(status);
    const isNew = notice !== undefined && notice !== told;
    told = notice;
    if (isNew) process.stderr.write(hasTerminal ? `\r\n${notice}\r\n` : `linuxrun: ${notice}\n`);
  };
}

/** Signals to this process go to the container, when there is one. */
class Signals {
  readonly #abort = new AbortController();
  /** When its terminal goes, nobody can reach this process any more. */
  readonly #isAtTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  #ending: Ending | undefined;

  constructor() {
    for (const signal of FORWARDED) process.on(signal, () => this.#handle(signal));
  }

  /** Aborted by a signal that comes before there is a container. */
  get aborted(): AbortSignal {
    return this.#abort.signal;
  }

  forwardTo(ending: Ending): void {
    this.#ending = ending;
  }

  #handle(signal: Signal): void {
    if (!this.#ending) {
      if (ENDING.includes(signal)) this.#abort.abort(new Interrupted(signal));
    } else if (signal === 'SIGHUP' && this.#isAtTerminal) {
      this.#ending.hangUp();
    } else {
      this.#ending.signal(parseSignal(signal));
    }
  }
}

/** Connects the container to the standard streams until it ends; returns its status. */
async function converse(
  container: StartedContainer,
  ending: Ending,
  { input, isAttached, witness }: RunRequest,
): Promise<number> {
  const { onOutput, restore } = connectInput(container, ending, inputOf(container, input));
  const [stdout, stderr] = isAttached ? [process.stdout, process.stderr] : [];
  // They are also on its standard error.
  if (!isAttached) container.on('message', ({ text }) => void process.stderr.write(`${text}\n`));
  const show = (bytes: Uint8Array) => {
    witness?.onOutput(1, bytes);
    onOutput(bytes);
  };
  const ended = Promise.all([
    container.wait(),
    copy(container.stdout, stdout, ending, show),
    copy(container.stderr, stderr, ending, (bytes) => witness?.onOutput(2, bytes)),
  ]);
  try {
    const status = await Promise.race([ended.then(([status]) => status), ending.overdue]);
    await witness?.onEnd(status);
    return status;
  } finally {
    restore();
    await container.destroy();
  }
}

function inputOf({ launch }: StartedContainer, input: Input): Input {
  if (input !== 'attached') return input;
  return launch.terminal ? 'keyboard' : 'bytes';
}

interface Connection {
  /** Takes the bytes that the terminal is about to show, and may change them. */
  onOutput(bytes: Uint8Array): void;
  /** Restores the terminal. */
  restore(): void;
}

function connectInput(container: StartedContainer, ending: Ending, input: Input): Connection {
  if (input === 'keyboard') return connectTerminal(container, ending);
  if (input === 'closed') container.stdin.close().catch(() => {});
  // A container that ends without reading all of its input is no error.
  if (input === 'bytes')
    (Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>).pipeTo(container.stdin).catch(() => {});
  return { onOutput: () => {}, restore: () => {} };
}

function connectTerminal(container: StartedContainer, ending: Ending): Connection {
  const keyboard = container.stdin.getWriter();
  const wayOut = new WayOut(
    () => ending.kill(),
    () => process.stdout.write(`\r\n${IGNORES_INTERRUPT}\r\n`),
  );
  const restore = takeTerminal({
    onKeys: (keys) => {
      wayOut.typed(keys);
      // Input that nobody reads any more is lost with the container.
      keyboard.write(keys).catch(() => {});
    },
    onResize: (columns, rows) => container.resize(columns, rows),
    onGone: () => ending.hangUp(),
  });
  const newlines = new Newlines();
  return {
    onOutput: (bytes) => {
      wayOut.shown(bytes);
      if (process.platform !== 'linux') newlines.protect(bytes);
    },
    restore: () => {
      wayOut.close();
      restore();
    },
  };
}

/**
 * When the reader of the output has gone, the container's writers get an error, and the container has to end.
 */
async function copy(
  from: ReadableStream<Uint8Array>,
  to: NodeJS.WriteStream | undefined,
  ending: Ending,
  onOutput: (bytes: Uint8Array) => void,
): Promise<void> {
  const reader = from.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      onOutput(next.value);
      if (to) await write(to, next.value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'write') throw error;
    if (to?.isTTY) ending.hangUp();
    else if (code === 'EPIPE') ending.killAfter(HANG_UP_GRACE);
    else
      throw new CommandError(`cannot write the container's output: ${code}`, STATUS_FAILURE, {
        cause: error,
      });
  }
}

/** Runs a container with this process's standard streams and signals, for `./run.sh` and `linuxrun run`. */
import { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import { MachineError } from '../api/errors.ts';
import type { LoadedImage } from '../api/load-image.ts';
import { networkNotice } from '../api/network-notice.ts';
import type { NetworkStatus } from '../api/public.ts';
import type { Publisher } from '../api/publisher.ts';
import { type ContainerMachine, startContainer, type TerminalOptions } from '../container/container.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import type { PublishedPort } from '../options/published-ports.mjs';
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

/** Opens the published ports, if there are any. */
async function publish(ports: readonly PublishedPort[]): Promise<Publisher | undefined> {
  if (ports.length === 0) return undefined;
  const { Publisher } = await import('../api/publisher.ts');
  const publisher = new Publisher();
  await publisher.listen(ports);
  // The user chose the others.
  for (const [index, { address, host, container }] of publisher.ports.entries())
    if (ports[index]?.host === 0)
      process.stderr.write(`linuxrun: ${address}:${host} leads to port ${container}\n`);
  return publisher;
}

/** How standard input reaches the container: as keys, as bytes, ended from the start, or never ended. */
export type Input = 'keyboard' | 'bytes' | 'closed' | 'open';

/** A container that has been made. */
export interface Running {
  readonly container: ContainerMachine;
  readonly image: LoadedImage;
  /** As they are open. */
  readonly ports: readonly PublishedPort[];
}

/** A further user of a container's events, beside the standard streams. */
export interface Witness {
  /** Resolves when the container may start. Called when its machine boots. */
  prepare(): Promise<void>;
  onContainer(running: Running): void;
  /** Takes output: 1 is standard output, 2 standard error with the messages about the container. */
  onOutput(stream: 1 | 2, bytes: Uint8Array): void;
  /** The container has ended, but its machine has not. */
  onEnd(status: number): Promise<void>;
}

export interface RunRequest {
  readonly options: RunOptions & { readonly jit: JitMode };
  /** The name of the option for memory, for a message. */
  readonly memoryOption: string;
  readonly terminal: TerminalOptions | undefined;
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
  const { cpus, memoryBytes, ports } = request.options;
  const granted = grantMemory(`linuxrun: ${request.memoryOption}`, cpus, memoryBytes);
  // A port that is taken should be known before anything else happens.
  const publisher = await publish(ports);
  const signals = new Signals();
  let log = '';
  try {
    const { container, image } = await start(
      { ...request, memoryBytes: granted },
      signals.aborted,
      (bytes) => {
        log = (log + Buffer.from(bytes).toString()).slice(-LOG_LENGTH);
      },
    );
    publisher?.serve(container);
    request.witness?.onContainer({ container, image, ports: publisher?.ports ?? [] });
    const ending = new Ending(container);
    signals.forwardTo(ending);
    const status = await converse(container, ending, publisher, request);
    if (request.jitStats) await (await import('./jit-stats.ts')).printJitStats(container.stats());
    return status;
  } catch (error) {
    if (error instanceof Interrupted) return 128 + parseSignal(error.signal);
    if (error instanceof MachineError && log !== '') process.stderr.write(log);
    throw error;
  }
}

async function start(
  { options, memoryBytes, terminal, policy, showsProgress, witness }: RunRequest & { memoryBytes: number },
  signal: AbortSignal,
  onConsole: (bytes: Uint8Array) => void,
): Promise<Omit<Running, 'ports'>> {
  const { image: reference, credentials, mirror, ports: _, ...rest } = options;
  const platform = nodePlatform(PUBLIC, options.cpus);
  const store = imageStore(process.env);
  const abort = new AbortController();
  // The machine starts first: it boots in its own threads while this one reads the code that finds the image.
  const image = platform.launched.then(async () => {
    const { showLoadingImage } = await import('./image.ts');
    const [image] = await Promise.all([
      showLoadingImage({
        reference,
        store,
        assets: PUBLIC,
        credentials,
        mirror,
        policy,
        showsProgress,
        signal: AbortSignal.any([signal, abort.signal]),
      }),
      witness?.prepare(),
    ]);
    return image;
  });
  const container = startContainer({
    ...rest,
    memoryBytes,
    platform,
    image,
    store,
    terminal,
    onConsole,
    onNetwork: tellAboutNetwork(terminal !== undefined),
    signal,
  });
  // The image is useless without a machine.
  container.catch((error) => abort.abort(error));
  return { container: await container, image: await image };
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
  container: ContainerMachine,
  ending: Ending,
  publisher: Publisher | undefined,
  { input, isAttached, witness }: RunRequest,
): Promise<number> {
  const { onOutput, restore } = connectInput(container, ending, input);
  const [stdout, stderr] = isAttached ? [process.stdout, process.stderr] : [];
  const tell = (stream: 1 | 2) => (bytes: Uint8Array) => witness?.onOutput(stream, bytes);
  const show = (bytes: Uint8Array) => {
    witness?.onOutput(1, bytes);
    onOutput(bytes);
  };
  const ended = Promise.all([
    container.exit,
    copy(container.stdout, stdout, ending, show),
    copy(container.stderr, stderr, ending, tell(2)),
    copy(container.messages, process.stderr, ending, tell(2)),
  ]);
  try {
    const status = await Promise.race([ended.then(([status]) => status), ending.overdue]);
    await witness?.onEnd(status);
    return status;
  } finally {
    restore();
    await publisher?.end();
    await container.destroy();
  }
}

interface Terminal {
  /** Takes the bytes that the terminal is about to show, and may change them. */
  onOutput(bytes: Uint8Array): void;
  /** Restores the terminal. */
  restore(): void;
}

function connectInput(container: ContainerMachine, ending: Ending, input: Input): Terminal {
  if (input === 'keyboard') return connectTerminal(container, ending);
  if (input === 'closed') container.stdin.close().catch(() => {});
  // A container that ends without reading all of its input is no error.
  if (input === 'bytes')
    (Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>).pipeTo(container.stdin).catch(() => {});
  return { onOutput: () => {}, restore: () => {} };
}

function connectTerminal(container: ContainerMachine, ending: Ending): Terminal {
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

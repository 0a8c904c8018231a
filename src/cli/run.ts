import { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import { ImageError, MachineError, StorageError } from '../api/errors.ts';
import { networkNotice } from '../api/network-notice.ts';
import type { Publisher } from '../api/publisher.ts';
import { type ContainerMachine, startContainer } from '../container/container.ts';
import { Ending, HANG_UP_GRACE } from '../container/signals.ts';
import type { NetworkStatus } from '../machine/machine.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import { OptionError } from '../options/option-error.mjs';
import type { PublishedPort } from '../options/published-ports.mjs';
import { parseSignal } from '../options/signals.ts';
import { quoteWord } from '../options/words.mjs';
import { exit } from './exit.ts';
import { grantMemory } from './grant-memory.ts';
import { imageStore } from './places.ts';
import { PUBLIC, write } from './program.ts';
import { type JitMode, type RunOptions, readFlags, readOptions } from './run-options.mjs';
import { hasTerminal, Newlines, takeTerminal } from './terminal.ts';
import { WayOut } from './way-out.ts';

const STATUS_FAILURE = 125;
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

class OutputError extends Error {}

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

async function main(args: string[]): Promise<number> {
  const flags = readFlags(args);
  const given = readOptions(process.env, PUBLIC);
  const memoryBytes = grantMemory('linuxrun: LINUXRUN_MEMORY', given.cpus, given.memoryBytes);
  const devices = [...given.devices, ...flags.devices];
  const options = { ...given, memoryBytes, devices, init: flags.init || given.init, jit: flags.jit };
  // A port that is taken should be known before anything else happens.
  const publisher = await publish([...given.ports, ...flags.ports]);
  const signals = new Signals();
  let log = '';
  try {
    const container = await start(options, signals.aborted, (bytes) => {
      log = (log + Buffer.from(bytes).toString()).slice(-LOG_LENGTH);
    });
    publisher?.serve(container);
    const ending = new Ending(container);
    signals.forwardTo(ending);
    const status = await converse(container, ending, publisher);
    if (flags.jitStats) await (await import('./jit-stats.ts')).printJitStats(container.stats());
    return status;
  } catch (error) {
    if (error instanceof Interrupted) return 128 + parseSignal(error.signal);
    if (error instanceof MachineError && log !== '') process.stderr.write(log);
    throw error;
  }
}

function start(
  options: RunOptions & { readonly jit: JitMode },
  signal: AbortSignal,
  onConsole: (bytes: Uint8Array) => void,
): Promise<ContainerMachine> {
  const { image: reference, credentials, mirror, ports: _, ...rest } = options;
  const platform = nodePlatform(PUBLIC, options.cpus);
  const store = imageStore(process.env);
  const abort = new AbortController();
  // The machine starts first: it boots in its own threads while this one reads the code that finds the image.
  const image = platform.launched.then(async () => {
    const { showLoadingImage } = await import('./image.ts');
    return showLoadingImage({
      reference,
      store,
      credentials,
      mirror,
      signal: AbortSignal.any([signal, abort.signal]),
    });
  });
  const container = startContainer({
    ...rest,
    platform,
    image,
    store,
    terminal: terminalOptions(),
    onConsole,
    onNetwork: tellAboutNetwork(),
    signal,
  });
  // The image is useless without a machine.
  container.catch((error) => abort.abort(error));
  return container;
}

/** Says once why the network does not work. */
function tellAboutNetwork(): (status: NetworkStatus) => void {
  let told: string | undefined;
  return (status) => {
    const notice = networkNotice(status);
    const isNew = notice !== undefined && notice !== told;
    told = notice;
    if (isNew) process.stderr.write(hasTerminal() ? `\r\n${notice}\r\n` : `linuxrun: ${notice}\n`);
  };
}

function terminalOptions() {
  if (!hasTerminal()) return undefined;
  const { columns, rows } = process.stdout;
  return { columns, rows, type: process.env.TERM ?? 'xterm' };
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
): Promise<number> {
  const { onOutput, restore } = connectInput(container, ending);
  const ended = Promise.all([
    container.exit,
    copy(container.stdout, process.stdout, ending, onOutput),
    copy(container.stderr, process.stderr, ending),
    copy(container.messages, process.stderr, ending),
  ]);
  try {
    return await Promise.race([ended.then(([status]) => status), ending.overdue]);
  } finally {
    restore();
    await publisher?.end();
    await container.destroy();
  }
}

interface Input {
  /** Takes the bytes that the terminal is about to show, and may change them. */
  onOutput(bytes: Uint8Array): void;
  /** Restores the terminal. */
  restore(): void;
}

function connectInput(container: ContainerMachine, ending: Ending): Input {
  if (hasTerminal()) return connectTerminal(container, ending);
  // A container that ends without reading all of its input is no error.
  (Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>).pipeTo(container.stdin).catch(() => {});
  return { onOutput: () => {}, restore: () => {} };
}

function connectTerminal(container: ContainerMachine, ending: Ending): Input {
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
  to: NodeJS.WriteStream,
  ending: Ending,
  onOutput = (_: Uint8Array) => {},
): Promise<void> {
  const reader = from.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      onOutput(next.value);
      await write(to, next.value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'write') throw error;
    if (to.isTTY) ending.hangUp();
    else if (code === 'EPIPE') ending.killAfter(HANG_UP_GRACE);
    else throw new OutputError(`cannot write the container's output: ${code}`, { cause: error });
  }
}

function explain(error: unknown): string {
  const ours = [OutputError, OptionError, MachineError, ImageError, StorageError];
  if (error instanceof Error && !ours.some((type) => error instanceof type))
    return error.stack ?? error.message;
  if (!(error instanceof Error)) return String(error);
  const { kind, choices } = error instanceof ImageError ? error : { kind: undefined, choices: [] };
  const message = kind === 'reference' ? `LINUXRUN_IMAGE: ${error.message}` : error.message;
  return [message, ...choices.map((choice) => `  LINUXRUN_IMAGE=${quoteWord(choice)}`)].join('\n');
}

// The error of a write to a pipe without a reader also goes to the writer.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
try {
  exit(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`linuxrun: ${explain(error)}\n`);
  exit(STATUS_FAILURE);
}

import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { type Container, startContainer } from '../container/container.ts';
import { OptionError } from '../container/errors.ts';
import { SIGKILL } from '../container/signals.ts';
import { MachineError } from '../machine/errors.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import { ImageError } from '../oci/errors.ts';
import { StorageError } from '../storage/errors.ts';
import { imageStore } from './places.ts';
import { PUBLIC, write } from './program.ts';
import { HELP, type RunOptions, readFlags, readOptions } from './run-options.ts';

const STATUS_FAILURE = 125;
/** The number of bytes of the kernel's log that are shown when a machine fails. */
const LOG_LENGTH = 4096;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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

async function main(args: string[]): Promise<number> {
  const flags = readFlags(args);
  if (flags.help) {
    await write(process.stdout, HELP);
    return 0;
  }
  const options = { ...readOptions(process.env, PUBLIC), jit: flags.jit };
  const signals = new Signals();
  let log = '';
  try {
    const container = await start(options, signals.aborted, (bytes) => {
      log = (log + Buffer.from(bytes).toString()).slice(-LOG_LENGTH);
    });
    signals.forwardTo(container);
    const status = await converse(container);
    if (flags.jitStats) await (await import('./report.ts')).printJitStats(container.stats());
    return status;
  } catch (error) {
    if (error instanceof Interrupted) return 128 + constants.signals[error.signal];
    if (error instanceof MachineError && log !== '') process.stderr.write(log);
    throw error;
  }
}

function start(
  options: RunOptions,
  signal: AbortSignal,
  onConsole: (bytes: Uint8Array) => void,
): Promise<Container> {
  const { image: reference, credentials, ...rest } = options;
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
    signal,
  });
  // The image is useless without a machine.
  container.catch((error) => abort.abort(error));
  return container;
}

function terminalOptions() {
  const { stdin, stdout, env } = process;
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  return { columns: stdout.columns, rows: stdout.rows, type: env.TERM ?? 'xterm' };
}

/** Signals to this process go to the container, when there is one. */
class Signals {
  readonly #abort = new AbortController();
  #container: Container | undefined;
  #requests = 0;

  constructor() {
    for (const signal of FORWARDED) process.on(signal, () => this.#handle(signal));
  }

  /** Aborted by a signal that comes before there is a container. */
  get aborted(): AbortSignal {
    return this.#abort.signal;
  }

  forwardTo(container: Container): void {
    this.#container = container;
  }

  #handle(signal: Signal): void {
    if (signal !== 'SIGHUP') this.#requests++;
    if (!this.#container) this.#abort.abort(new Interrupted(signal));
    else if (this.#requests <= 1) this.#container.kill(constants.signals[signal]);
    else if (this.#requests === 2) void this.#container.stop();
    else if (this.#requests === 3) this.#container.kill(SIGKILL);
    // Even the guest's kernel does not answer.
    else process.exit(128 + SIGKILL);
  }
}

/** Connects the container to the standard streams until it ends; returns its status. */
async function converse(container: Container): Promise<number> {
  const restore = connectInput(container);
  try {
    const [status] = await Promise.all([
      container.exit,
      copy(container.stdout, process.stdout),
      copy(container.stderr, process.stderr),
      copy(container.messages, process.stderr),
    ]);
    return status;
  } finally {
    restore();
    await container.destroy();
  }
}

/** @returns a function that restores the terminal */
function connectInput(container: Container): () => void {
  const { stdin, stdout } = process;
  if (!terminalOptions()) {
    // A container that ends without reading all of its input is no error.
    (Readable.toWeb(stdin) as ReadableStream<Uint8Array>).pipeTo(container.stdin).catch(() => {});
    return () => {};
  }
  const resize = () => container.resize(stdout.columns, stdout.rows);
  const keyboard = container.stdin.getWriter();
  stdin.setRawMode(true);
  // Node's raw mode still adds carriage returns to the newlines that are shown, which the container's
  // terminal has done where it should.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  // Input that nobody reads any more is lost with the container.
  stdin.on('data', (keys: Buffer) => void keyboard.write(keys).catch(() => {}));
  stdout.on('resize', resize);
  // The size may have changed while the machine was booting.
  resize();
  return () => {
    stdout.off('resize', resize);
    stdin.setRawMode(false);
  };
}

/** When the reader of the output stops, the container's writers get an error. */
async function copy(from: ReadableStream<Uint8Array>, to: NodeJS.WriteStream): Promise<void> {
  const reader = from.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) await write(to, next.value);
  } catch (error) {
    await reader.cancel().catch(() => {});
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'write') throw error;
    if (code !== 'EPIPE')
      throw new OutputError(`cannot write the container's output: ${code}`, { cause: error });
  }
}

function explain(error: unknown): string {
  const ours = [OutputError, OptionError, MachineError, ImageError, StorageError];
  if (error instanceof Error && !ours.some((type) => error instanceof type))
    return error.stack ?? error.message;
  return error instanceof Error ? error.message : String(error);
}

// The error of a write to a pipe without a reader also goes to the writer.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`linuxrun: ${explain(error)}\n`);
  process.exit(STATUS_FAILURE);
}

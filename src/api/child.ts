import './dispose.ts';
import { deferred } from '../machine/deferred.ts';
import type { ContainerProcess } from '../machine/machine.ts';
import { OptionError } from '../options/option-error.mjs';
import { parseSignal, SIGKILL } from '../options/signals.ts';
import { containerHost } from './host.ts';
import type { StdioSettings } from './stdio.ts';
import { emptyOutput, laterInput, laterOutput, readAll, refusingInput } from './streams.ts';

/** Linux's number or name of a signal, such as 15 or `SIGTERM`. */
export type Signal = number | `SIG${string}`;

/** What a process has written, and how it ended. */
export interface Output {
  /** 0 to 255, or 128 + n after signal n. */
  readonly status: number;
  /** All of standard output, if it was piped. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** All of standard error, if it was piped. */
  readonly stderr: Uint8Array<ArrayBuffer>;
  /** Standard output as UTF-8. */
  text(): string;
}

/** A process, which may not have started yet. */
export interface Child extends AsyncDisposable {
  /** Closed unless it is piped. Writing fails once the process no longer reads. */
  readonly stdin: WritableStream<Uint8Array>;
  /** Empty unless it is piped. A process waits while its output is not read. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Standard error, and lines about a process that cannot start. */
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Resolves when the program runs: to true, or to false if it could not start. @throws as `wait` */
  readonly started: Promise<boolean>;
  /**
   * The exit status: 0 to 255; 128 + n after signal n; 127 if the program is missing, 126 if it cannot run.
   * @throws the error with which it could not start; MachineError if its machine fails; the reason of its
   *   AbortSignal
   */
  wait(): Promise<number>;
  /** Closes standard input, unless it is in use, and reads all output. @throws as `wait` */
  waitWithOutput(): Promise<Output>;
  /** Sends a signal, by default SIGKILL. Does nothing once the process has ended. */
  kill(signal?: Signal): Promise<void>;
  /** Changes the size of its terminal, in characters. */
  resize(columns: number, rows: number): void;
  /** Ends the process. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StartedProcess {
  readonly process: ContainerProcess;
  /** Keeps Node's process alive until the function that it returns is called. */
  hold(): () => void;
}

export interface ChildOptions {
  readonly stdio: StdioSettings;
  /** Ends the process. */
  readonly signal?: AbortSignal | undefined;
  /** Called at each input. */
  readonly onInput?: (() => void) | undefined;
  /** Whether its standard input is a terminal, to which every key goes at once. */
  readonly hasTerminal?: boolean | undefined;
}

export class ProcessChild implements Child {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly started: Promise<boolean>;
  readonly #process: Promise<ContainerProcess>;
  readonly #status: Promise<number>;
  #output: Promise<Output> | undefined;

  constructor(
    started: Promise<StartedProcess>,
    { stdio, signal, onInput, hasTerminal = false }: ChildOptions,
  ) {
    const process = started.then(({ process }) => process);
    const abortion = deferred<never>();
    const aborted = abortion.promise;
    aborted.catch(() => {});
    const abort = () => {
      abortion.reject(signal?.reason);
      process.then((process) => process.killAll()).catch(() => {});
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    this.#process = process;
    this.started = Promise.race([process.then(({ started }) => started), aborted]);
    // `wait` tells the same error.
    this.started.catch(() => {});
    const hold = started.then(({ hold }) => hold);
    hold.catch(() => {});
    const stdin = laterInput(
      process.then(({ stdin }) => stdin),
      onInput,
    );
    const stdout = laterOutput([process.then(({ stdout }) => stdout)], hold, aborted);
    const errors = [process.then(({ stderr }) => stderr), process.then(({ messages }) => messages)];
    const stderr = laterOutput(errors, hold, aborted);
    const ended = new AbortController();
    this.stdin = connectInput(stdin, stdio.stdin, hasTerminal, ended.signal);
    const outputs = [connectOutput(stdout, stdio.stdout, 1), connectOutput(stderr, stdio.stderr, 2)] as const;
    this.stdout = outputs[0].stream;
    this.stderr = outputs[1].stream;
    const run = async () => {
      const status = await (await process).exit;
      await Promise.all(outputs.map(({ copied }) => copied));
      return status;
    };
    this.#status = Promise.race([run(), aborted]).finally(() => {
      ended.abort();
      signal?.removeEventListener('abort', abort);
    });
    // Its streams tell the same error.
    this.#status.catch(() => {});
  }

  wait(): Promise<number> {
    return this.#status;
  }

  waitWithOutput(): Promise<Output> {
    this.#output ??= this.#collect();
    return this.#output;
  }

  async #collect(): Promise<Output> {
    if (!this.stdin.locked) this.stdin.close().catch(() => {});
    const [status, stdout, stderr] = await Promise.all([
      this.#status,
      readAll(this.stdout, 'standard output'),
      readAll(this.stderr, 'standard error'),
    ]);
    return { status, stdout, stderr, text: () => new TextDecoder().decode(stdout) };
  }

  async kill(signal: Signal = SIGKILL): Promise<void> {
    const number = parseSignal(String(signal));
    const process = await this.#process.catch(() => undefined);
    process?.kill(number);
  }

  resize(columns: number, rows: number): void {
    this.#process.then(
      (process) => process.resize(columns, rows),
      () => {},
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#status.catch(() => {});
  }
}

/** @param ended aborts when the process has ended */
function connectInput(
  stdin: WritableStream<Uint8Array>,
  stdio: StdioSettings['stdin'],
  hasTerminal: boolean,
  ended: AbortSignal,
): WritableStream<Uint8Array> {
  if (stdio === 'piped') return stdin;
  // A process may end before it has read all of its input.
  if (stdio !== 'inherit') stdin.close().catch(() => {});
  else
    containerHost()
      .openInput(hasTerminal)
      .pipeTo(stdin, { signal: ended })
      .catch(() => {});
  return refusingInput(new OptionError(`standard input is ${stdio}: write to one that is piped`));
}

function connectOutput(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  stdio: StdioSettings['stdout'],
  descriptor: 1 | 2,
) {
  if (stdio === 'piped') return { stream, copied: Promise.resolve() };
  const target =
    stdio === 'inherit' ? containerHost().openOutput(descriptor) : new WritableStream<Uint8Array>();
  const copied = stream.pipeTo(target);
  copied.catch(() => {});
  return { stream: emptyOutput(), copied };
}

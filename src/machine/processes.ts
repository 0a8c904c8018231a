import {
  type ContainerRequest,
  type ExecRequest,
  encodeContainer,
  encodeExec,
  encodeReadFile,
  encodeRun,
  encodeWriteFile,
  type Usage,
} from './agent-protocol.ts';
import { type Deferred, deferred } from './deferred.ts';
import { MachineError } from './errors.ts';
import { processStream, type ToMachine } from './protocol.ts';
import type { StreamMux } from './stream-mux.ts';
import type { TerminalSize } from './terminal-size.ts';

export interface RunOptions {
  /** Program and arguments; the program is looked up in PATH. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd?: string;
}

export interface ConsoleProcess {
  /** 0 to 255, 128 + n after signal n; rejects when the machine ends first. */
  readonly exit: Promise<number>;
  kill(signal: number): void;
}

type Output = ReadableStream<Uint8Array<ArrayBuffer>>;

export interface GuestProcess extends ConsoleProcess {
  readonly stdin: WritableStream<Uint8Array>;
  /** To be read to the end: a process blocks when nobody takes its output. */
  readonly stdout: Output;
  /** Likewise; ends at once when there is a terminal. */
  readonly stderr: Output;
}

/** A process of a container. */
export interface ContainerProcess extends GuestProcess {
  /** What the guest's agent has to say about the process, in lines: why it did not start, that memory ran out. */
  readonly messages: Output;
  /** Changes the size of its terminal, in characters. */
  resize(columns: number, rows: number): void;
}

/** A container, by its first process. */
export interface ContainerHandle {
  readonly id: number;
}

/** A file of a container on its way: `exit` is 0, or the reason is a line of `messages`. */
type FileTransfer = Pick<ContainerProcess, 'exit' | 'messages'>;

export interface FileReading extends FileTransfer {
  /** Its end is the file's only when `exit` is 0. */
  readonly content: Output;
}

export interface FileWriting extends FileTransfer {
  /** Takes the content as the agent protocol's chunks. */
  readonly chunks: WritableStream<Uint8Array>;
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const MESSAGES = 3;

/** What the owner of a machine has its agent do: processes, containers and their files. */
export class Processes {
  readonly #mux: StreamMux;
  readonly #post: (message: ToMachine) => void;
  readonly #running = new Map<number, Deferred<number>>();
  /** In the order of their questions. */
  readonly #measuring: Deferred<Usage>[] = [];
  #next = 1;
  #ended: Error | undefined;

  constructor(mux: StreamMux, post: (message: ToMachine) => void) {
    this.#mux = mux;
    this.#post = post;
  }

  /** @throws RangeError when arguments and environment hold NUL or exceed 1 MiB, as all that follow */
  run(options: RunOptions): GuestProcess {
    const id = this.#next++;
    const message = encodeOptions(id, options, false);
    const streams = {
      stdin: this.#input(id),
      stdout: this.#output(id, STDOUT),
      stderr: this.#output(id, STDERR),
    };
    return { ...streams, ...this.#start(id, message, [STDOUT, STDERR]) };
  }

  runOnConsole(options: RunOptions): ConsoleProcess {
    const id = this.#next++;
    return this.#start(id, encodeOptions(id, options, true), undefined);
  }

  runContainer(options: Omit<ContainerRequest, 'process'>): ContainerProcess & ContainerHandle {
    const id = this.#next++;
    return {
      id,
      ...this.#startContained(id, encodeContainer({ ...options, process: id }), options.terminal),
    };
  }

  exec(options: Omit<ExecRequest, 'process'>): ContainerProcess {
    const id = this.#next++;
    return this.#startContained(id, encodeExec({ ...options, process: id }), options.terminal);
  }

  readFile(container: number, path: string): FileReading {
    const id = this.#next++;
    const message = encodeReadFile({ process: id, container, path });
    const streams = { content: this.#output(id, STDOUT), messages: this.#output(id, MESSAGES) };
    return { ...streams, ...this.#start(id, message, [STDOUT, MESSAGES]) };
  }

  writeFile(container: number, path: string, mode: number | undefined): FileWriting {
    const id = this.#next++;
    const message = encodeWriteFile({ process: id, container, path }, mode);
    const streams = { chunks: this.#input(id), messages: this.#output(id, MESSAGES) };
    return { ...streams, ...this.#start(id, message, [MESSAGES]) };
  }

  measure(container: number): Promise<Usage> {
    if (this.#ended) return Promise.reject(this.#ended);
    const pending = deferred<Usage>();
    this.#measuring.push(pending);
    this.#post({ type: 'measure', container });
    return pending.promise;
  }

  exited(process: number, status: number): void {
    this.#take(process)?.resolve(status);
  }

  failed(process: number, reason: string): void {
    this.#take(process)?.reject(new MachineError(reason));
  }

  measured(usage: Usage): void {
    this.#measuring.shift()?.resolve(usage);
  }

  /** The machine has ended: so have they all, and whatever is asked for later. */
  destroy(error: Error): void {
    this.#ended = error;
    for (const { reject } of [...this.#running.values(), ...this.#measuring]) reject(error);
    this.#running.clear();
    this.#measuring.length = 0;
  }

  #startContained(id: number, message: Uint8Array, terminal: TerminalSize | undefined): ContainerProcess {
    const streams = {
      stdin: this.#input(id),
      stdout: this.#output(id, STDOUT),
      stderr: terminal ? emptyStream() : this.#output(id, STDERR),
      messages: this.#output(id, MESSAGES),
    };
    const outputs = terminal ? [STDOUT, MESSAGES] : [STDOUT, STDERR, MESSAGES];
    const resize = (columns: number, rows: number) =>
      this.#post({ type: 'resize-process', process: id, size: { columns, rows } });
    return { ...streams, ...this.#start(id, message, outputs), resize };
  }

  #start(id: number, message: Uint8Array, outputs: readonly number[] | undefined): ConsoleProcess {
    const pending = deferred<number>();
    pending.promise.catch(() => {});
    if (this.#ended) pending.reject(this.#ended);
    else this.#running.set(id, pending);
    this.#post({ type: 'run', process: id, outputs, message });
    return { exit: pending.promise, kill: (signal) => this.#post({ type: 'signal', process: id, signal }) };
  }

  #take(process: number): Deferred<number> | undefined {
    const pending = this.#running.get(process);
    this.#running.delete(process);
    return pending;
  }

  #input(process: number): WritableStream<Uint8Array> {
    return this.#mux.writable(processStream(process, STDIN));
  }

  #output(process: number, descriptor: number): Output {
    return this.#mux.readable(processStream(process, descriptor));
  }
}

function encodeOptions(process: number, options: RunOptions, console: boolean): Uint8Array {
  const { args, env = {}, cwd = '/' } = options;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return encodeRun({ process, args, env: variables, directory: cwd, console });
}

function emptyStream(): Output {
  return new ReadableStream({ start: (controller) => controller.close() });
}

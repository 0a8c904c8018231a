import {
  type ContainerRequest,
  type ExecRequest,
  encodeChannel,
  encodeContainer,
  encodeExec,
  encodeForward,
  encodeListFolder,
  encodeMakeFolder,
  encodeReadFile,
  encodeRemoveFile,
  encodeRenameFile,
  encodeRun,
  encodeStatFile,
  encodeWatchFile,
  encodeWriteFile,
  type FileRequest,
  newTokens,
  type ProcessRequest,
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
  /** Must be read to the end, because a process blocks until its output is read. */
  readonly stdout: Output;
  /** The same for standard error; ends at once when there is a terminal. */
  readonly stderr: Output;
}

/** A process of a container. */
export interface ContainerProcess extends GuestProcess {
  /** Resolves when the program runs: to true, or to false if it ended before that. */
  readonly started: Promise<boolean>;
  /** Lines of the guest's agent about the process: why it did not start, that memory ran out. */
  readonly messages: Output;
  /** Changes the size of its terminal, in characters. */
  resize(columns: number, rows: number): void;
  /**
   * Kills it and all its descendants, also those that it has left behind when it ended. None can escape, and
   * none starts afterwards.
   */
  killAll(): void;
}

/** A container in its machine. */
export interface ContainerHandle {
  readonly name: string;
}

/** The first process of a container. */
export interface FirstProcess extends ContainerProcess, ContainerHandle {
  /** Sends a signal, and hangs up the terminal of a process that does not handle the signal. */
  stop(signal: number): void;
}

/** A request for a file of a container: `exit` is 0, or the reason is a line of `messages`. */
export type FileTask = Pick<ContainerProcess, 'exit' | 'messages' | 'kill'>;

export interface FileReading extends FileTask {
  /** The file's content, or the records of a listing. It is complete only if `exit` is 0. */
  readonly content: Output;
}

export interface FileWriting extends FileTask {
  /** Takes the content as the agent protocol's chunks. */
  readonly chunks: WritableStream<Uint8Array>;
}

/** The process that connects to servers of a container. */
export interface Forwarding {
  readonly commands: WritableStream<Uint8Array>;
  readonly events: Output;
  readonly exit: Promise<number>;
}

/** The process of a channel. */
export interface ChannelForwarding extends Forwarding {
  /** The reason of a failure. */
  readonly messages: Output;
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const MESSAGES = 3;
const SIGKILL = 9;

/** What the owner of a machine has its agent do: processes, containers and their files. */
export class Processes {
  readonly #mux: StreamMux;
  readonly #post: (message: ToMachine) => void;
  readonly #running = new Map<number, Deferred<number>>();
  /** Processes of containers, until their end. */
  readonly #starting = new Map<number, Deferred<boolean>>();
  /** In the order of their questions. */
  readonly #measuring: Deferred<Usage>[] = [];
  #next = 1;
  #ended: Error | undefined;

  constructor(mux: StreamMux, post: (message: ToMachine) => void) {
    this.#mux = mux;
    this.#post = post;
  }

  /** @throws OptionError when arguments and environment hold NUL or exceed 1 MiB, as all that follow */
  run(options: RunOptions): GuestProcess {
    const head = this.#head();
    const message = encodeOptions(head, options, false);
    const streams = {
      stdin: this.#input(head.process),
      stdout: this.#output(head.process, STDOUT),
      stderr: this.#output(head.process, STDERR),
    };
    return { ...streams, ...this.#start(head, message, [STDOUT, STDERR]) };
  }

  runOnConsole(options: RunOptions): ConsoleProcess {
    const head = this.#head();
    return this.#start(head, encodeOptions(head, options, true), undefined);
  }

  runContainer(options: Omit<ContainerRequest, keyof ProcessRequest>): FirstProcess {
    const head = this.#head();
    const message = encodeContainer({ ...options, ...head });
    const { process } = head;
    return {
      name: options.name,
      stop: (signal) => this.#post({ type: 'stop-process', process, signal }),
      // The others end with a container's first process.
      killAll: () => this.#post({ type: 'signal', process, signal: SIGKILL }),
      ...this.#startContained(head, message, options.terminal),
    };
  }

  exec(options: Omit<ExecRequest, keyof ProcessRequest>): ContainerProcess {
    const head = this.#head();
    const { process } = head;
    const { container } = options;
    return {
      killAll: () => this.#post({ type: 'kill-all', process, container }),
      ...this.#startContained(head, encodeExec({ ...options, ...head }), options.terminal),
    };
  }

  readFile(container: string, path: string): FileReading {
    return this.#read({ ...this.#head(), container, path }, encodeReadFile);
  }

  writeFile(container: string, path: string, mode: number | undefined): FileWriting {
    const head = this.#head();
    const message = encodeWriteFile({ ...head, container, path }, mode);
    const streams = { chunks: this.#input(head.process), messages: this.#output(head.process, MESSAGES) };
    return { ...streams, ...this.#start(head, message, [MESSAGES]) };
  }

  listFolder(container: string, path: string): FileReading {
    return this.#read({ ...this.#head(), container, path }, encodeListFolder);
  }

  statFile(container: string, path: string, followsLink: boolean): FileReading {
    return this.#read({ ...this.#head(), container, path }, (request) =>
      encodeStatFile(request, followsLink),
    );
  }

  watchFile(container: string, path: string, recursive: boolean): FileReading {
    return this.#read({ ...this.#head(), container, path }, (request) => encodeWatchFile(request, recursive));
  }

  makeFolder(container: string, path: string, mode: number, withParents: boolean): FileTask {
    const request = { ...this.#head(), container, path };
    return this.#change(request, encodeMakeFolder(request, mode, withParents));
  }

  removeFile(container: string, path: string, recursive: boolean): FileTask {
    const request = { ...this.#head(), container, path };
    return this.#change(request, encodeRemoveFile(request, recursive));
  }

  renameFile(container: string, path: string, newPath: string, replace: boolean): FileTask {
    const request = { ...this.#head(), container, path };
    return this.#change(request, encodeRenameFile(request, newPath, replace));
  }

  forward(container: string): Forwarding {
    const head = this.#head();
    const streams = {
      commands: this.#input(head.process),
      events: this.#output(head.process, STDOUT),
    };
    const { exit } = this.#start(head, encodeForward({ ...head, container }), [STDOUT]);
    return { ...streams, exit };
  }

  channel(container: string, name: string): ChannelForwarding {
    const head = this.#head();
    const message = encodeChannel({ ...head, container, name });
    const streams = {
      commands: this.#input(head.process),
      events: this.#output(head.process, STDOUT),
      messages: this.#output(head.process, MESSAGES),
    };
    const { exit } = this.#start(head, message, [STDOUT, MESSAGES]);
    return { ...streams, exit };
  }

  measure(container: string): Promise<Usage> {
    if (this.#ended) return Promise.reject(this.#ended);
    const pending = deferred<Usage>();
    this.#measuring.push(pending);
    this.#post({ type: 'measure', container });
    return pending.promise;
  }

  started(process: number): void {
    this.#starting.get(process)?.resolve(true);
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

  /** The machine has ended, and with it all processes and later requests. */
  destroy(error: Error): void {
    this.#ended = error;
    for (const { reject } of [...this.#running.values(), ...this.#measuring]) reject(error);
    this.#running.clear();
    this.#measuring.length = 0;
  }

  #head(): ProcessRequest {
    return { process: this.#next++, tokens: newTokens() };
  }

  #read(request: FileRequest, encode: (request: FileRequest) => Uint8Array): FileReading {
    const message = encode(request);
    const streams = {
      content: this.#output(request.process, STDOUT),
      messages: this.#output(request.process, MESSAGES),
    };
    return { ...streams, ...this.#start(request, message, [STDOUT, MESSAGES]) };
  }

  #change(request: FileRequest, message: Uint8Array): FileTask {
    const messages = this.#output(request.process, MESSAGES);
    return { messages, ...this.#start(request, message, [MESSAGES]) };
  }

  #startContained(
    head: ProcessRequest,
    message: Uint8Array,
    terminal: TerminalSize | undefined,
  ): Omit<ContainerProcess, 'killAll'> {
    const { process } = head;
    const streams = {
      stdin: this.#input(process),
      stdout: this.#output(process, STDOUT),
      stderr: terminal ? emptyStream() : this.#output(process, STDERR),
      messages: this.#output(process, MESSAGES),
    };
    const outputs = terminal ? [STDOUT, MESSAGES] : [STDOUT, STDERR, MESSAGES];
    const resize = (columns: number, rows: number) =>
      this.#post({ type: 'resize-process', process, size: { columns, rows } });
    const { exit, kill } = this.#start(head, message, outputs);
    return { ...streams, started: this.#startOf(process, exit), exit, kill, resize };
  }

  #start(
    { process, tokens }: ProcessRequest,
    message: Uint8Array,
    outputs: readonly number[] | undefined,
  ): ConsoleProcess {
    const pending = deferred<number>();
    pending.promise.catch(() => {});
    if (this.#ended) pending.reject(this.#ended);
    else this.#running.set(process, pending);
    this.#post({ type: 'run', process, tokens, outputs, message });
    return { exit: pending.promise, kill: (signal) => this.#post({ type: 'signal', process, signal }) };
  }

  #startOf(process: number, exit: Promise<number>): Promise<boolean> {
    const start = deferred<boolean>();
    this.#starting.set(process, start);
    const end = () => {
      this.#starting.delete(process);
      start.resolve(false);
    };
    exit.then(end, end);
    return start.promise;
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

function encodeOptions(head: ProcessRequest, options: RunOptions, console: boolean): Uint8Array {
  const { args, env = {}, cwd = '/' } = options;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return encodeRun({ ...head, args, env: variables, directory: cwd, console });
}

function emptyStream(): Output {
  return new ReadableStream({ start: (controller) => controller.close() });
}

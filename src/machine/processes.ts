import type { Usage } from './agent-messages.ts';
import {
  type ContainerRequest,
  type ExecRequest,
  encodeChannel,
  encodeContainer,
  encodeExec,
  encodeForward,
  encodeRun,
  newTokens,
  type ProcessRequest,
} from './agent-requests.ts';
import { type Deferred, deferred } from './deferred.ts';
import { MachineError } from './errors.ts';
import type { EncodeRequest, FileReading, FileTask, FileWriting } from './file-requests.ts';
import type {
  ConsoleProcess,
  ContainerProcess,
  FirstProcess,
  GuestProcess,
  Output,
} from './guest-process.ts';
import { CONSOLE_INPUT, isProcessStream, processStream, type ToMachine } from './protocol.ts';
import { type Plain, StateReader } from './state.ts';
import { readUnread, type StreamMux, type UnreadBytes } from './stream-mux.ts';
import type { TerminalSize } from './terminal-size.ts';

export interface RunOptions {
  /** Program and arguments; the program is looked up in PATH. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd?: string;
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

/** What runs in a machine that goes on from a state, in the order of its start, with its streams. */
export interface Resumed {
  readonly containers: readonly FirstProcess[];
  /** Further processes. */
  readonly processes: readonly ContainerProcess[];
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const MESSAGES = 3;
const SIGKILL = 9;
/** Limits of a saved state. */
const MAX_PROCESSES = 4096;
const MAX_NUMBER = 2 ** 32 - 1;
const MAX_NAME = 1000;

const KINDS = ['container', 'exec'] as const;

/** A process of a container, as far as a saved state has it. */
interface Contained {
  /** Whether it is the container's first process. */
  readonly kind: (typeof KINDS)[number];
  readonly container: string;
  readonly hasTerminal: boolean;
  isStarted: boolean;
  /** Its exit status; its streams may go on after its end. */
  status: number | null;
}

/** How other requests end when the machine goes on from a state: nobody has their streams any more. */
type Ending = 'kill' | 'close';

interface Running {
  readonly exit: Deferred<number>;
  readonly ending: Ending | undefined;
}

/** What the owner of a machine has its agent do. */
export class Processes {
  readonly #mux: StreamMux;
  readonly #send: (message: ToMachine) => void;
  readonly #running = new Map<number, Running>();
  /** Processes of containers, until their streams have been read to the end. */
  readonly #contained = new Map<number, Contained>();
  readonly #starting = new Map<number, Deferred<boolean>>();
  /** In the order of their questions. */
  readonly #measuring: Deferred<Usage>[] = [];
  #next = 1;
  /** Messages from after `freeze`, and the number of the first process in them. */
  #held: { readonly messages: ToMachine[]; readonly next: number } | undefined;
  #ended: Error | undefined;

  constructor(mux: StreamMux, post: (message: ToMachine) => void) {
    this.#mux = mux;
    this.#send = post;
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
    return { ...streams, ...this.#start(head, message, [STDOUT, STDERR], 'kill') };
  }

  runOnConsole(options: RunOptions): ConsoleProcess {
    const head = this.#head();
    return this.#start(head, encodeOptions(head, options, true), undefined, undefined);
  }

  runContainer(options: Omit<ContainerRequest, keyof ProcessRequest>): FirstProcess {
    const head = this.#head();
    const message = encodeContainer({ ...options, ...head });
    const { name, terminal } = options;
    return this.#firstProcess(
      head.process,
      name,
      this.#startContained(head, message, 'container', name, terminal),
    );
  }

  exec(options: Omit<ExecRequest, keyof ProcessRequest>): ContainerProcess {
    const head = this.#head();
    const message = encodeExec({ ...options, ...head });
    const { container, terminal } = options;
    return this.#furtherProcess(
      head.process,
      container,
      this.#startContained(head, message, 'exec', container, terminal),
    );
  }

  /** Sends a request of which the guest's agent writes the answer to a stream. */
  startReading(encode: EncodeRequest): FileReading {
    const head = this.#head();
    const message = encode(head);
    const streams = { content: this.#output(head.process, STDOUT), messages: this.#messages(head) };
    return { ...streams, ...this.#start(head, message, [STDOUT, MESSAGES], 'kill') };
  }

  /** Sends a request of which the guest's agent reads a stream. */
  startWriting(encode: EncodeRequest): FileWriting {
    const head = this.#head();
    const message = encode(head);
    const streams = { chunks: this.#input(head.process), messages: this.#messages(head) };
    return { ...streams, ...this.#start(head, message, [MESSAGES], 'kill') };
  }

  /** Sends a request without a stream. */
  startTask(encode: EncodeRequest): FileTask {
    const head = this.#head();
    const message = encode(head);
    const messages = this.#messages(head);
    return { messages, ...this.#start(head, message, [MESSAGES], 'kill') };
  }

  forward(container: string): Forwarding {
    const head = this.#head();
    const streams = {
      commands: this.#input(head.process),
      events: this.#output(head.process, STDOUT),
    };
    const { exit } = this.#start(head, encodeForward({ ...head, container }), [STDOUT], 'close');
    return { ...streams, exit };
  }

  channel(container: string, name: string): ChannelForwarding {
    const head = this.#head();
    const message = encodeChannel({ ...head, container, name });
    const streams = {
      commands: this.#input(head.process),
      events: this.#output(head.process, STDOUT),
      messages: this.#messages(head),
    };
    const { exit } = this.#start(head, message, [STDOUT, MESSAGES], 'close');
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
    const contained = this.#contained.get(process);
    if (contained) contained.isStarted = true;
    this.#starting.get(process)?.resolve(true);
  }

  exited(process: number, status: number): void {
    const contained = this.#contained.get(process);
    if (contained) contained.status = status;
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
    for (const { exit } of this.#running.values()) exit.reject(error);
    for (const { reject } of this.#measuring) reject(error);
    this.#running.clear();
    this.#measuring.length = 0;
  }

  /** Keeps requests and input back from the machine, and output from its readers, until `proceed`. */
  freeze(): void {
    this.#held = { messages: [], next: this.#next };
    this.#mux.freeze((stream) => isProcessStream(stream) || stream === CONSOLE_INPUT);
  }

  /** The machine goes on, or has taken over a state. */
  proceed(): void {
    const { messages = [] } = this.#held ?? {};
    this.#held = undefined;
    for (const message of messages) this.#send(message);
    this.#mux.thaw();
  }

  /** The state when the machine has told its own. */
  state(): Plain {
    const next = this.#held?.next ?? this.#next;
    this.#forgetContained();
    const others = [...this.#running].flatMap(([process, { ending }]) =>
      ending && process < next ? [{ process, ending }] : [],
    );
    return {
      next,
      processes: [...this.#contained]
        .filter(([process]) => process < next)
        .map(([process, contained]) => this.#stateOf(process, contained)),
      others,
    };
  }

  #stateOf(process: number, contained: Contained): Plain {
    const output = (descriptor: number) => ({ ...this.#mux.unread(processStream(process, descriptor)) });
    return {
      process,
      ...contained,
      takesInput: this.#mux.isWritable(processStream(process, STDIN)),
      outputs: outputsOf(contained.hasTerminal).map(output),
    };
  }

  /**
   * Takes over the processes of another machine, before this one starts. Its agent knows them from `proceed`
   * on.
   * @throws StateError
   */
  resume(state: Plain): Resumed {
    const reader = new StateReader(state, 'owner');
    this.#next = reader.field('next').integer(1, Number.MAX_SAFE_INTEGER);
    this.#held = { messages: [], next: this.#next };
    for (const other of reader.field('others').list(MAX_PROCESSES)) {
      const process = other.field('process').integer(1, MAX_NUMBER);
      if (other.field('ending').oneOf(['kill', 'close']) === 'kill')
        this.#post({ type: 'signal', process, signal: SIGKILL });
      this.#post({ type: 'abort', stream: processStream(process, STDIN), reason: 'nobody sends any more' });
    }
    const containers: FirstProcess[] = [];
    const processes: ContainerProcess[] = [];
    for (const entry of reader.field('processes').list(MAX_PROCESSES)) {
      const process = entry.field('process').integer(1, MAX_NUMBER);
      if (this.#contained.has(process)) entry.field('process').fail('is there twice');
      const contained: Contained = {
        kind: entry.field('kind').oneOf(KINDS),
        container: entry.field('container').text(MAX_NAME),
        hasTerminal: entry.field('hasTerminal').boolean(),
        isStarted: entry.field('isStarted').boolean(),
        status: entry.field('status').optional()?.integer(0, MAX_NUMBER) ?? null,
      };
      this.#contained.set(process, contained);
      const common = this.#resumeContained(process, contained, entry);
      if (contained.kind === 'container')
        containers.push(this.#firstProcess(process, contained.container, common));
      else processes.push(this.#furtherProcess(process, contained.container, common));
    }
    return { containers, processes };
  }

  #resumeContained(
    process: number,
    { hasTerminal, isStarted, status }: Contained,
    state: StateReader,
  ): Omit<ContainerProcess, 'killAll'> {
    const descriptors = outputsOf(hasTerminal);
    const unread = state.field('outputs').list(descriptors.length).map(readUnread);
    if (unread.length < descriptors.length) state.field('outputs').fail('are too few');
    const output = (descriptor: number) =>
      this.#output(process, descriptor, unread[descriptors.indexOf(descriptor)]);
    const running = { exit: deferred<number>(), ending: undefined };
    if (status === null) this.#running.set(process, running);
    else running.exit.resolve(status);
    const exit = running.exit.promise;
    exit.catch(() => {});
    return {
      stdin: state.field('takesInput').boolean() ? this.#input(process) : closedStream(),
      stdout: output(STDOUT),
      stderr: hasTerminal ? emptyStream() : output(STDERR),
      messages: output(MESSAGES),
      started: isStarted ? Promise.resolve(true) : this.#startOf(process, exit),
      exit,
      kill: this.#killOf(process),
      resize: this.#resizeOf(process),
    };
  }

  #head(): ProcessRequest {
    return { process: this.#next++, tokens: newTokens() };
  }

  #firstProcess(process: number, name: string, common: Omit<ContainerProcess, 'killAll'>): FirstProcess {
    return {
      name,
      stop: (signal) => this.#post({ type: 'stop-process', process, signal }),
      // The others end with a container's first process.
      killAll: () => this.#post({ type: 'signal', process, signal: SIGKILL }),
      ...common,
    };
  }

  #furtherProcess(
    process: number,
    container: string,
    common: Omit<ContainerProcess, 'killAll'>,
  ): ContainerProcess {
    return { killAll: () => this.#post({ type: 'kill-all', process, container }), ...common };
  }

  #startContained(
    head: ProcessRequest,
    message: Uint8Array,
    kind: Contained['kind'],
    container: string,
    terminal: TerminalSize | undefined,
  ): Omit<ContainerProcess, 'killAll'> {
    const { process } = head;
    this.#forgetContained();
    const hasTerminal = terminal !== undefined;
    this.#contained.set(process, { kind, container, hasTerminal, isStarted: false, status: null });
    const streams = {
      stdin: this.#input(process),
      stdout: this.#output(process, STDOUT),
      stderr: hasTerminal ? emptyStream() : this.#output(process, STDERR),
      messages: this.#output(process, MESSAGES),
    };
    const { exit, kill } = this.#start(head, message, outputsOf(hasTerminal), undefined);
    return { ...streams, started: this.#startOf(process, exit), exit, kill, resize: this.#resizeOf(process) };
  }

  #resizeOf(process: number): ContainerProcess['resize'] {
    return (columns, rows) => this.#post({ type: 'resize-process', process, size: { columns, rows } });
  }

  /** Forgets the processes that have ended and whose streams have been read. */
  #forgetContained(): void {
    for (const [process, { status, hasTerminal }] of this.#contained) {
      const isOver = (descriptor: number) => {
        const { bytes, end } = this.#mux.unread(processStream(process, descriptor));
        return bytes.length === 0 && end === '';
      };
      if (status !== null && outputsOf(hasTerminal).every(isOver)) this.#contained.delete(process);
    }
  }

  #start(
    { process, tokens }: ProcessRequest,
    message: Uint8Array,
    outputs: readonly number[] | undefined,
    ending: Ending | undefined,
  ): ConsoleProcess {
    const exit = deferred<number>();
    exit.promise.catch(() => {});
    if (this.#ended) exit.reject(this.#ended);
    else this.#running.set(process, { exit, ending });
    this.#post({ type: 'run', process, tokens, outputs, message });
    return { exit: exit.promise, kill: this.#killOf(process) };
  }

  #killOf(process: number): ConsoleProcess['kill'] {
    return (signal) => this.#post({ type: 'signal', process, signal });
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
    const running = this.#running.get(process);
    this.#running.delete(process);
    return running?.exit;
  }

  #post(message: ToMachine): void {
    if (this.#held) this.#held.messages.push(message);
    else this.#send(message);
  }

  #input(process: number): WritableStream<Uint8Array> {
    return this.#mux.writable(processStream(process, STDIN));
  }

  #messages({ process }: ProcessRequest): Output {
    return this.#output(process, MESSAGES);
  }

  #output(process: number, descriptor: number, unread?: UnreadBytes): Output {
    return this.#mux.readable(processStream(process, descriptor), () => {}, unread);
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

/** A stream that was closed elsewhere. */
function closedStream(): WritableStream<Uint8Array> {
  return new WritableStream({ start: (controller) => controller.error(new Error('the stream is closed')) });
}

/** The descriptors of the streams from a container's process. */
function outputsOf(hasTerminal: boolean): readonly number[] {
  return hasTerminal ? [STDOUT, MESSAGES] : [STDOUT, STDERR, MESSAGES];
}

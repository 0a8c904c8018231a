import { chunks } from '../streams/chunks.ts';
import { CONTROL_PORT, PROTOCOL_VERSION, STREAM_PORT, TOKEN_SIZE } from './agent-codes.ts';
import { type GuestMessage, MessageReader, type Usage } from './agent-messages.ts';
import {
  encodeKill,
  encodeMeasure,
  encodeNetwork,
  encodePowerOff,
  encodeResize,
  encodeResume,
  encodeSignal,
  encodeStop,
  encodeSuspend,
  type GuestNetwork,
  type Resumption,
} from './agent-requests.ts';
import { type Deferred, deferred } from './deferred.ts';
import type { VsockDevice, VsockStream } from './devices/vsock/device.ts';
import { MachineError, StateError } from './errors.ts';
import { sendInput, sendOutput } from './guest-streams.ts';
import { processStream } from './protocol.ts';
import { type Plain, StateReader } from './state.ts';
import { readUnread, type StreamMux } from './stream-mux.ts';
import { type OpenedStream, StreamTokens } from './stream-tokens.ts';
import type { TerminalSize } from './terminal-size.ts';

const STDIN = 0;
const STDERR = 2;
const MESSAGES = 3;
const NO_STREAMS = 'the agent could not open its streams to the host';
/** How long the guest may take to freeze its processes, in ms. It does not wait for longer than a second. */
const FREEZE_PATIENCE = 10_000;
/** Processes and messages in a saved state; the guest runs 256 programs at most. */
const MAX_PROCESSES = 4096;
const MAX_BACKLOG = 65_536;
const MAX_MESSAGE = 4 << 20;
const MAX_NUMBER = 2 ** 32 - 1;
/** Of the tokens in a message that starts a process. */
const TOKENS_SIZE = 4 * TOKEN_SIZE;

/** What the agent tells about processes, by their numbers, and about containers. */
export interface AgentEvents {
  /** The program runs. Processes without a container do not tell. */
  started(process: number): void;
  exited(process: number, status: number): void;
  /** Neither the process nor its end will be heard of any more. */
  lost(process: number, reason: string): void;
  /** The answers to `measure`, in the order of these. */
  usage(usage: Usage): void;
}

/** The standard streams of a process. */
export interface ProcessStreams {
  /** Those of the message that starts it. */
  readonly tokens: Uint8Array;
  /** The descriptors that the guest opens streams for, besides standard input. */
  readonly outputs: readonly number[];
}

interface OpenStreams extends ProcessStreams {
  readonly stdin: ReadableStream<Uint8Array>;
}

interface GuestProcess {
  /** None for a process on the console. */
  readonly streams: OpenStreams | undefined;
  /** Descriptors whose streams the guest has not opened yet. */
  readonly awaited: Set<number>;
  /** The guest's ports of the streams that it has opened and that carry bytes, by descriptor. */
  readonly ports: Map<number, number>;
  isStarted: boolean;
  /** Its streams may go on after its end. */
  hasEnded: boolean;
}

/** The stream of the protocol's messages. */
interface Control {
  /** The guest's. */
  readonly port: number;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
}

/** The host's side of the agent protocol: runs processes in the guest. */
export class Agent {
  readonly #vsock: Pick<VsockDevice, 'listen' | 'takeResumed'>;
  readonly #mux: StreamMux;
  readonly #events: AgentEvents;
  readonly #processes = new Map<number, GuestProcess>();
  readonly #tokens = new StreamTokens();
  readonly #stopListening: () => void;
  /** Messages for the guest from before it said HELLO, or while it is suspended. */
  #backlog: Uint8Array[] = [];
  #control: Control | undefined;
  #reader = new MessageReader();
  #isFrozen = false;
  #ended: string | undefined;
  /** Settles when the guest has frozen its processes. */
  #suspended: Deferred<void> | undefined;
  /** The number of questions for the usage that have no answer yet. */
  #asked = 0;
  /** Of these, the ones that were asked before the guest was suspended elsewhere. */
  #unwanted = 0;

  /** @param mux carries the streams of processes from and to the owner */
  constructor(vsock: Pick<VsockDevice, 'listen' | 'takeResumed'>, mux: StreamMux, events: AgentEvents) {
    this.#vsock = vsock;
    this.#mux = mux;
    this.#events = events;
    this.#stopListening = vsock.listen(CONTROL_PORT, (stream) => {
      this.#stopListening();
      void this.#converse(stream);
    });
    vsock.listen(STREAM_PORT, (stream) => void this.#tokens.accept(stream));
  }

  /**
   * @param run the message that starts process `id`
   * @param streams none for a process on the console
   */
  run(id: number, run: Uint8Array, streams?: ProcessStreams): void {
    const awaited = new Set(streams ? [STDIN, ...streams.outputs] : []);
    const opened = streams && { ...streams, stdin: this.#mux.readable(processStream(id, STDIN)) };
    const process = { streams: opened, awaited, ports: new Map(), isStarted: false, hasEnded: false };
    if (this.#ended === undefined) {
      this.#processes.set(id, process);
      this.#await(id, process);
      this.#send(run);
    } else {
      this.#lose(id, process, this.#ended);
    }
  }

  signal(process: number, signal: number): void {
    if (this.#isRunning(process)) this.#send(encodeSignal(process, signal));
  }

  /** Kills a further process of a container and its descendants, which it may have left behind. */
  killAll(process: number, container: string): void {
    this.#send(encodeKill(process, container));
  }

  stop(process: number, signal: number): void {
    if (this.#isRunning(process)) this.#send(encodeStop(process, signal));
  }

  resize(process: number, terminal: TerminalSize): void {
    if (this.#isRunning(process)) this.#send(encodeResize(process, terminal));
  }

  measure(container: string): void {
    this.#asked++;
    this.#send(encodeMeasure(container));
  }

  /** Tells the guest how it is reached by its network card. Containers made afterwards get it. */
  setNetwork(network: GuestNetwork): void {
    this.#send(encodeNetwork(network));
  }

  /** Takes the stream that the guest opens with this token for a connection. */
  expect(token: Uint8Array, onStream: (stream: OpenedStream) => void): void {
    if (this.#ended === undefined) this.#tokens.expect(token, onStream);
  }

  /** Expects the stream no more. */
  forget(token: Uint8Array): void {
    this.#tokens.forget(token);
  }

  powerOff(): void {
    this.#send(encodePowerOff());
  }

  /**
   * Has the guest freeze the processes of its containers, and keeps further messages and input back until
   * `proceed`, which is also due if this fails.
   * @throws MachineError if the guest does not do it
   */
  async freeze(): Promise<void> {
    if (this.#ended !== undefined) throw new MachineError(this.#ended);
    if (!this.#control) throw new MachineError('the guest has not started yet');
    const suspended = deferred<void>();
    this.#suspended = suspended;
    const late = new MachineError('the guest does not freeze its processes');
    const timer = setTimeout(() => suspended.reject(late), FREEZE_PATIENCE);
    this.#send(encodeSuspend());
    this.#isFrozen = true;
    this.#mux.freeze(isInput);
    try {
      await suspended.promise;
    } finally {
      clearTimeout(timer);
      this.#suspended = undefined;
    }
  }

  /** The state, while the agent is frozen and the vsock device suspended. */
  state(): Plain {
    return {
      control: this.#control?.port ?? null,
      pending: this.#reader.pending,
      asked: this.#asked,
      backlog: [...this.#backlog],
      waiting: this.#tokens.state(),
      processes: [...this.#processes].map(([id, process]) => this.#stateOf(id, process)),
    };
  }

  /** Lets the guest go on after `freeze`. */
  proceed(resumption: Resumption): void {
    this.#isFrozen = false;
    const early = this.#backlog.splice(0);
    for (const message of [encodeResume(resumption), ...early]) this.#send(message);
    this.#mux.thaw();
  }

  /** Tells the guest the time of day, which the host's computer has lost while it slept. */
  setTime(resumption: Resumption): void {
    // `proceed` will tell it.
    if (this.#control && !this.#isFrozen) this.#send(encodeResume(resumption));
  }

  /**
   * Takes over from the agent of another machine, whose vsock device this one's has taken over from.
   * @throws StateError
   */
  resume(state: Plain, resumption: Resumption): void {
    const reader = new StateReader(state, 'agent');
    this.#asked = this.#unwanted = reader.field('asked').integer(0, MAX_NUMBER);
    const backlog = reader
      .field('backlog')
      .list(MAX_BACKLOG)
      .map((message) => message.bytes(0, MAX_MESSAGE));
    this.#backlog.unshift(...backlog);
    for (const process of reader.field('processes').list(MAX_PROCESSES)) this.#resumeProcess(process);
    this.#tokens.resume(reader.field('waiting'), (port) => this.#vsock.takeResumed(STREAM_PORT, port));
    const pending = reader.field('pending').bytes(0, MAX_MESSAGE);
    const port = reader.field('control').optional()?.integer(0, MAX_NUMBER);
    const control = port === undefined ? undefined : this.#vsock.takeResumed(CONTROL_PORT, port);
    if (!control) throw new StateError('agent.control is no connection');
    this.#stopListening();
    this.#reader = new MessageReader(pending);
    void this.#converse(control, true);
    this.proceed(resumption);
  }

  #isRunning(id: number): boolean {
    return this.#processes.get(id)?.hasEnded === false;
  }

  #send(message: Uint8Array): void {
    if (!this.#control || this.#isFrozen) this.#backlog.push(message);
    // Should the stream break, `#converse` sees it end.
    else this.#control.writer.write(message).catch(() => {});
  }

  /** @param isGreeted whether the guest has said HELLO on the stream */
  async #converse(stream: VsockStream, isGreeted = false): Promise<void> {
    const control = { port: stream.remotePort, writer: stream.writable.getWriter() };
    if (isGreeted) this.#control = control;
    let reason = 'the guest closed its control stream';
    try {
      for await (const bytes of chunks(stream.readable)) {
        for (const message of this.#reader.push(bytes)) this.#handle(message, control);
      }
    } catch (error) {
      reason = `the guest's control stream failed: ${error instanceof Error ? error.message : error}`;
    }
    control.writer.abort().catch(() => {});
    this.#end(reason);
  }

  /** Passes on nothing unasked: a hostile guest could send more than the owner can take. */
  #handle(message: GuestMessage, control: Control): void {
    switch (message.type) {
      case 'started':
        this.#started(message.process);
        break;
      case 'exit':
        this.#exited(message.process, message.status, message.reason);
        break;
      case 'usage':
        this.#measured(message.usage);
        break;
      case 'suspended':
        this.#suspended?.resolve();
        break;
      case 'hello':
        if (message.version !== PROTOCOL_VERSION)
          throw new Error(
            `it speaks version ${message.version} of the agent protocol, not ${PROTOCOL_VERSION}`,
          );
        this.#control = control;
        for (const early of this.#backlog.splice(0)) this.#send(early);
    }
  }

  #measured(usage: Usage): void {
    if (this.#asked === 0) return;
    this.#asked--;
    if (this.#unwanted > 0) this.#unwanted--;
    else this.#events.usage(usage);
  }

  #started(id: number): void {
    const process = this.#processes.get(id);
    if (!process || process.hasEnded || process.isStarted) return;
    process.isStarted = true;
    this.#events.started(id);
  }

  #exited(id: number, status: number, reason: string): void {
    const process = this.#processes.get(id);
    if (!process || process.hasEnded) return;
    process.hasEnded = true;
    // The tokens of streams that it opened before its end have arrived, but their readers may not have had
    // their turn.
    if (process.awaited.size > 0) setTimeout(() => this.#finish(id, process, status, reason));
    else this.#finish(id, process, status, '');
  }

  #finish(id: number, process: GuestProcess, status: number, reason: string): void {
    // It has not opened all of its streams, which is when it could not even start.
    if (process.awaited.size > 0 && status !== 0) this.#explain(id, process, reason || NO_STREAMS);
    this.#closeAwaited(id, process);
    this.#forgetIfOver(id, process);
    this.#events.exited(id, status);
  }

  #end(reason: string): void {
    this.#ended = reason;
    this.#suspended?.reject(new MachineError(reason));
    for (const [id, process] of this.#processes) if (!process.hasEnded) this.#lose(id, process, reason);
    this.#processes.clear();
  }

  #lose(id: number, process: GuestProcess, reason: string): void {
    this.#closeAwaited(id, process);
    this.#events.lost(id, reason);
  }

  #closeAwaited(id: number, { streams, awaited }: GuestProcess): void {
    for (const descriptor of awaited) {
      if (streams) this.#tokens.forget(tokenOf(streams, descriptor));
      if (descriptor === STDIN) void streams?.stdin.cancel();
      else this.#mux.sender(processStream(id, descriptor)).end();
    }
    awaited.clear();
  }

  /** Tells the owner why a process failed, if the process never opened its stream for messages. */
  #explain(id: number, { streams, awaited }: GuestProcess, reason: string): void {
    const descriptor = streams?.outputs.includes(MESSAGES) ? MESSAGES : STDERR;
    if (!streams || !awaited.has(descriptor)) return;
    const line = new TextEncoder().encode(`LinuxRun: ${reason}\n`);
    // Nobody may be reading it any more.
    this.#mux
      .sender(processStream(id, descriptor))
      .send(line)
      .catch(() => {});
  }

  /** Connects the process's streams as the guest opens them. */
  #await(id: number, process: GuestProcess): void {
    const { streams, awaited } = process;
    if (!streams) return;
    for (const descriptor of awaited) {
      this.#tokens.expect(tokenOf(streams, descriptor), (opened) => {
        awaited.delete(descriptor);
        void this.#connect(id, process, descriptor, opened);
      });
    }
  }

  /** Carries the bytes of a stream until its end. */
  async #connect(id: number, process: GuestProcess, descriptor: number, opened: OpenedStream): Promise<void> {
    process.ports.set(descriptor, opened.stream.remotePort);
    const { streams } = process;
    if (streams && descriptor === STDIN) await sendInput(streams.stdin, opened);
    else await sendOutput(opened, this.#mux.sender(processStream(id, descriptor)));
    process.ports.delete(descriptor);
    this.#forgetIfOver(id, process);
  }

  #forgetIfOver(id: number, process: GuestProcess): void {
    const isOver = process.hasEnded && process.awaited.size === 0 && process.ports.size === 0;
    if (isOver && this.#processes.get(id) === process) this.#processes.delete(id);
  }

  #stateOf(id: number, { streams, awaited, ports, isStarted, hasEnded }: GuestProcess): Plain {
    return {
      id,
      isStarted,
      hasEnded,
      streams: streams ? { tokens: streams.tokens, outputs: [...streams.outputs] } : null,
      awaited: [...awaited],
      ports: [...ports].map(([descriptor, port]) => ({ descriptor, port })),
      input: { ...this.#mux.unread(processStream(id, STDIN)) },
    };
  }

  #resumeProcess(state: StateReader): void {
    const id = state.field('id').integer(1, MAX_NUMBER);
    if (this.#processes.has(id)) state.field('id').fail('is there twice');
    const descriptors = (list: StateReader) =>
      list.list(MESSAGES + 1).map((entry) => entry.integer(STDIN, MESSAGES));
    const streams = state.field('streams').optional();
    const process: GuestProcess = {
      streams: streams && {
        tokens: streams.field('tokens').bytes(TOKENS_SIZE, TOKENS_SIZE),
        outputs: descriptors(streams.field('outputs')),
        stdin: this.#mux.readable(processStream(id, STDIN), () => {}, readUnread(state.field('input'))),
      },
      awaited: new Set(streams ? descriptors(state.field('awaited')) : []),
      ports: new Map(),
      isStarted: state.field('isStarted').boolean(),
      hasEnded: state.field('hasEnded').boolean(),
    };
    this.#processes.set(id, process);
    this.#await(id, process);
    for (const entry of state.field('ports').list(MESSAGES + 1)) this.#resumeStream(id, process, entry);
  }

  #resumeStream(id: number, process: GuestProcess, state: StateReader): void {
    const descriptor = state.field('descriptor').integer(STDIN, MESSAGES);
    const stream = this.#vsock.takeResumed(STREAM_PORT, state.field('port').integer(0, MAX_NUMBER));
    if (!stream || process.ports.has(descriptor)) state.fail('is no connection');
    const opened = { reader: stream.readable.getReader(), stream, first: new Uint8Array() };
    void this.#connect(id, process, descriptor, opened);
  }
}

const isInput = (stream: string) => stream.endsWith(`/${STDIN}`);

function tokenOf({ tokens }: ProcessStreams, descriptor: number): Uint8Array {
  return tokens.subarray(descriptor * TOKEN_SIZE, (descriptor + 1) * TOKEN_SIZE);
}

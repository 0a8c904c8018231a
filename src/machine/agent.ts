import { chunks } from '../streams/chunks.ts';
import {
  CONTROL_PORT,
  encodeKill,
  encodeMeasure,
  encodeNetwork,
  encodePowerOff,
  encodeResize,
  encodeSignal,
  encodeStop,
  type GuestMessage,
  type GuestNetwork,
  MessageReader,
  PROTOCOL_VERSION,
  STREAM_PORT,
  TOKEN_SIZE,
  type Usage,
} from './agent-protocol.ts';
import type { VsockDevice, VsockStream } from './devices/vsock/device.ts';
import { sendInput, sendOutput } from './guest-streams.ts';
import type { Sender } from './stream-mux.ts';
import { type OpenedStream, StreamTokens } from './stream-tokens.ts';
import type { TerminalSize } from './terminal-size.ts';

const STDIN = 0;
const STDERR = 2;
const MESSAGES = 3;
const NO_STREAMS = 'the agent could not open its streams to the host';

export interface ProcessEvents {
  /** Its program runs. Processes without a container do not tell. */
  started(): void;
  exited(status: number): void;
  /** Neither the process nor its end will be heard of any more. */
  lost(reason: string): void;
}

/** The host's ends of a process's standard streams. */
export interface ProcessStreams {
  /** Those of the message that starts it. */
  readonly tokens: Uint8Array;
  readonly stdin: ReadableStream<Uint8Array>;
  /** The descriptors that the guest opens streams for, besides that. */
  readonly outputs: readonly number[];
  /** @param descriptor one of `outputs` */
  output(descriptor: number): Sender;
}

interface GuestProcess {
  readonly events: ProcessEvents;
  readonly streams: ProcessStreams | undefined;
  /** Descriptors whose streams the guest has not opened yet. */
  readonly awaited: Set<number>;
  isStarted: boolean;
}

/** The host's side of the agent protocol: runs processes in the guest. */
export class Agent {
  readonly #processes = new Map<number, GuestProcess>();
  readonly #tokens = new StreamTokens();
  /** Messages for the guest from before it said HELLO. */
  #backlog: Uint8Array[] = [];
  #control: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #ended: string | undefined;
  /** The number of questions for the usage that have no answer yet. */
  #asked = 0;
  readonly #onUsage: (usage: Usage) => void;

  /** @param onUsage takes the answers to `measure`, in the order of these */
  constructor(vsock: Pick<VsockDevice, 'listen'>, onUsage: (usage: Usage) => void) {
    this.#onUsage = onUsage;
    const stop = vsock.listen(CONTROL_PORT, (stream) => {
      stop();
      void this.#converse(stream);
    });
    vsock.listen(STREAM_PORT, (stream) => void this.#tokens.accept(stream));
  }

  /**
   * @param run the message that starts process `id`
   * @param streams none for a process on the console
   */
  run(id: number, run: Uint8Array, events: ProcessEvents, streams?: ProcessStreams): void {
    const process = {
      events,
      streams,
      awaited: new Set(streams ? [STDIN, ...streams.outputs] : []),
      isStarted: false,
    };
    if (this.#ended === undefined) {
      this.#processes.set(id, process);
      if (streams) this.#await(process, streams);
      this.#send(run);
    } else {
      this.#lose(process, this.#ended);
    }
  }

  signal(process: number, signal: number): void {
    if (this.#processes.has(process)) this.#send(encodeSignal(process, signal));
  }

  /** Kills a further process of a container and its descendants, which it may have left behind. */
  killAll(process: number, container: string): void {
    this.#send(encodeKill(process, container));
  }

  stop(process: number, signal: number): void {
    if (this.#processes.has(process)) this.#send(encodeStop(process, signal));
  }

  resize(process: number, terminal: TerminalSize): void {
    if (this.#processes.has(process)) this.#send(encodeResize(process, terminal));
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

  #send(message: Uint8Array): void {
    if (!this.#control) this.#backlog.push(message);
    // Should the stream break, `#converse` sees it end.
    else this.#control.write(message).catch(() => {});
  }

  async #converse(stream: VsockStream): Promise<void> {
    const reader = new MessageReader();
    const writer = stream.writable.getWriter();
    let reason = 'the guest closed its control stream';
    try {
      for await (const bytes of chunks(stream.readable)) {
        for (const message of reader.push(bytes)) this.#handle(message, writer);
      }
    } catch (error) {
      reason = `the guest's control stream failed: ${error instanceof Error ? error.message : error}`;
    }
    writer.abort().catch(() => {});
    this.#end(reason);
  }

  /** Passes on nothing unasked: a hostile guest could send more than the owner can take. */
  #handle(message: GuestMessage, writer: WritableStreamDefaultWriter<Uint8Array>): void {
    if (message.type === 'started') {
      this.#started(message.process);
    } else if (message.type === 'exit') {
      this.#exited(message.process, message.status, message.reason);
    } else if (message.type === 'usage') {
      if (this.#asked === 0) return;
      this.#asked--;
      this.#onUsage(message.usage);
    } else if (message.type === 'hello') {
      if (message.version !== PROTOCOL_VERSION)
        throw new Error(
          `it speaks version ${message.version} of the agent protocol, not ${PROTOCOL_VERSION}`,
        );
      this.#control = writer;
      for (const early of this.#backlog.splice(0)) this.#send(early);
    }
  }

  #started(id: number): void {
    const process = this.#processes.get(id);
    if (!process || process.isStarted) return;
    process.isStarted = true;
    process.events.started();
  }

  #exited(id: number, status: number, reason: string): void {
    const process = this.#processes.get(id);
    if (!process) return;
    this.#processes.delete(id);
    // The tokens of streams that it opened before its end have arrived, but their readers may not have had
    // their turn.
    if (process.awaited.size > 0) setTimeout(() => this.#finish(process, status, reason));
    else process.events.exited(status);
  }

  /** Ends a process that has not opened all of its streams, which is when it could not even start. */
  #finish(process: GuestProcess, status: number, reason: string): void {
    if (status !== 0) explain(process, reason || NO_STREAMS);
    this.#closeAwaited(process);
    process.events.exited(status);
  }

  #end(reason: string): void {
    this.#ended = reason;
    for (const process of this.#processes.values()) this.#lose(process, reason);
    this.#processes.clear();
  }

  #lose(process: GuestProcess, reason: string): void {
    this.#closeAwaited(process);
    process.events.lost(reason);
  }

  #closeAwaited({ streams, awaited }: GuestProcess): void {
    for (const descriptor of awaited) {
      if (streams) this.#tokens.forget(tokenOf(streams, descriptor));
      if (descriptor === STDIN) void streams?.stdin.cancel();
      else streams?.output(descriptor).end();
    }
    awaited.clear();
  }

  /** Connects the process's streams as the guest opens them. */
  #await(process: GuestProcess, streams: ProcessStreams): void {
    for (const descriptor of process.awaited) {
      this.#tokens.expect(tokenOf(streams, descriptor), (stream) => {
        process.awaited.delete(descriptor);
        if (descriptor === STDIN) sendInput(streams.stdin, stream);
        else void sendOutput(stream, streams.output(descriptor));
      });
    }
  }
}

function tokenOf({ tokens }: ProcessStreams, descriptor: number): Uint8Array {
  return tokens.subarray(descriptor * TOKEN_SIZE, (descriptor + 1) * TOKEN_SIZE);
}

/** Tells the owner why a process failed, if the process never opened its stream for messages. */
function explain({ streams, awaited }: GuestProcess, reason: string): void {
  const descriptor = streams?.outputs.includes(MESSAGES) ? MESSAGES : STDERR;
  if (!streams || !awaited.has(descriptor)) return;
  const line = new TextEncoder().encode(`LinuxRun: ${reason}\n`);
  // Nobody may be reading it any more.
  streams
    .output(descriptor)
    .send(line)
    .catch(() => {});
}

/** Messages between the owner of a container and programs in it. */

import { MachineError } from '../machine/errors.ts';
import type { Connection, Listening } from '../machine/machine.ts';
import { OptionError } from '../options/option-error.mjs';
import { chunks } from '../streams/chunks.ts';
import { concat } from '../streams/concat.ts';
import './dispose.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** A message of a client. */
export interface ChannelMessage {
  /** The client's number, which no other client of the channel has. */
  readonly client: number;
  /** Its content. */
  readonly bytes: Uint8Array;
  /** The bytes as UTF-8. */
  text(): string;
  /** The bytes as JSON. @throws SyntaxError if they are none */
  json(): unknown;
  /** Sends a message to this client only. Nothing happens if the client has gone. @throws as `send` */
  reply(data: Uint8Array | JsonValue): Promise<void>;
}

/**
 * Messages between the owner of a container and its programs, which connect to `/run/linuxrun/NAME.sock`, or
 * use `/run/linuxrun/linuxrun-channel NAME`. A frame is a length of 4 bytes, big-endian, and that many bytes,
 * at most 16 MiB.
 */
export interface Channel extends AsyncDisposable {
  /**
   * The messages of all clients. While nobody reads them, nor listens, clients wait. It ends with the
   * container, and fails if the channel cannot be opened.
   */
  readonly messages: ReadableStream<ChannelMessage>;
  /**
   * Sends a message to all clients; waits until one is connected, and until all have taken it. Bytes are sent
   * as they are, everything else as JSON.
   * @throws RangeError if it is longer than 16 MiB; MachineError if the container ends before that
   */
  send(data: Uint8Array | JsonValue): Promise<void>;
  /** Calls the listener with each message. Returns a function that stops that. */
  on(event: 'message', listener: (message: ChannelMessage) => void): () => void;
}

const LENGTH_SIZE = 4;
/** The longest message. */
const MOST = 16 << 20;
/** Clients at a time. Others wait. */
const MOST_CLIENTS = 64;
/** The bytes of all messages that have not arrived completely. */
const MOST_INCOMPLETE = 64 << 20;
/** How long a client that sends no more may wait for a reply to its last message, in ms. */
const REPLY_PATIENCE = 1000;
/** How long a client may need to take a message, in ms. */
const SEND_PATIENCE = 30_000;

const NAME = /^[\w-][\w.-]{0,62}$/;

/** @throws OptionError if the name cannot be that of a socket */
export function checkChannelName(name: string): void {
  if (!NAME.test(name))
    throw new OptionError(
      `"${name}" is no name of a channel: use at most 63 letters, digits, ".", "_" and "-", and no "." first`,
    );
}

/** @throws RangeError if the message is too long */
export function encodeFrame(data: Uint8Array | JsonValue): Bytes {
  const bytes = data instanceof Uint8Array ? data : new TextEncoder().encode(JSON.stringify(data));
  if (bytes.length > MOST) throw new RangeError(`a message has ${bytes.length} bytes, but at most ${MOST}`);
  const length = new Uint8Array(LENGTH_SIZE);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat([length, bytes]);
}

/** Cuts the bytes of a client into messages. */
export class FrameReader {
  #buffer = new Uint8Array();
  #length = 0;

  /** The bytes of the message that has not arrived completely. */
  get incomplete(): number {
    return this.#length;
  }

  /** @throws RangeError if a message is too long */
  *push(bytes: Uint8Array): Generator<Bytes, void> {
    this.#append(bytes);
    let at = 0;
    while (this.#length - at >= LENGTH_SIZE) {
      const length = new DataView(this.#buffer.buffer).getUint32(at);
      if (length > MOST) throw new RangeError(`a message of ${length} bytes`);
      const end = at + LENGTH_SIZE + length;
      if (end > this.#length) break;
      yield this.#buffer.slice(at + LENGTH_SIZE, end);
      at = end;
    }
    if (at === 0) return;
    this.#buffer = this.#buffer.slice(at, this.#length);
    this.#length = this.#buffer.length;
  }

  /** The buffer's size doubles, so that a message in many small parts is copied few times. */
  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}

/** A client and what it has sent. */
class Client {
  readonly number: number;
  readonly frames = new FrameReader();
  /** Settles when nothing can be sent to it any more. */
  readonly gone: Promise<void>;
  readonly #connection: Connection;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #received = 0;
  #answered = 0;
  #hasEnded = false;
  /** Whether nothing can be sent to it any more. */
  #isClosed = false;

  constructor(number: number, connection: Connection) {
    this.number = number;
    this.#connection = connection;
    this.#writer = connection.writable.getWriter();
    this.gone = this.#writer.closed
      .catch(() => {})
      .then(() => {
        this.#isClosed = true;
      });
  }

  get bytes(): AsyncGenerator<Uint8Array, void> {
    return chunks(this.#connection.readable);
  }

  /** A client that is gone loses the frame, and one that does not take it for a long time its connection. */
  async send(frame: Bytes): Promise<void> {
    if (this.#isClosed) return;
    const timer = setTimeout(() => this.reset(), SEND_PATIENCE);
    await this.#writer.write(frame).catch(() => {});
    clearTimeout(timer);
  }

  messageOf(bytes: Bytes): ChannelMessage {
    this.#received++;
    let isAnswered = false;
    return {
      client: this.number,
      bytes,
      text: () => new TextDecoder().decode(bytes),
      json: () => JSON.parse(new TextDecoder().decode(bytes)),
      reply: async (data) => {
        await this.send(encodeFrame(data));
        if (!isAnswered) this.#answered++;
        isAnswered = true;
        if (this.#hasEnded) this.#closeIfAnswered();
      },
    };
  }

  /** The client sends no more. One that has sent messages gets replies for a while; others are listeners. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    if (this.#received === 0) return this.gone;
    this.#closeIfAnswered();
    const timer = setTimeout(() => this.#close(), REPLY_PATIENCE);
    await this.gone;
    clearTimeout(timer);
  }

  reset(): void {
    this.#isClosed = true;
    this.#writer.abort().catch(() => {});
    this.#connection.readable.cancel().catch(() => {});
  }

  #closeIfAnswered(): void {
    if (this.#answered === this.#received) this.#close();
  }

  #close(): void {
    if (!this.#isClosed) this.#writer.close().catch(() => {});
    this.#isClosed = true;
  }
}

/** A channel on a socket in a container. */
export class SocketChannel implements Channel {
  readonly messages: ReadableStream<ChannelMessage>;
  readonly #listening: Listening;
  readonly #clients = new Set<Client>();
  /** Those with a message that has not arrived completely, the oldest first. */
  readonly #incomplete = new Set<Client>();
  readonly #listeners = new Set<(message: ChannelMessage) => void>();
  /** Called after every change that somebody may wait for. */
  #waiting: (() => void)[] = [];
  /** Undefined when nobody reads the messages any more. */
  #controller: ReadableStreamDefaultController<ChannelMessage> | undefined;
  #isPulled = false;
  /** Why there are no clients any more. */
  #ended: Error | undefined;

  constructor(listening: Listening) {
    this.#listening = listening;
    this.messages = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: async () => {
          this.#isPulled = true;
          this.#tell();
          while (this.#isPulled && this.#controller) await this.#change();
        },
        cancel: () => {
          this.#controller = undefined;
          this.#isPulled = false;
          this.#tell();
        },
      },
      { highWaterMark: 0 },
    );
    void this.#accept();
  }

  async send(data: Uint8Array | JsonValue): Promise<void> {
    const frame = encodeFrame(data);
    while (this.#clients.size === 0 && !this.#ended) await this.#change();
    if (this.#ended) throw this.#ended;
    await Promise.all([...this.#clients].map((client) => client.send(frame)));
  }

  on(_event: 'message', listener: (message: ChannelMessage) => void): () => void {
    this.#listeners.add(listener);
    this.#tell();
    return () => void this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening.close();
    for (const client of this.#clients) client.reset();
    this.#end(new MachineError('the channel is closed'));
  }

  async #accept(): Promise<void> {
    const serving = new Set<Promise<void>>();
    let number = 1;
    try {
      for await (const connection of chunks(this.#listening.clients)) {
        const served = this.#serve(new Client(number++, connection)).finally(() => serving.delete(served));
        serving.add(served);
        while (this.#clients.size >= MOST_CLIENTS) await this.#change();
      }
      // Their last messages have not all been taken.
      await Promise.all(serving);
      this.#end(new MachineError('the container has ended'));
    } catch (error) {
      await Promise.all(serving);
      this.#end(error instanceof Error ? error : new MachineError(String(error)), true);
    }
  }

  async #serve(client: Client): Promise<void> {
    this.#clients.add(client);
    this.#tell();
    try {
      for await (const bytes of client.bytes) {
        for (const message of client.frames.push(bytes)) await this.#deliver(client.messageOf(message));
        this.#bound(client);
      }
      await client.end();
    } catch {
      // It has been reset, or sends something else than messages.
      client.reset();
    }
    this.#incomplete.delete(client);
    this.#clients.delete(client);
    this.#tell();
  }

  /** Resets the client with the oldest incomplete message if they are too long together. */
  #bound(client: Client): void {
    if (client.frames.incomplete === 0) this.#incomplete.delete(client);
    else this.#incomplete.add(client);
    const all = [...this.#incomplete].reduce((sum, { frames }) => sum + frames.incomplete, 0);
    const [oldest] = this.#incomplete;
    if (all <= MOST_INCOMPLETE || !oldest) return;
    this.#incomplete.delete(oldest);
    oldest.reset();
  }

  /** Waits until somebody takes the message: all listeners, and the stream's reader if there is one. */
  async #deliver(message: ChannelMessage): Promise<void> {
    while (!this.#ended) {
      const isRead = this.#controller !== undefined && this.messages.locked;
      if (isRead ? this.#isPulled : this.#listeners.size > 0) return this.#pass(message);
      await this.#change();
    }
  }

  #pass(message: ChannelMessage): void {
    if (this.#isPulled) {
      this.#isPulled = false;
      this.#controller?.enqueue(message);
      this.#tell();
    }
    // An error of a listener is neither the client's nor the channel's.
    for (const listener of this.#listeners) queueMicrotask(() => listener(message));
  }

  #end(error: Error, hasFailed = false): void {
    if (this.#ended) return;
    this.#ended = error;
    if (hasFailed) this.#controller?.error(error);
    else this.#controller?.close();
    this.#controller = undefined;
    this.#tell();
  }

  /** Resolves after the next change. Whoever waited must look again at once whether it is his. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

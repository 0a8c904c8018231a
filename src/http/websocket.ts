/** A WebSocket client (RFC 6455), with streams instead of events. */
import type { Connect, Connection } from './connection.ts';
import { HttpError } from './errors.ts';
import { setCookiesOf } from './response.ts';
import {
  type Close,
  encodeClose,
  encodeFrame,
  FrameDecoder,
  type Message,
  NO_CODE,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PONG,
  OPCODE_TEXT,
  ProtocolError,
  type Received,
} from './websocket-frames.ts';
import { type Opened, shakeHands, type WebSocketOptions } from './websocket-handshake.ts';

/** How a WebSocket ended, as in the browser's CloseEvent. */
export interface Closed extends Close {
  /** Both sides have said that they close. */
  readonly wasClean: boolean;
}

const ABNORMAL: Closed = { code: 1006, reason: '', wasClean: false };
const NORMAL = 1000;
const MAX_REASON = 123;
/** How long the server may take to close. */
const CLOSE_TIME = 2000;

/** @throws TypeError if the request is invalid; HttpError if the server refuses; the signal's reason */
export async function openWebSocket(
  connect: Connect,
  url: string,
  options: WebSocketOptions = {},
): Promise<WebSocketStream> {
  return new WebSocketStream(await shakeHands(connect, url, options));
}

/** An open WebSocket. */
export class WebSocketStream {
  /** The subprotocol, or an empty string. */
  readonly protocol: string;
  /** The values of Set-Cookie in the response of the server. */
  readonly setCookies: readonly string[];
  /** Messages of the server. Fails if it breaks the protocol, or leaves without closing. */
  readonly readable: ReadableStream<Message>;
  /** Messages for the server. A write resolves when there is room for more. */
  readonly writable: WritableStream<string | Uint8Array>;
  /** Never rejects. */
  readonly closed: Promise<Closed>;
  readonly #connection: Connection;
  readonly #decoder = new FrameDecoder();
  /** Resolves when the frames so far have been written. */
  #written: Promise<void> = Promise.resolve();
  /** The payload of the latest ping without an answer (section 5.5.3). */
  #ping: Uint8Array | undefined;
  /** This side has sent its Close frame, the last of its frames. */
  #closing = false;
  #ended = false;
  #cancelled = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller!: ReadableStreamDefaultController<Message>;
  #tellClosed!: (closed: Closed) => void;
  /** Lets the receiving loop go on. */
  #proceed = () => {};

  constructor({ connection, protocol, fields }: Opened) {
    this.#connection = connection;
    this.protocol = protocol;
    this.setCookies = setCookiesOf(fields);
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#proceed(),
      cancel: () => {
        this.#cancelled = true;
        this.close();
      },
    });
    this.writable = new WritableStream({
      write: (message) => this.#sendMessage(message),
      close: () => this.close(),
      abort: () => this.close(),
    });
    void this.#receive();
  }

  /**
   * Closes from this side. Messages that arrive afterwards are dropped.
   * @param code 1000, or one of 3000 to 4999
   * @throws RangeError
   */
  close(code?: number, reason = ''): void {
    if (code !== undefined && code !== NORMAL && !(code >= 3000 && code <= 4999))
      throw new RangeError(`the code of closing a WebSocket is 1000, or one of 3000 to 4999, not ${code}`);
    if (new TextEncoder().encode(reason).length > MAX_REASON)
      throw new RangeError(`the reason of closing a WebSocket has more than ${MAX_REASON} bytes`);
    if (this.#closing) return;
    this.#sendClose({ code: code ?? (reason === '' ? NO_CODE : NORMAL), reason });
    this.#timer = setTimeout(() => this.#end(ABNORMAL), CLOSE_TIME);
    this.#proceed();
  }

  async #receive(): Promise<void> {
    try {
      while (!this.#ended) {
        await this.#room();
        const bytes = await this.#connection.read();
        if (!bytes) throw new HttpError('the server left without closing the WebSocket');
        for (const received of this.#decoder.decode(bytes)) this.#handle(received);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Waits until the reader wants messages. Nobody has to read for the server's Close frame to arrive. */
  async #room(): Promise<void> {
    while (!this.#closing && (this.#controller.desiredSize ?? 0) <= 0) {
      await new Promise<void>((resolve) => {
        this.#proceed = resolve;
      });
    }
  }

  #handle(received: Received): void {
    if (this.#ended) return;
    if (received.type === 'close') {
      if (!this.#closing) this.#sendClose({ code: received.close.code, reason: '' });
      this.#end({ ...received.close, wasClean: true });
    } else if (this.#closing) {
      return;
    } else if (received.type === 'message') {
      this.#controller.enqueue(received.message);
    } else {
      this.#answerPing(received.payload);
    }
  }

  /** A server that takes no answers cannot make more than one of them wait. */
  #answerPing(payload: Uint8Array): void {
    const waiting = this.#ping !== undefined;
    this.#ping = payload;
    if (waiting) return;
    this.#queue(() => {
      const latest = this.#ping ?? payload;
      this.#ping = undefined;
      return this.#writeFrame(OPCODE_PONG, latest);
    }).catch(() => {});
  }

  async #sendMessage(message: string | Uint8Array): Promise<void> {
    if (this.#closing) throw new HttpError('the WebSocket is closed');
    const text = typeof message === 'string';
    if (!text && !(message instanceof Uint8Array))
      throw new TypeError('a message of a WebSocket must be a string or a Uint8Array');
    const payload = text ? new TextEncoder().encode(message) : message;
    await this.#queue(() => this.#writeFrame(text ? OPCODE_TEXT : OPCODE_BINARY, payload));
  }

  #sendClose(close: Close): void {
    this.#closing = true;
    this.#queue(() => this.#writeFrame(OPCODE_CLOSE, encodeClose(close))).catch(() => {});
  }

  /** Runs when the frames before have been written. */
  #queue(write: () => Promise<void>): Promise<void> {
    const done = this.#written.then(write);
    this.#written = done.catch(() => {});
    return done;
  }

  async #writeFrame(opcode: number, payload: Uint8Array): Promise<void> {
    for (const piece of encodeFrame(opcode, payload)) await this.#connection.write(piece);
  }

  #fail(error: unknown): void {
    const expected = this.#closing;
    if (error instanceof ProtocolError && !expected) this.#sendClose({ code: error.code, reason: '' });
    this.#end(ABNORMAL, expected ? undefined : error);
  }

  #end(closed: Closed, error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closing = true;
    clearTimeout(this.#timer);
    if (error !== undefined) this.#controller.error(error);
    else if (!this.#cancelled) this.#controller.close();
    this.#tellClosed(closed);
    void this.#leave();
  }

  /** Ends the connection, after the Close frame if the server takes it. */
  async #leave(): Promise<void> {
    const late = setTimeout(
      () => this.#connection.destroy(new HttpError('the server takes no more')),
      CLOSE_TIME,
    );
    await this.#written;
    clearTimeout(late);
    this.#connection.close();
  }
}

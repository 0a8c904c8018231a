/** One request and its response on a connection. */
import { toBytes } from '../disk/byte-string.ts';
import { type BodyDecoder, bodyDecoder, hasBody } from './body-decoder.ts';
import type { Connection } from './connection.ts';
import { HttpError } from './errors.ts';
import { endToEnd, type Field, fieldValue, listOf } from './fields.ts';
import { readFinalHead } from './read-head.ts';
import type { RequestBody } from './request-body.ts';
import { encodeHead, type RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** A response as the server sent it, with fields that browsers keep from a Response, such as Set-Cookie. */
export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  /** Those that a proxy passes on. */
  readonly headers: readonly Field[];
  /** Fails when the connection ends before the body. Null if there can be none. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

export interface OutgoingRequest {
  readonly head: RequestHead;
  readonly body: RequestBody | undefined;
  /** Ends the exchange. The response, or its body, fails with the reason. */
  readonly signal: AbortSignal | undefined;
}

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** How long a body waits for the interim response that it asked for (RFC 9110, section 10.1.1). */
const CONTINUE_TIME = 1000;
const LAST_CHUNK = toBytes('0\r\n\r\n');

/** The server takes no more bytes. */
class SendError extends Error {}

export class Exchange {
  readonly #connection: Connection;
  readonly #request: OutgoingRequest;
  readonly #pool: { release(connection: Connection): void };
  readonly #abort: () => void;
  /** Whether the server wants the body, of a request that waits for its word. */
  readonly #wanted: Promise<boolean>;
  #tellWanted = (_wanted: boolean) => {};
  #sent = false;
  #done = false;

  /** @param pool gets the connection back if it can carry another exchange */
  constructor(
    connection: Connection,
    request: OutgoingRequest,
    pool: { release(connection: Connection): void },
  ) {
    this.#connection = connection;
    this.#request = request;
    this.#pool = pool;
    this.#wanted = new Promise((resolve) => {
      this.#tellWanted = resolve;
    });
    this.#abort = () => this.#fail(request.signal?.reason);
  }

  /** Resolves when the head of the response has arrived. The body of the request may be still on its way. */
  async run(): Promise<HttpResponse> {
    const { signal } = this.#request;
    signal?.addEventListener('abort', this.#abort);
    try {
      signal?.throwIfAborted();
      void this.#send();
      const head = await this.#readHead();
      this.#tellWanted(false);
      const { status, statusText } = head;
      return { status, statusText, headers: endToEnd(head.fields), body: this.#bodyOf(head) };
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Sends the request. A server that takes no more of it may still answer. */
  async #send(): Promise<void> {
    const { head, body } = this.#request;
    try {
      await this.#write(encodeHead(head, body ? body.length : null));
      if (body) await this.#sendBody(body);
      this.#sent = true;
    } catch (error) {
      body?.cancel(error);
      if (!(error instanceof SendError)) this.#fail(error);
    }
  }

  async #sendBody(body: RequestBody): Promise<void> {
    if (!(await this.#isWanted())) throw new SendError('the server has answered without the body');
    const chunked = body.length === undefined;
    for (let piece = await body.next(); piece !== undefined; piece = await body.next()) {
      if (piece.length > 0) await this.#write(chunked ? encodeChunk(piece) : piece);
    }
    if (chunked) await this.#write(LAST_CHUNK);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#connection.write(bytes);
    } catch (cause) {
      throw new SendError('the server takes no more of the request', { cause });
    }
  }

  async #isWanted(): Promise<boolean> {
    const expects = listOf(fieldValue(this.#request.head.fields, 'expect'));
    if (!expects.includes('100-continue')) return true;
    const timer = setTimeout(() => this.#tellWanted(true), CONTINUE_TIME);
    const wanted = await this.#wanted;
    clearTimeout(timer);
    return wanted;
  }

  async #readHead(): Promise<ResponseHead> {
    const head = await readFinalHead(this.#connection, (status) => {
      if (status === 100) this.#tellWanted(true);
    });
    if (head.status === 101) throw new HttpError('the server changed the protocol, which nobody asked for');
    return head;
  }

  #bodyOf(head: ResponseHead): HttpResponse['body'] {
    const { method } = this.#request.head;
    const decoder = bodyDecoder(head, method);
    const options = listOf(fieldValue(head.fields, 'connection'));
    const persistent = head.minorVersion === 1 && !options.includes('close');
    if (decoder.done) this.#finish(persistent);
    if (!hasBody(head, method)) return null;
    return new ReadableStream(
      {
        start: (controller) => {
          if (decoder.done) controller.close();
        },
        pull: (controller) => this.#pull(controller, decoder, persistent),
        cancel: (reason) => this.#fail(reason),
      },
      { highWaterMark: 0 },
    );
  }

  async #pull(controller: Controller, decoder: BodyDecoder, persistent: boolean): Promise<void> {
    try {
      for (let body = await this.#readBody(decoder); ; body = await this.#readBody(decoder)) {
        if (body && body.length > 0) controller.enqueue(body);
        if (!body || decoder.done) {
          this.#finish(persistent && !decoder.untilClose);
          controller.close();
          return;
        }
        if (body.length > 0) return;
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** The next bytes of the body, or undefined if the end of the connection ends it. */
  async #readBody(decoder: BodyDecoder): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = await this.#connection.read();
    if (!bytes) {
      if (decoder.untilClose) return undefined;
      throw new HttpError('the server closed the connection before the end of the body');
    }
    const body = decoder.decode(bytes);
    this.#connection.unread(decoder.rest);
    return body;
  }

  /** The response is complete. A server that did not wait for the whole request gets no more of it. */
  #finish(persistent: boolean): void {
    const reusable = persistent && this.#sent && !this.#connection.hasRest;
    this.#end(() => (reusable ? this.#pool.release(this.#connection) : this.#connection.close()));
  }

  #fail(error: unknown): void {
    this.#end(() => this.#connection.destroy(error));
  }

  #end(endConnection: () => void): void {
    if (this.#done) return;
    this.#done = true;
    this.#tellWanted(false);
    this.#request.signal?.removeEventListener('abort', this.#abort);
    endConnection();
    if (!this.#sent) this.#request.body?.cancel(new HttpError('the exchange has ended'));
  }
}

function encodeChunk(piece: Uint8Array): Uint8Array {
  const size = toBytes(`${piece.length.toString(16)}\r\n`);
  const chunk = new Uint8Array(size.length + piece.length + 2);
  chunk.set(size);
  chunk.set(piece, size.length);
  chunk.set([0x0d, 0x0a], size.length + piece.length);
  return chunk;
}

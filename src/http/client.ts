/** An HTTP/1.1 client for servers that are not trusted (RFC 9110, RFC 9112). */
import type { Connect } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { decodeContent } from './content-coding.ts';
import { Exchange, type HttpResponse, type OutgoingRequest } from './exchange.ts';
import { fieldValue } from './fields.ts';
import { RequestBody } from './request-body.ts';
import { checkRequest, type HttpRequest, isIdempotent, promisedLength } from './request-head.ts';

/** Options of a request to a server in a container. */
export interface RequestOptions {
  /** The port to connect to, instead of the URL's. */
  readonly port?: number | undefined;
}

export class HttpClient {
  readonly #connect: Connect;
  readonly #pools = new Map<number, ConnectionPool>();
  #closed = false;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  /**
   * Sends a request, and resolves when the head of the response has arrived. Redirects are responses like
   * others. The signal of the request ends it at any time, with its body and the response's.
   * @throws TypeError if the request is invalid; HttpError if the response is; the signal's reason; the
   *   errors of connecting, and of the body of the request
   */
  async request(request: HttpRequest, { port }: RequestOptions = {}): Promise<HttpResponse> {
    const { signal } = request;
    signal?.throwIfAborted();
    const head = checkRequest(request);
    const length = promisedLength(head);
    const content = await contentOf(request);
    if (!content && length) throw new TypeError(`a request with the Content-Length ${length} has no body`);
    const body = content ? await RequestBody.open(content, length) : undefined;
    try {
      const response = await send(this.#pool(port ?? head.port), { head, body, signal });
      const asked = fieldValue(head.fields, 'accept-encoding') !== undefined;
      return asked ? response : decodeContent(response);
    } catch (error) {
      body?.cancel(error);
      throw error;
    }
  }

  /** Closes unused connections, and others when their responses have ended. */
  close(): void {
    this.#closed = true;
    for (const pool of this.#pools.values()) pool.close();
  }

  #pool(port: number): ConnectionPool {
    const known = this.#pools.get(port);
    if (known) return known;
    const pool = new ConnectionPool((signal) => this.#connect(port, signal));
    if (this.#closed) pool.close();
    this.#pools.set(port, pool);
    return pool;
  }
}

/** @throws TypeError if the body has been used, as `fetch` does */
async function contentOf(request: HttpRequest): Promise<HttpRequest['body']> {
  if (!(request instanceof Request)) return request.body;
  if (request.bodyUsed) throw new TypeError('the body of the request has been used');
  if ('body' in request) return request.body;
  // Firefox gives the body of a Request only as a whole.
  const content = await (request as Request).blob();
  return content.size > 0 ? content.stream() : null;
}

async function send(pool: ConnectionPool, request: OutgoingRequest): Promise<HttpResponse> {
  const { head, body, signal } = request;
  const repeatable = body === undefined && isIdempotent(head.method);
  const connection = await pool.acquire(!repeatable, signal);
  const stale = connection.reused;
  const received = connection.received;
  try {
    return await new Exchange(connection, request, pool).run();
  } catch (error) {
    // The server may close an unused connection at any time (RFC 9112, section 9.3.1).
    const unseen = stale && connection.received === received;
    if (!repeatable || !unseen || signal?.aborted) throw error;
    return new Exchange(await pool.acquire(true, signal), request, pool).run();
  }
}

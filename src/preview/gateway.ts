/**
 * The end of a preview in the session's worker: it gives the requests of the preview's service worker to the
 * container's server. Every message may come from the preview's own scripts.
 */
import type { HttpClient } from '../http/client.ts';
import type { CookieJar, Initiator } from '../http/cookie-jar.ts';
import type { HttpResponse } from '../http/exchange.ts';
import type { Field } from '../http/fields.ts';
import { setCookiesOf } from '../http/response.ts';
import { localOrigin, toBrowser, toServer } from '../http/rewrite.ts';
import { StreamMux } from '../machine/stream-mux.ts';
import { GatewaySocket, type OpenSocket } from './gateway-socket.ts';
import { hear } from './hear.ts';
import {
  type CookieChange,
  type CookieQuestion,
  type Greeting,
  type Introduction,
  type PreviewRequest,
  REQUEST_BODY,
  RESPONSE_BODY,
  type RequestMessage,
  type ResponseMessage,
  type SocketRequest,
  type StayAlive,
  type WorkerMessage,
} from './messages.ts';

/** Browsers stop a service worker after 30 s without events, and streams of responses are none. In ms. */
const STAY_INTERVAL = 15_000;
/** The most requests and sockets of a preview at the same time. */
const MAX_OPEN = 256;

/** The servers in a container, as the gateways of its previews see them. */
export interface Servers {
  readonly http: HttpClient;
  readonly openSocket: OpenSocket;
  readonly jar: CookieJar;
  /** The origin of a port's preview. */
  originOf(port: number): string;
}

export class Gateway {
  readonly #port: number;
  readonly #servers: Servers;
  readonly #bridge: MessagePort;
  /** Ends everything that belongs to a service worker which has been replaced. */
  #worker = new AbortController();
  readonly #sockets = new Set<GatewaySocket>();
  /** The number of requests whose responses have not ended. */
  #requests = 0;
  #staying: ReturnType<typeof setInterval> | undefined;

  /** @param bridge the port to the preview's bridge */
  constructor(port: number, bridge: MessagePort, servers: Servers) {
    this.#port = port;
    this.#servers = servers;
    this.#bridge = bridge;
    bridge.onmessage = ({ data, ports: [worker] }: MessageEvent<Introduction>) => {
      if (worker) this.#greet(worker, String(data?.lock));
    };
  }

  close(): void {
    this.#worker.abort(new Error('the preview has been closed'));
    for (const socket of this.#sockets) socket.close();
    this.#bridge.close();
    clearInterval(this.#staying);
  }

  #greet(worker: MessagePort, lock: string): void {
    // An origin has one service worker, and this one does not know the exchanges of the one before.
    this.#worker.abort(new Error('the browser has stopped the service worker'));
    this.#worker = new AbortController();
    const { signal } = this.#worker;
    signal.addEventListener('abort', () => worker.close());
    hear<WorkerMessage>(
      worker,
      (message, [port]) => this.#take(message, port, lock, signal),
      ([port]) => port?.close(),
    );
    worker.postMessage({ type: 'hello', lock } satisfies Greeting);
  }

  #take(message: WorkerMessage, port: MessagePort | undefined, lock: string, signal: AbortSignal): void {
    if (!port) return;
    if (message.type === 'cookies' || message.type === 'set-cookie') {
      port.postMessage(this.#cookies(message));
      port.close();
    } else if (this.#requests + this.#sockets.size >= MAX_OPEN) port.close();
    else if (message.type === 'request') void this.#exchange(message, port, signal);
    else if (message.type === 'socket') this.#openSocket(message, port, lock);
  }

  /** The cookies of a document, after it has set one perhaps. */
  #cookies(message: CookieQuestion | CookieChange): string {
    const { jar } = this.#servers;
    const url = this.#url(message.target);
    if (message.type === 'set-cookie') jar.store(url, [String(message.cookie)], { script: true });
    return jar.cookiesFor(url, { script: true }) ?? '';
  }

  #url(target: string, port = this.#port): string {
    return `${localOrigin(port)}${target.startsWith('/') ? target : '/'}`;
  }

  async #exchange(request: PreviewRequest, port: MessagePort, workerSignal: AbortSignal): Promise<void> {
    const end = new AbortController();
    const signal = AbortSignal.any([end.signal, workerSignal]);
    const mux = new StreamMux((message, transfer) => port.postMessage(message, transfer));
    const give = (message: ResponseMessage) => port.postMessage(message);
    const take = (message: RequestMessage) => {
      // Nothing else tells a stream that waits for the server.
      if (message.type === 'abort' || (message.type === 'cancel' && message.stream === RESPONSE_BODY))
        end.abort();
      if (message.type !== 'abort') mux.receive(message);
    };
    hear(port, take, () => end.abort());
    port.addEventListener('close', () => end.abort());
    this.#count(1);
    try {
      const body = request.length === undefined ? null : mux.readable(REQUEST_BODY);
      const response = await this.#request(request, body, signal);
      give(this.#headOf(request, response));
      await response.body?.pipeTo(mux.writable(RESPONSE_BODY), { signal });
    } catch (error) {
      give({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
    } finally {
      give({ type: 'done' });
      port.close();
      this.#count(-1);
    }
  }

  #request(
    request: PreviewRequest,
    body: ReadableStream<Uint8Array> | null,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { method, target } = request;
    const url = this.#url(target);
    return this.#servers.http.request({ method, url, headers: this.#fieldsFor(request, url), body, signal });
  }

  /** Adds those that browsers hide from service workers. */
  #fieldsFor(request: PreviewRequest, url: string): Field[] {
    const { method, headers, referrer, isNavigation, length } = request;
    const own = this.#servers.originOf(this.#port);
    const fields = [...headers];
    const initiator = initiatorOf(request, own);
    const cookies = this.#servers.jar.cookiesFor(url, { initiator });
    if (cookies !== undefined) fields.push(['Cookie', cookies]);
    if (referrer !== '') fields.push(['Referer', referrer]);
    // Requests that may change something have an origin (Fetch, "append a request Origin header").
    if (method !== 'GET' && method !== 'HEAD') fields.push(['Origin', originOf(referrer, isNavigation, own)]);
    if (typeof length === 'number') fields.push(['Content-Length', String(length)]);
    return toServer(fields, this.#port, own);
  }

  #headOf({ target }: PreviewRequest, response: HttpResponse): ResponseMessage {
    const cookies = setCookiesOf(response.headers);
    this.#servers.jar.store(this.#url(target), cookies);
    return {
      type: 'head',
      status: response.status,
      statusText: response.statusText,
      headers: toBrowser(response.headers, (port) => this.#servers.originOf(port)),
      hasBody: response.body !== null,
      setsCookies: cookies.length > 0,
    };
  }

  #openSocket({ port: serverPort, target, protocols }: SocketRequest, port: MessagePort, lock: string): void {
    const url = this.#url(target, serverPort);
    const fields: Field[] = [['Origin', localOrigin(this.#port)]];
    const cookies = this.#servers.jar.cookiesFor(url);
    if (cookies !== undefined) fields.push(['Cookie', cookies]);
    const socket = new GatewaySocket(port, lock, (signal) =>
      this.#servers.openSocket(url, { protocols: protocols.map(String), headers: fields, signal }),
    );
    this.#sockets.add(socket);
    void socket.ended.then(() => this.#sockets.delete(socket));
  }

  /** Keeps the service worker alive as long as a response is on its way. */
  #count(change: 1 | -1): void {
    this.#requests += change;
    if (this.#requests > 0)
      this.#staying ??= setInterval(
        () => this.#bridge.postMessage({ type: 'stay' } satisfies StayAlive),
        STAY_INTERVAL,
      );
    else {
      clearInterval(this.#staying);
      this.#staying = undefined;
    }
  }
}

/** A page of another origin can navigate a preview, and send it a form. */
function initiatorOf({ method, referrer, isNavigation }: PreviewRequest, own: string): Initiator {
  if (!isNavigation || referrer === '' || referrer.startsWith(`${own}/`)) return 'same-site';
  return method === 'GET' ? 'cross-site navigation' : 'cross-site';
}

/** Only a navigation can come from another origin. */
function originOf(referrer: string, isNavigation: boolean, own: string): string {
  if (!isNavigation || referrer.startsWith(`${own}/`)) return own;
  return URL.canParse(referrer) ? new URL(referrer).origin : 'null';
}

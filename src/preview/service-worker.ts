/**
 * Answers the requests of a preview's origin with the responses of a container's server. It keeps no state,
 * because browsers stop service workers when they please.
 */
import { type ContainerResponse, exchange } from './exchange.ts';
import { GatewayLink } from './gateway-link.ts';
import { previewHeaders } from './headers.ts';
import { injector, isInjectable, prefixer, untilBroken } from './inject.ts';
import type { CookieChange, CookieNews, SocketEvent, SocketRequest, WorkerMessage } from './messages.ts';
import { OUR_PATHS, readPreviewHost, SHIM_PATH } from './names.ts';
import { admit, nonceOf } from './policy.ts';
import { problemPage } from './problem-page.ts';
import type { Client, FetchEvent, ServiceWorkerScope } from './worker-types.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A Response refuses a body with these (Fetch, "null body status"). */
const NULL_BODY = [204, 205, 304];
/** A Response refuses those above. */
const LAST_STATUS = 599;
const SCRIPTS_OF_WORKERS = ['worker', 'sharedworker'];
const POLICY = 'Content-Security-Policy';
/** The end of a socket whose gateway is gone. */
const LOST: SocketEvent = { type: 'closed', code: 1006, reason: '', wasClean: false };

/** The shim's code, on one line, written by the set-up. */
declare const SHIM: string;

const scope = self as unknown as ServiceWorkerScope;
const { port, page } = readPreviewHost(scope.location.host) ?? { port: 0, page: '' };
const pageUrl = `${scope.location.protocol}//${page}/`;
const ourHeaders = Object.entries(previewHeaders(page, navigator.userAgent));
const link = new GatewayLink(scope);

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener('activate', () => {
  // Firefox waits for every worker of the documents, also for those that sleep, and answers no request
  // until the activation has ended.
  void scope.clients.claim();
});
scope.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== scope.location.origin) return;
  if (url.pathname === SHIM_PATH) event.respondWith(shimFor(event));
  else if (!url.pathname.startsWith(OUR_PATHS)) event.respondWith(answer(event.request));
});
scope.addEventListener('message', (event) => {
  // The bridge and documents send it to keep this worker alive, or to have it passed on.
  const { data, ports } = event;
  if (isForGateway(data)) event.waitUntil(passOn(data, ports));
});

/** The scripts of the preview can send anything; the gateway checks what it gets. */
function isForGateway(data: unknown): data is SocketRequest | CookieChange {
  const { type } = (data ?? {}) as { type?: unknown };
  return type === 'socket' || type === 'set-cookie';
}

async function passOn(message: WorkerMessage, ports: readonly MessagePort[]): Promise<void> {
  try {
    const gateway = await link.connect();
    gateway.port.postMessage(message, [...ports]);
  } catch {
    for (const port of ports) port.postMessage(LOST);
  }
}

async function answer(request: Request): Promise<Response> {
  try {
    const response = await exchange(link, request);
    if (response.setsCookies) await tellCookies();
    return present(request, response);
  } catch (error) {
    // A failed request for a part of a page is one, as without a preview.
    return request.mode === 'navigate' ? withOurHeaders(problemPage(error, port, pageUrl)) : Response.error();
  }
}

/** Makes a response of the container one of this origin. */
function present(request: Request, { status, statusText, headers, body }: ContainerResponse): Response {
  const isEmpty = NULL_BODY.includes(status);
  if (isEmpty) body?.cancel().catch(() => {});
  const response = { status: Math.min(status, LAST_STATUS), statusText, headers };
  const policy = headers.get(POLICY);
  headers.delete('X-Frame-Options');
  headers.delete(POLICY);
  if (policy) headers.set(POLICY, admit(policy, scope.location.origin + SHIM_PATH));
  const shim = isEmpty || !body ? undefined : shimOf(request, headers);
  if (shim && body) for (const name of ['Content-Length', 'ETag', 'Accept-Ranges']) headers.delete(name);
  const whole = shim && body && request.mode === 'navigate' ? untilBroken(body) : body;
  const content = shim && whole ? whole.pipeThrough(shim) : whole;
  return withOurHeaders(new Response(isEmpty ? null : content, response));
}

/** The transform that puts the shim into the response, if it belongs there. */
function shimOf(request: Request, headers: Headers): TransformStream<Bytes, Bytes> | undefined {
  if (headers.has('Content-Encoding') || headers.has('Content-Range')) return undefined;
  const type = headers.get('Content-Type') ?? '';
  const nonce = nonceOf(headers.get(POLICY) ?? '');
  const attributes = nonce === undefined ? '' : ` nonce="${nonce}"`;
  if (request.mode === 'navigate' && isInjectable(type))
    return injector(`<script src="${SHIM_PATH}"${attributes}></script>`);
  return SCRIPTS_OF_WORKERS.includes(request.destination) ? prefixer(SHIM) : undefined;
}

function withOurHeaders(response: Response): Response {
  for (const [name, value] of ourHeaders)
    if (name === POLICY) response.headers.append(name, value);
    else response.headers.set(name, value);
  return response;
}

/** The shim of a document, with its cookies. */
async function shimFor({ clientId }: FetchEvent): Promise<Response> {
  const client = await scope.clients.get(clientId);
  const cookies = client ? await cookiesOf(client).catch(() => '') : '';
  const code = `self.__linuxrun=${JSON.stringify(cookies)};${SHIM}`;
  return withOurHeaders(
    new Response(code, { headers: { 'Content-Type': 'text/javascript', 'Cache-Control': 'no-store' } }),
  );
}

async function cookiesOf({ url }: Client): Promise<string> {
  const { port, lost } = await link.send({ type: 'cookies', target: new URL(url).pathname });
  return new Promise((resolve, reject) => {
    lost.addEventListener('abort', () => reject(lost.reason));
    port.onmessage = ({ data }: MessageEvent<string>) => {
      resolve(data);
      port.close();
    };
  });
}

/** Tells the documents their cookies. */
async function tellCookies(): Promise<void> {
  for (const client of await scope.clients.matchAll({ type: 'window' }))
    client.postMessage({ type: 'linuxrun-cookies', cookies: await cookiesOf(client) } satisfies CookieNews);
}

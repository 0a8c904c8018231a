import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HttpClient } from '../http/client.ts';
import { CookieJar } from '../http/cookie-jar.ts';
import { connectLocally } from '../http/testing/connect.ts';
import { openWebSocket } from '../http/websocket.ts';
import { deferred } from '../machine/deferred.ts';
import { listen, type TestServer } from '../network/testing/test-server.ts';
import { exchange } from './exchange.ts';
import { Gateway } from './gateway.ts';
import { GatewayLink, PageClosedError } from './gateway-link.ts';
import { STREAM_MARK } from './messages.ts';
import type { ServiceWorkerScope } from './worker-types.ts';

const ORIGIN = 'http://8000-id.linuxrun.localhost:8080';
const BRIDGE = `${ORIGIN}/__linuxrun/bridge.html`;

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
  vi.unstubAllGlobals();
});

/** The locks of a browser, of which tests release one. */
function fakeLocks() {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const request = async (_: string, __: unknown, use: () => void) => {
    await released;
    use();
  };
  vi.stubGlobal('navigator', { locks: { request } });
  return () => release();
}

/** A service worker's end and its gateway, with a server behind. */
async function open(serve: Serve) {
  const closePage = fakeLocks();
  const server: TestServer = await listen(createServer(serve));
  const bridge = new MessageChannel();
  const gateway = new Gateway(server.port, bridge.port1, {
    http: new HttpClient(connectLocally),
    openSocket: (url, options) => openWebSocket(connectLocally, url, options),
    jar: new CookieJar(),
    originOf: (port) => ORIGIN.replace('8000', port === server.port ? '8000' : String(port)),
  });
  endings.push(
    () => gateway.close(),
    () => bridge.port2.close(),
    () => server[Symbol.asyncDispose](),
  );
  const client = {
    id: '1',
    url: BRIDGE,
    postMessage: (_: unknown, [port]: Transferable[] = []) =>
      bridge.port2.postMessage({ type: 'worker', lock: 'a' }, port ? [port] : []),
  };
  const clients: (typeof client)[] = [client];
  const link = new GatewayLink({
    clients: { matchAll: async () => clients },
  } as unknown as ServiceWorkerScope);
  const ask = (path: string, init: RequestInit = {}) => exchange(link, new Request(ORIGIN + path, init));
  return { port: server.port, link, ask, closePage, clients };
}

const bodyOf = ({ body }: { body: ReadableStream | null }) => new Response(body).text();

test('a request arrives as one to localhost, with a length and cookies', async () => {
  const { ask, port } = await open(async (request, response) => {
    response.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']);
    response.setHeader('Location', `http://127.0.0.1:${port}/next`);
    response.end(JSON.stringify({ ...request.headers, body: await text(request) }));
  });
  const init = { method: 'POST', body: 'hello', headers: { 'Content-Type': 'text/plain' } };
  const first = await ask('/', init);
  expect(first.setsCookies).toBe(true);
  expect(first.headers.get('Location')).toBe(`${ORIGIN}/next`);
  expect(JSON.parse(await bodyOf(first))).toMatchObject({
    host: `localhost:${port}`,
    origin: `http://localhost:${port}`,
    'content-length': '5',
    body: 'hello',
  });
  expect(JSON.parse(await bodyOf(await ask('/')))).toMatchObject({ cookie: 'a=1; b=2' });
});

test('a body that the shim marks is sent as a stream', async () => {
  const arrived = deferred<void>();
  const { ask } = await open(async (request, response) => {
    request.once('data', () => arrived.resolve());
    const { 'transfer-encoding': encoding, [STREAM_MARK]: mark } = request.headers;
    response.end(`${encoding} ${mark} ${await text(request)}`);
  });
  const pieces = new TextEncoder();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(pieces.encode('abc')),
    // The server has the first piece before there is a second one.
    async pull(controller) {
      await arrived.promise;
      controller.enqueue(pieces.encode('def'));
      controller.close();
    },
  });
  const init = { method: 'POST', body, duplex: 'half', headers: { [STREAM_MARK]: '1' } };
  expect(await bodyOf(await ask('/', init as RequestInit))).toBe('chunked undefined abcdef');
});

test('a body without a type has a length', async () => {
  const { ask } = await open(async (request, response) => {
    response.end(`${request.headers['content-length']} ${(await text(request)).length}`);
  });
  const body = new Uint8Array(1_000_000);
  expect(await bodyOf(await ask('/', { method: 'POST', body }))).toBe('1000000 1000000');
});

test('a response flows only as fast as it is read', async () => {
  let sent = 0;
  const { ask } = await open((_, response) => {
    const piece = new Uint8Array(1 << 16);
    const send = () => {
      while (sent < 64 << 20) {
        sent += piece.length;
        if (!response.write(piece)) return response.once('drain', send);
      }
      return response.end();
    };
    send();
  });
  const { body } = await ask('/');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(sent).toBeLessThan(16 << 20);
  const bytes = await new Response(body).arrayBuffer();
  expect(bytes.byteLength).toBe(64 << 20);
});

test('a response that nobody wants any more ends at the server', async () => {
  const closed = vi.fn();
  const { ask } = await open((_, response) => {
    response.write('begun');
    response.on('close', closed);
  });
  const { body } = await ask('/');
  const reader = body?.getReader();
  expect((await reader?.read())?.value).toHaveLength(5);
  await reader?.cancel();
  await vi.waitFor(() => expect(closed).toHaveBeenCalled());
});

test('an aborted request ends at the server', async () => {
  const closed = vi.fn();
  const asked = vi.fn();
  const { ask } = await open((_, response) => {
    asked();
    response.on('close', closed);
  });
  const abort = new AbortController();
  const response = ask('/', { signal: abort.signal });
  const failure = expect(response).rejects.toThrow();
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  abort.abort();
  await failure;
  await vi.waitFor(() => expect(closed).toHaveBeenCalled());
});

test('a truncated response fails', async () => {
  const { ask } = await open((_, response) => {
    response.writeHead(200, { 'Content-Length': 100 });
    response.write('half', () => response.destroy());
  });
  await expect(bodyOf(await ask('/'))).rejects.toThrow();
});

test('a server that refuses is an error with its reason, and is asked anew', async () => {
  const { ask, port } = await open((_, response) => response.end('up'));
  const before = endings.pop();
  await before?.();
  await expect(ask('/')).rejects.toThrow(/ECONNREFUSED/);
  const server = createServer((_, response) => response.end('up again'));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  endings.push(() => server.close());
  expect(await bodyOf(await ask('/'))).toBe('up again');
});

test('everything ends when the page is closed, and later requests say so', async () => {
  const asked = vi.fn();
  const { ask, closePage, clients } = await open((_, response) => {
    asked();
    response.write('begun');
  });
  const { body } = await ask('/');
  const reading = expect(new Response(body).text()).rejects.toThrow();
  clients.length = 0;
  closePage();
  await reading;
  await expect(ask('/')).rejects.toThrow(PageClosedError);
});

test('a service worker that has forgotten everything connects again', async () => {
  const { ask, clients } = await open((_, response) => response.end('here'));
  expect(await bodyOf(await ask('/'))).toBe('here');
  const again = new GatewayLink({
    clients: { matchAll: async () => clients },
  } as unknown as ServiceWorkerScope);
  const response = await exchange(again, new Request(`${ORIGIN}/`));
  expect(await bodyOf(response)).toBe('here');
});

test('messages that are none change nothing', async () => {
  const { ask, link } = await open((_, response) => response.end('here'));
  const { port } = await link.connect();
  const other = new MessageChannel();
  for (const message of [
    null,
    1,
    {},
    { type: 'request' },
    { type: 'socket' },
    { type: 'cookies', target: 7 },
    { type: 'set-cookie' },
  ])
    port.postMessage(message, [new MessageChannel().port1]);
  port.postMessage(
    { type: 'request', method: 'GET', target: '//evil.example/', headers: [['a\r\nb', 'c']], referrer: '' },
    [other.port1],
  );
  const failed = await new Promise<{ type: string }>((resolve) => {
    other.port2.onmessage = ({ data }) => resolve(data);
  });
  expect(failed.type).toBe('failed');
  expect(await bodyOf(await ask('/'))).toBe('here');
});

describe('a script of the preview that sends what is no message', () => {
  const GARBAGE = [null, 1, 'x', {}, { type: 'send' }, { type: 'send', data: 2 ** 40 }, { type: 'data' }];
  const REQUEST = { method: 'GET', target: '/', headers: [], referrer: '', isNavigation: false };

  test.each(['request', 'socket'])('ends its own %s, and nothing else', async (type) => {
    const {
      ask,
      link,
      port: serverPort,
    } = await open((request, response) => {
      // The request in question has no answer.
      if (request.url !== '/') response.end('here');
    });
    const { port } = await link.connect();
    for (const message of GARBAGE) {
      const { port1, port2 } = new MessageChannel();
      const ended = new Promise((resolve) => port1.addEventListener('close', resolve));
      port.postMessage({ ...REQUEST, type, port: serverPort, protocols: [] }, [port2]);
      port1.postMessage(message);
      port1.start();
      if (message === null) await ended;
    }
    expect(await bodyOf(await ask('/other'))).toBe('here');
  });
});

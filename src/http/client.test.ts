import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { listen, listenRaw } from '../network/testing/test-server.ts';
import { HttpClient } from './client.ts';
import type { Connect } from './connection.ts';
import type { Field } from './fields.ts';
import type { HttpRequest } from './request-head.ts';
import { toResponse } from './response.ts';
import { connectLocally } from './testing/connect.ts';
import { untilStill } from './testing/until-still.ts';

const clients: HttpClient[] = [];

function newClient(connect: Connect = connectLocally): HttpClient {
  const client = new HttpClient(connect);
  clients.push(client);
  return client;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

const serve = (listener: RequestListener) => listen(createServer(listener));
const fetchFrom = async (request: HttpRequest) => toResponse(await newClient().request(request));
const plain = (url: string, init: Partial<HttpRequest> = {}): HttpRequest => ({
  url,
  method: 'GET',
  headers: [],
  ...init,
});

/** A stream and its writer. */
function pipe() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const send = (text: string) => writer.write(new TextEncoder().encode(text));
  return { readable, writer, send };
}

describe('requests', () => {
  test('a GET has status, headers and body of the server', async () => {
    await using server = await serve((request, response) => {
      response.writeHead(201, 'Made', { 'X-Path': request.url, 'X-Host': request.headers.host });
      response.end('hello');
    });
    const response = await fetchFrom(new Request(`${server.url}/a%20b?c=%22#d`));
    expect([response.status, response.statusText]).toEqual([201, 'Made']);
    expect(response.headers.get('x-path')).toBe('/a%20b?c=%22');
    expect(response.headers.get('x-host')).toBe(`localhost:${server.port}`);
    expect(await response.text()).toBe('hello');
  });

  test('the port to connect to may differ from the name', async () => {
    await using server = await serve((request, response) => response.end(request.headers.host));
    const response = await newClient().request(new Request('http://site.example/'), { port: server.port });
    expect(await toResponse(response).text()).toBe('site.example');
  });

  test('usual headers are added, and those of the connection left out', async () => {
    await using server = await serve((request, response) => response.end(JSON.stringify(request.headers)));
    const host = `localhost:${server.port}`;
    const answer = async (headers: Field[]) => (await fetchFrom(plain(server.url, { headers }))).json();
    expect(await answer([])).toEqual({
      host,
      accept: '*/*',
      'accept-encoding': 'identity',
    });
    const headers: Field[] = [
      ['Host', 'a.example'],
      ['Accept-Encoding', 'br'],
      ['Cookie', 'a=b'],
      ['Connection', 'X-Mine'],
      ['X-Mine', '1'],
      ['Transfer-Encoding', 'gzip'],
      ['Upgrade', 'h2c'],
      ['TE', 'trailers'],
    ];
    expect(await answer(headers)).toMatchObject({
      host: 'a.example',
      'accept-encoding': 'br',
      cookie: 'a=b',
    });
    expect(Object.keys(await answer(headers)).sort()).toEqual([
      'accept',
      'accept-encoding',
      'cookie',
      'host',
    ]);
  });

  test.each<[string, Partial<HttpRequest>, string]>([
    ['a method with a line', { method: 'GET / HTTP/1.1\r\nA: b\r\n\r\nGET' }, 'invalid method'],
    ['CONNECT', { method: 'CONNECT' }, 'invalid method'],
    ['a name with a line', { headers: [['A\r\nB', 'c']] }, 'invalid header name'],
    ['a name with a colon', { headers: [['A:', 'c']] }, 'invalid header name'],
    ['a value with a line', { headers: [['A', 'b\r\nC: d']] }, 'invalid value of the header A'],
    ['a value with a bare LF', { headers: [['A', 'b\nC: d']] }, 'invalid value of the header A'],
    ['a value with NUL', { headers: [['A', 'b\0']] }, 'invalid value of the header A'],
    ['a value beyond bytes', { headers: [['A', '\u{10d}\u{10a}']] }, 'invalid value of the header A'],
    ['https', { url: 'https://localhost/' }, 'only http: URLs'],
    ['a user', { url: 'http://user@localhost/' }, 'user name'],
    ['a length without a body', { headers: [['Content-Length', '5']] }, 'no body'],
    [
      'two lengths',
      {
        headers: [
          ['Content-Length', '5'],
          ['content-length', '6'],
        ],
      },
      'Content-Length "5, 6"',
    ],
  ])('%s is refused before a connection is made', async (_, init, message) => {
    const client = newClient(() => Promise.reject(new Error('connected')));
    await expect(client.request(plain('http://localhost/', init))).rejects.toThrow(message);
  });

  test('a URL cannot inject a line', async () => {
    await using server = await serve((request, response) => response.end(request.url));
    const response = await fetchFrom(plain(`${server.url}/a\r\nB: c\t d?e f`));
    expect(await response.text()).toBe('/aB:%20c%20d?e%20f');
  });

  test('a failed connection rejects with its reason', async () => {
    const client = newClient(() => Promise.reject(new Error('port 81 is closed')));
    await expect(client.request(plain('http://localhost:81/'))).rejects.toThrow('port 81 is closed');
  });
});

describe('bodies of requests', () => {
  const echo: RequestListener = async (request, response) => {
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    response.end(JSON.stringify({ body: body.toString(), length, coding, method: request.method }));
  };

  test('a short one has a length', async () => {
    await using server = await serve(echo);
    const answer = async (init: RequestInit) => (await fetchFrom(new Request(server.url, init))).json();
    expect(await answer({ method: 'POST', body: 'hi' })).toEqual({ body: 'hi', length: '2', method: 'POST' });
    expect(await answer({ method: 'POST', body: '' })).toMatchObject({ body: '', length: '0' });
    expect(await answer({ method: 'PUT' })).toEqual({ body: '', length: '0', method: 'PUT' });
    expect(await answer({ method: 'DELETE' })).toEqual({ body: '', method: 'DELETE' });
  });

  test('one that has been used is refused', async () => {
    const request = new Request('http://localhost/', { method: 'POST', body: 'hi' });
    await request.text();
    await expect(fetchFrom(request)).rejects.toThrow('the body of the request has been used');
  });

  test('one of a Request without a stream, as in Firefox, arrives', async () => {
    await using server = await serve(echo);
    const inFirefox = (init: RequestInit) =>
      new Proxy(new Request(server.url, init), {
        has: (request, name) => name !== 'body' && name in request,
        get(request, name) {
          if (name === 'body') return undefined;
          const value = Reflect.get(request, name, request);
          return typeof value === 'function' ? value.bind(request) : value;
        },
      });
    const answer = async (init: RequestInit) => (await fetchFrom(inFirefox(init))).json();
    expect(await answer({ method: 'POST', body: 'hi' })).toEqual({ body: 'hi', length: '2', method: 'POST' });
    expect(await answer({})).toEqual({ body: '', method: 'GET' });
  });

  test('a form arrives as the browser would send it', async () => {
    await using server = await serve(async (request, response) => {
      const body = await new Response(await buffer(request), {
        headers: { 'Content-Type': request.headers['content-type'] ?? '' },
      }).formData();
      response.end(`${body.get('name')} ${await (body.get('file') as File).text()}`);
    });
    const form = new FormData();
    form.set('name', 'ü');
    form.set('file', new Blob(['content']));
    const response = await fetchFrom(new Request(server.url, { method: 'POST', body: form }));
    expect(await response.text()).toBe('ü content');
  });

  test('a long one is chunked, and complete', async () => {
    await using server = await serve(async (request, response) => {
      const body = await buffer(request);
      const digest = createHash('sha256').update(body).digest('hex');
      response.end(`${request.headers['transfer-encoding']} ${body.length} ${digest}`);
    });
    const body = Uint8Array.from({ length: 5_000_000 }, (_, index) => index % 251);
    const response = await fetchFrom(new Request(server.url, { method: 'POST', body }));
    const digest = createHash('sha256').update(body).digest('hex');
    expect(await response.text()).toBe(`chunked 5000000 ${digest}`);
  });

  test('a stream arrives piece by piece, and so does the answer', async () => {
    await using server = await serve((request, response) => {
      request.on('data', (data) => response.write(`<${data}>`));
      request.on('end', () => response.end('.'));
    });
    const { readable, writer, send } = pipe();
    const sending = newClient().request(plain(server.url, { method: 'POST', body: readable }));
    await send('a');
    const reader = ((await sending).body as ReadableStream<Uint8Array>).getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe('<a>');
    await send('b');
    expect(await next()).toBe('<b>');
    await writer.close();
    expect(await next()).toBe('.');
    expect((await reader.read()).done).toBe(true);
  });

  test('no piece is lost while the connection is being made', async () => {
    await using server = await serve(echo);
    let connect = () => {};
    const connecting = new Promise<void>((resolve) => {
      connect = resolve;
    });
    const client = newClient(async (port, signal) => {
      begun = true;
      await connecting;
      return connectLocally(port, signal);
    });
    let begun = false;
    const { readable, writer, send } = pipe();
    const sending = client.request(plain(server.url, { method: 'POST', body: readable }));
    await send('a');
    await expect.poll(() => begun).toBe(true);
    void send('b');
    await new Promise((resolve) => setTimeout(resolve));
    connect();
    void send('c');
    void writer.close();
    expect(await toResponse(await sending).json()).toMatchObject({ body: 'abc', coding: 'chunked' });
  });

  test('a promised length is kept', async () => {
    await using server = await serve(echo);
    const send = (text: string) =>
      fetchFrom(
        plain(server.url, {
          method: 'POST',
          headers: [['Content-Length', '5']],
          body: new Blob([text]).stream(),
        }),
      );
    expect(await (await send('12345')).json()).toEqual({ body: '12345', length: '5', method: 'POST' });
    await expect(send('1234')).rejects.toThrow('has 4 bytes instead of 5');
    await expect(send('123456')).rejects.toThrow('more than 5 bytes');
  });

  test('a body that fails ends the request, and never looks complete', async () => {
    const seen: string[] = [];
    await using server = await listenRaw((socket) => socket.on('data', (data) => seen.push(String(data))));
    const { readable, writer, send } = pipe();
    const sending = newClient().request(plain(server.url, { method: 'POST', body: readable }));
    sending.catch(() => {});
    await send('abc');
    await expect.poll(() => seen.join('')).toContain('3\r\nabc\r\n');
    await writer.abort(new Error('the disk is full'));
    await expect(sending).rejects.toThrow('the disk is full');
    expect(seen.join('')).not.toContain('\r\n0\r\n');
  });

  test('a body of other things than bytes is refused', async () => {
    await using server = await serve(echo);
    const body = new Blob(['a']).stream().pipeThrough(new TextDecoderStream());
    const sending = fetchFrom(plain(server.url, { method: 'POST', body: body as ReadableStream }));
    await expect(sending).rejects.toThrow('must consist of Uint8Arrays');
  });

  test('a server that reads nothing holds the body back', async () => {
    await using server = await listenRaw((socket) => socket.pause());
    let taken = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        taken += 65536;
        controller.enqueue(new Uint8Array(65536));
      },
    });
    const controller = new AbortController();
    const sending = newClient().request(
      plain(server.url, { method: 'POST', body, signal: controller.signal }),
    );
    sending.catch(() => {});
    await untilStill(() => taken);
    expect(taken).toBeLessThan(64 * 1024 * 1024);
    controller.abort();
    await expect(sending).rejects.toThrow('aborted');
  });

  test('a server may answer before it has the body', async () => {
    await using server = await listenRaw((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')),
    );
    const { readable, writer, send } = pipe();
    const sending = fetchFrom(plain(server.url, { method: 'POST', body: readable }));
    await send('a');
    const response = await sending;
    expect([response.status, await response.text()]).toEqual([413, 'big']);
    // The rest of the body is not taken.
    await expect(writer.closed).rejects.toThrow('the exchange has ended');
  });

  describe('that wait for "100 Continue"', () => {
    const expecting = (url: string) =>
      plain(url, {
        method: 'POST',
        headers: [['Expect', '100-continue']],
        body: new Blob(['body']).stream(),
      });

    test('are sent when the server wants them', async () => {
      const seen: string[] = [];
      await using server = await listenRaw((socket) => {
        socket.once('data', (data) => {
          seen.push(String(data));
          socket.write('HTTP/1.1 100 Continue\r\n\r\n');
          socket.once('data', (data) => {
            seen.push(String(data));
            socket.end('HTTP/1.1 200 OK\r\n\r\nthanks');
          });
        });
      });
      expect(await (await fetchFrom(expecting(server.url))).text()).toBe('thanks');
      expect(seen).toEqual([expect.stringMatching(/\r\n\r\n$/), 'body']);
    });

    test('are not sent when it answers, and are sent when it says nothing', async () => {
      const seen: string[] = [];
      await using server = await listenRaw((socket) => {
        socket.on('data', (data) => seen.push(String(data)));
        socket.once('data', () => {
          if (String(seen[0]).startsWith('POST /refuse'))
            socket.write('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n');
          else socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
        });
        socket.on('end', () => socket.end());
      });
      expect((await fetchFrom(expecting(`${server.url}/refuse`))).status).toBe(417);
      expect(seen).toHaveLength(1);
      seen.length = 0;
      expect((await fetchFrom(expecting(server.url))).status).toBe(200);
      expect(seen[1]).toBe('body');
    });
  });
});

describe('responses', () => {
  test('HEAD, 204 and 304 have no body, and the connection goes on', async () => {
    let connections = 0;
    const http = createServer((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { ETag: '"x"' });
      response.end(request.url === '/200' ? 'hello' : undefined);
    }).on('connection', () => connections++);
    await using server = await listen(http);
    const client = newClient();
    const head = toResponse(await client.request(new Request(`${server.url}/200`, { method: 'HEAD' })));
    expect([head.status, head.body]).toEqual([200, null]);
    for (const status of [204, 304]) {
      const response = toResponse(await client.request(new Request(`${server.url}/${status}`)));
      expect([response.status, response.body, response.headers.get('etag')]).toEqual([status, null, '"x"']);
    }
    expect(connections).toBe(1);
  });

  test('a part of a file is what was asked for', async () => {
    await using server = await serve((request, response) => {
      response.writeHead(206, { 'Content-Range': 'bytes 1-2/5', 'X-Range': request.headers.range });
      response.end('el');
    });
    const response = await fetchFrom(new Request(server.url, { headers: { Range: 'bytes=1-2' } }));
    expect([response.status, response.headers.get('x-range'), await response.text()]).toEqual([
      206,
      'bytes=1-2',
      'el',
    ]);
  });

  test('redirects are given to the caller', async () => {
    await using server = await serve((_, response) => response.writeHead(302, { Location: '/b' }).end());
    const response = await fetchFrom(new Request(server.url));
    expect([response.status, response.headers.get('location')]).toEqual([302, '/b']);
  });

  test('cookies are beside the response', async () => {
    await using server = await serve((_, response) => {
      response.setHeader('Set-Cookie', ['a=b; Path=/', 'c=d, e']);
      response.end();
    });
    expect((await fetchFrom(new Request(server.url))).setCookies).toEqual(['a=b; Path=/', 'c=d, e']);
  });

  describe('that are compressed', () => {
    const packed = gzipSync('hello '.repeat(1000));

    test('are decoded, unless the caller asked for them', async () => {
      await using server = await serve((_, response) => {
        response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': packed.length });
        response.end(packed);
      });
      const response = await fetchFrom(new Request(server.url));
      expect(await response.text()).toBe('hello '.repeat(1000));
      expect([response.headers.get('content-encoding'), response.headers.get('content-length')]).toEqual([
        null,
        null,
      ]);
      const asked = await fetchFrom(plain(server.url, { headers: [['Accept-Encoding', 'gzip']] }));
      expect(asked.headers.get('content-encoding')).toBe('gzip');
      expect(Buffer.from(await asked.arrayBuffer()).equals(packed)).toBe(true);
    });

    test('fail when they are damaged or cut short', async () => {
      await using server = await serve((request, response) => {
        response.writeHead(200, { 'Content-Encoding': 'gzip' });
        response.end(request.url === '/cut' ? packed.subarray(0, 20) : 'not gzip');
      });
      for (const path of ['cut', 'damaged'])
        await expect((await fetchFrom(new Request(`${server.url}/${path}`))).text()).rejects.toThrow();
    });

    test('end their connection when they are cancelled', async () => {
      let closed = false;
      await using server = await serve((request, response) => {
        request.socket.on('close', () => {
          closed = true;
        });
        response.writeHead(200, { 'Content-Encoding': 'gzip' });
        response.write(packed);
      });
      await (await fetchFrom(new Request(server.url))).body?.cancel();
      await expect.poll(() => closed).toBe(true);
    });
  });
});

describe('the end of a request by its signal', () => {
  const never: RequestListener = () => {};

  async function aborted(server: { url: string }, phase: (sending: Promise<Response>) => Promise<unknown>) {
    const controller = new AbortController();
    const sending = fetchFrom(plain(server.url, { signal: controller.signal }));
    sending.catch(() => {});
    const reading = phase(sending);
    reading.catch(() => {});
    return { abort: () => controller.abort(new Error('enough')), reading };
  }

  test('comes before an answer', async () => {
    let asked: IncomingMessage | undefined;
    await using server = await serve((request) => {
      asked = request;
    });
    const { abort, reading } = await aborted(server, (sending) => sending);
    await expect.poll(() => asked).toBeDefined();
    const closed = once((asked as IncomingMessage).socket, 'close');
    abort();
    await expect(reading).rejects.toThrow('enough');
    await closed;
  });

  test('comes within the headers, and within a body', async () => {
    for (const start of ['HTTP/1.1 200 OK\r\nA: ', 'HTTP/1.1 200 OK\r\n\r\nabc']) {
      let begun = false;
      await using server = await listenRaw((socket) => {
        socket.once('data', () => socket.write(start, () => (begun = true)));
      });
      const { abort, reading } = await aborted(server, async (sending) => (await sending).text());
      await expect.poll(() => begun).toBe(true);
      abort();
      await expect(reading).rejects.toThrow('enough');
    }
  });

  test('comes before it began', async () => {
    const sending = fetchFrom(
      plain('http://localhost:1/', { signal: AbortSignal.abort(new Error('early')) }),
    );
    await expect(sending).rejects.toThrow('early');
  });

  test('comes while it waits for a connection', async () => {
    await using server = await serve(never);
    const client = newClient();
    const controller = new AbortController();
    const all = Array.from({ length: 9 }, () =>
      client.request(plain(server.url, { signal: controller.signal })),
    );
    controller.abort(new Error('enough'));
    for (const result of await Promise.allSettled(all))
      expect(result).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
  });

  test('comes with the end of its body, when nobody wants it', async () => {
    let closed = false;
    await using server = await serve((request, response) => {
      request.socket.on('close', () => {
        closed = true;
      });
      response.write('abc');
    });
    await (await fetchFrom(new Request(server.url))).body?.cancel();
    await expect.poll(() => closed).toBe(true);
  });
});

import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { listen, listenRaw } from '../network/testing/test-server.ts';
import { HttpClient } from './client.ts';
import { toResponse } from './response.ts';
import { connectLocally } from './testing/connect.ts';

afterEach(() => void vi.useRealTimers());

async function counted(listener: RequestListener) {
  const count = { connections: 0, open: 0 };
  const http = createServer(listener).on('connection', (socket) => {
    count.connections++;
    count.open++;
    socket.on('close', () => count.open--);
  });
  return { count, server: await listen(http) };
}

const text = async (client: HttpClient, url: string, init?: RequestInit) =>
  toResponse(await client.request(new Request(url, init))).text();

test('requests after each other share a connection, which is closed after 5 s', async () => {
  const { count, server } = await counted((_, response) => response.end('hello'));
  await using _ = server;
  const client = new HttpClient(connectLocally);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  for (let i = 0; i < 5; i++) expect(await text(client, server.url)).toBe('hello');
  vi.advanceTimersByTime(4900);
  expect(await text(client, server.url)).toBe('hello');
  expect(count).toEqual({ connections: 1, open: 1 });
  vi.advanceTimersByTime(5000);
  vi.useRealTimers();
  await expect.poll(() => count.open).toBe(0);
});

test('many requests at once share 8 connections', async () => {
  const { count, server } = await counted((request, response) => response.end(request.url));
  await using _ = server;
  const client = new HttpClient(connectLocally);
  // Computers with much to do may be slower than the patience of waiting requests.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const paths = Array.from({ length: 100 }, (_, index) => `/${index}`);
  expect(await Promise.all(paths.map((path) => text(client, server.url + path)))).toEqual(paths);
  expect(count.connections).toBeLessThanOrEqual(8);
  client.close();
  vi.useRealTimers();
  await expect.poll(() => count.open).toBe(0);
});

test('streams that last do not keep other requests waiting', async () => {
  const { server } = await counted((request, response) => {
    if (request.url === '/stream') response.write('data: 1\n\n');
    else response.end('hello');
  });
  await using _ = server;
  const client = new HttpClient(connectLocally);
  const stream = () => client.request(new Request(`${server.url}/stream`));
  const streams = await Promise.all(Array.from({ length: 8 }, stream));
  expect(await text(client, server.url)).toBe('hello');
  await Promise.all(streams.map((response) => response.body?.cancel()));
});

describe('a connection that the server closes while it is unused', () => {
  /** A server that answers the first request of each connection, and closes it when it sees another. */
  const closesAtSecond = (serve: (socket: Socket, request: string) => void) =>
    listenRaw((socket) => {
      let requests = 0;
      socket.on('data', (data) => {
        requests += String(data).match(/HTTP\/1\.1\r\n/g)?.length ?? 0;
        if (requests > 1) socket.destroy();
        else serve(socket, String(data));
      });
      socket.on('end', () => socket.end());
    });

  test('costs a repeatable request nothing', async () => {
    await using server = await closesAtSecond((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
    );
    const client = new HttpClient(connectLocally);
    for (let i = 0; i < 4; i++) expect(await text(client, server.url)).toBe('hello');
    client.close();
  });

  test('is not used for a request that cannot be repeated', async () => {
    const seen: string[] = [];
    await using server = await closesAtSecond((socket, request) => {
      seen.push(request.split(' ')[0] as string);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    });
    const client = new HttpClient(connectLocally);
    await text(client, server.url);
    for (const init of [{ method: 'POST' }, { method: 'PUT', body: 'x' }])
      expect(await text(client, server.url, init)).toBe('hello');
    expect(seen).toEqual(['GET', 'POST', 'PUT']);
    client.close();
  });

  test('is not used again once it is closed', async () => {
    let connections = 0;
    await using server = await listenRaw((socket) => {
      connections++;
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
    });
    const client = new HttpClient(connectLocally);
    for (let i = 0; i < 3; i++) expect(await text(client, server.url)).toBe('hello');
    expect(connections).toBe(3);
    client.close();
  });
});

test('a request that fails on a new connection is not repeated', async () => {
  let requests = 0;
  await using server = await listenRaw((socket) =>
    socket.once('data', () => {
      requests++;
      socket.end();
    }),
  );
  const client = new HttpClient(connectLocally);
  await expect(text(client, server.url)).rejects.toThrow('closed the connection without an answer');
  expect(requests).toBe(1);
});

test('bytes behind a response never become the next one', async () => {
  const split = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
  for (const later of [false, true]) {
    await using server = await listenRaw((socket) => {
      socket.once('data', () => {
        const good = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';
        if (later) socket.write(good, () => setTimeout(() => socket.write(split), 50));
        else socket.write(good + split);
      });
      socket.on('end', () => socket.end());
      socket.on('close', () => closed++);
    });
    let closed = 0;
    const client = new HttpClient(connectLocally);
    for (let i = 0; i < 3; i++) {
      expect(await text(client, server.url)).toBe('good');
      await expect.poll(() => closed).toBe(i + 1);
    }
    client.close();
  }
});

test('a connection that is not used again is closed, and not reset', async () => {
  let end = '';
  await using server = await listenRaw((socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'),
    );
    socket.on('end', () => socket.write('late', () => setTimeout(() => socket.end('later'), 100)));
    socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? ''));
    socket.on('close', () => (end ||= 'closed'));
  });
  const client = new HttpClient(connectLocally);
  expect(await text(client, server.url)).toBe('hello');
  await expect.poll(() => end).toBe('closed');
});

test('a closed client refuses requests', async () => {
  const client = new HttpClient(connectLocally);
  client.close();
  await expect(text(client, 'http://localhost:1/')).rejects.toThrow('the HTTP client is closed');
});

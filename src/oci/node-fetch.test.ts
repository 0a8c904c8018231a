import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { nodeFetch } from './node-fetch.ts';

let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(handler: RequestListener): Promise<string> {
  server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const get = (url: string, signal = new AbortController().signal) => nodeFetch(url, { headers: {}, signal });

async function readAll(body: ReadableStream<Uint8Array> | null): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const bytes of body ?? []) parts.push(bytes);
  return Buffer.concat(parts);
}

it('leaves gzip-encoded bodies unchanged', async () => {
  const layer = gzipSync('a layer');
  const url = await serve((_, response) => response.setHeader('Content-Encoding', 'gzip').end(layer));
  expect(await readAll((await get(url)).body)).toEqual(layer);
});

it('joins headers of the same name, and reports missing ones as absent', async () => {
  const url = await serve((_, response) => response.setHeader('WWW-Authenticate', ['Basic', 'Bearer']).end());
  const { headers } = await get(url);
  expect(headers.get('WWW-Authenticate')).toBe('Basic, Bearer');
  expect(headers.get('location')).toBeNull();
});

it('slows down a server whose bytes are not read, and loses none of them', async () => {
  const content = Buffer.alloc(32 << 20, 'content');
  let sent = () => 0;
  const url = await serve((_, response) => {
    const { socket } = response;
    sent = () => (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0);
    response.end(content);
  });
  const { body } = await get(url);
  for (let before = -1; before !== sent(); await sleep(100)) before = sent();
  expect(sent()).toBeLessThan(content.length / 2);
  expect(Buffer.compare(await readAll(body), content)).toBe(0);
});

it('fails when the connection breaks, after the received bytes', async () => {
  const url = await serve((_, response) =>
    response.write('some', () => setTimeout(() => response.destroy(), 50)),
  );
  const reader = (await get(url)).body?.getReader();
  await sleep(150);
  expect(Buffer.from((await reader?.read())?.value ?? [])).toEqual(Buffer.from('some'));
  await expect(reader?.read()).rejects.toThrow(/aborted/);
});

it('is aborted before, between and after', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/') response.write('some');
  });
  await expect(get(url, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  const waiting = new AbortController();
  setTimeout(() => waiting.abort(), 50);
  await expect(get(`${url}silence`, waiting.signal)).rejects.toThrow();
  const reading = new AbortController();
  const { body } = await get(url, reading.signal);
  setTimeout(() => reading.abort(), 50);
  await expect(readAll(body)).rejects.toThrow();
});

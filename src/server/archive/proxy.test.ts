import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { PROXY_HEADER } from '../../oci/proxied-fetch.ts';
import { createApp } from '../app.ts';
import { ArchiveProxy } from './proxy.ts';

let upstream: Server;
let host: string;
let answer: RequestListener;
const asked: string[] = [];
let proxies: ArchiveProxy[] = [];

beforeEach(async () => {
  asked.length = 0;
  answer = (_, response) => response.end('the archive');
  upstream = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  host = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterEach(() => {
  for (const proxy of proxies) proxy.close();
  proxies = [];
  upstream.closeAllConnections();
  upstream.close();
});

/** Resolves every name to an address that is not public, so that nothing leaves this machine. */
const options = () => ({
  resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  loopback: [host],
  forms: { [host]: /^\/good\.zip$/ },
});

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const archiveProxy = new ArchiveProxy(options());
  proxies.push(archiveProxy);
  const app = createApp([], { archiveProxy });
  return Promise.resolve(app.fetch(new Request(`http://localhost/archive/${path}`, init)));
}

async function failure(path: string, init?: RequestInit): Promise<string> {
  const response = await ask(path, init);
  const { errors } = (await response.json()) as { errors: { message: string }[] };
  return `${response.status} ${errors[0]?.message}`;
}

it('passes an archive on, as bytes that are no document', async () => {
  const response = await ask(`${host}/good.zip`);
  expect(await response.text()).toBe('the archive');
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    [PROXY_HEADER.toLowerCase()]: 'archive',
  });
});

test.each([
  'example.com/a.zip',
  'localhost/good.zip',
  '169.254.169.254/latest/meta-data',
  'codeload.github.com@example.com/o/r/zip/HEAD',
  'api.github.com/repos/o/r/zipball',
  'github.com/o/r/archive/HEAD.zip',
])('%s is of a host that it does not ask', async (path) => {
  expect(await failure(path)).toMatch(/^403 this server fetches archives only from codeload\.github\.com/);
});

test.each([
  ...['o', 'o/r', 'o/r/zip', 'o/r/zip/', 'o/r/exe/HEAD', 'o/r/zip/a%2f..%2fb', 'o/r/zip/HEAD?token=x'],
  ...['o/r/zip/a//b', 'o/r/zip/..%2f..%2fx', `o/r/zip/${'a/'.repeat(20)}b`, `o/r/zip/${'a'.repeat(300)}`],
])('%s is no archive of GitHub', async (path) => {
  expect(await failure(`codeload.github.com/${path}`)).toMatch(/^403 this is no address of an archive/);
});

test.each([
  ...['codeload.github.com/o/r.x/tar.gz/refs/heads/a-b/c', 'codeload.github.com/o/r/zip/HEAD'],
  ...['gitlab.com/g/sub/r/-/archive/v1/r-v1.tar.gz', 'codeberg.org/o/r/archive/main.zip'],
])('%s is asked for at public addresses only', async (path) => {
  expect(await failure(path)).toMatch(/^403 .* is not on the public internet/);
  expect(asked).toEqual([]);
});

it('serves only pages of its own, and only reading', async () => {
  const path = `${host}/good.zip`;
  for (const site of ['cross-site', 'same-site'])
    expect(await failure(path, { headers: { 'Sec-Fetch-Site': site } })).toMatch(/^403 only pages of this/);
  expect((await ask(path, { method: 'POST' })).status).toBe(404);
  expect(asked).toEqual([]);
});

it('follows no redirect', async () => {
  answer = (_, response) => response.writeHead(302, { Location: `http://${host}/secret` }).end();
  expect(await failure(`${host}/good.zip`)).toMatch(/^502 .* leads elsewhere/);
  expect(asked).toEqual(['/good.zip']);
});

it('says what is missing, and what is too large', async () => {
  answer = (_, response) => response.writeHead(404).end();
  expect(await failure(`${host}/good.zip`)).toMatch(/^404 .* has no such repository/);
  answer = (_, response) => response.writeHead(200, { 'Content-Length': String(65 << 20) }).end();
  expect(await failure(`${host}/good.zip`)).toBe('413 the archive is larger than 64 MB');
});

it('ends a body of unknown length at its limit', async () => {
  answer = (_, response) => {
    const part = Buffer.alloc(1 << 20);
    const write = () => {
      while (!response.destroyed && response.write(part));
    };
    response.on('drain', write);
    write();
  };
  const response = await ask(`${host}/good.zip`);
  await expect(response.arrayBuffer()).rejects.toThrow(/sends more than it should/);
});

it('limits the requests of a client', async () => {
  const archiveProxy = new ArchiveProxy(options());
  proxies.push(archiveProxy);
  const app = createApp([], { archiveProxy });
  const get = async () => {
    const response = await app.fetch(new Request(`http://localhost/archive/${host}/good.zip`));
    await response.arrayBuffer();
    return response.status;
  };
  for (let request = 0; request < 20; request++) expect(await get()).toBe(200);
  expect(await get()).toBe(429);
});

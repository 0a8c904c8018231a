import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createApp } from './app.ts';

const TEXT = 'The tab is the computer. '.repeat(200);
const BINARY = new Uint8Array(500).map((_, index) => index);

let folder: string;
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-server-'));
  await mkdir(join(folder, 'page/assets'), { recursive: true });
  await mkdir(join(folder, 'public/kernel'), { recursive: true });
  await writeFile(join(folder, 'page/index.html'), '<!doctype html>');
  await writeFile(join(folder, 'page/assets/app-abc123.js'), TEXT);
  await writeFile(join(folder, 'page/.secret'), 'hidden');
  await writeFile(join(folder, 'page/404.html'), '<a href="/">back</a>');
  await writeFile(join(folder, 'page/both'), 'of the page');
  await writeFile(join(folder, 'public/both'), 'of public');
  await writeFile(join(folder, 'public/core.wasm'), BINARY);
  await writeFile(join(folder, 'public/empty.txt'), '');
  await writeFile(join(folder, 'public/kernel/Image'), TEXT);
  await writeFile(join(folder, 'outside'), 'out of the roots');
  await symlink(join(folder, 'outside'), join(folder, 'public/linked'));
  app = createApp([join(folder, 'page'), join(folder, 'public')]);
});

afterAll(() => rm(folder, { recursive: true }));

describe('headers', () => {
  it.each(['/', '/core.wasm', '/missing'])('isolate and restrict %s', async (path) => {
    const { headers } = await app.request(path);
    expect(headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
    expect(headers.get('Cross-Origin-Embedder-Policy')).toBe('require-corp');
    expect(headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    const policy = headers.get('Content-Security-Policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  });

  it('let only the script of machine workers connect to relays elsewhere', async () => {
    const policy = async (path: string) =>
      (await app.request(path)).headers.get('Content-Security-Policy') ?? '';
    expect(await policy('/assets/browser-machine-D60otlaN.js')).toMatch(/connect-src [^;]* wss:/);
    for (const path of ['/', '/assets/app-abc123.js', '/x/assets/browser-machine-D60otlaN.js'])
      expect(await policy(path)).not.toMatch(/wss?:/);
  });
});

it('of the folder of a release, only the archive of the sources is served', async () => {
  const release = join(folder, 'release');
  await mkdir(join(release, 'sub'), { recursive: true });
  const archive = 'linuxrun-1.2.3-sources.tar';
  for (const name of [archive, 'server.mjs', 'linuxrun-1.2.3.tgz', `sub/${archive}`])
    await writeFile(join(release, name), name);
  const { request } = createApp([join(folder, 'page')], { archiveRoot: release });
  const answer = await request(`/${archive}`);
  expect([answer.status, await answer.text()]).toEqual([200, archive]);
  for (const path of ['server.mjs', 'linuxrun-1.2.3.tgz', `sub/${archive}`, `..%2Frelease%2F${archive}`])
    expect((await request(`/${path}`)).status, path).toBe(404);
});

it('leads to the page of a folder if the slash is missing', async () => {
  await mkdir(join(folder, 'page/docs'), { recursive: true });
  await writeFile(join(folder, 'page/docs/index.html'), '<!doctype html>');
  const answer = await app.request('http://localhost:8080/docs?q=1');
  expect([answer.status, answer.headers.get('Location')]).toEqual([301, '/docs/?q=1']);
  for (const path of ['/kernel', '/assets', '//docs', '/%2fdocs', '/docs%2f'])
    expect((await app.request(`http://localhost:8080${path}`)).status, path).not.toBe(301);
});

describe('the name on this machine', () => {
  const ask = (url: string, origin?: string) =>
    app.request(`${url}/__linuxrun/here`, { headers: origin === undefined ? {} : { Origin: origin } });

  it.each(['localhost', '127.0.0.1', '[::1]'])('tells a page at %s that it leads here', async (host) => {
    const origin = `http://${host}:8080`;
    const answer = await ask('http://linuxrun.localhost:8080', origin);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(origin);
  });

  it.each([
    ['http://linuxrun.localhost:8080', 'https://evil.example'],
    ['http://linuxrun.localhost:8080', 'http://localhost:9090'],
    ['http://linuxrun.localhost:8080', 'http://8000-abc.linuxrun.localhost:8080'],
    ['http://linuxrun.localhost:8080', 'null'],
    ['http://linuxrun.localhost:8080', undefined],
    ['http://localhost:8080', 'http://localhost:8080'],
  ])('tells nothing at %s to %s', async (url, origin) => {
    const answer = await ask(url, origin);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});

describe('files', () => {
  it('have their types', async () => {
    const type = async (path: string) => (await app.request(path)).headers.get('Content-Type');
    expect(await type('/')).toMatch(/^text\/html/);
    expect(await type('/assets/app-abc123.js')).toMatch(/^text\/javascript/);
    expect(await type('/core.wasm')).toBe('application/wasm');
    expect(await type('/kernel/Image')).toBe('application/octet-stream');
  });

  it('come from the first root that has them, through links too', async () => {
    expect(await (await app.request('/both')).text()).toBe('of the page');
    expect(await (await app.request('/linked')).text()).toBe('out of the roots');
    expect(new Uint8Array(await (await app.request('/core.wasm')).arrayBuffer())).toEqual(BINARY);
  });

  it.each([
    '/missing',
    '/kernel',
    '/kernel/',
    '/.secret',
    '/../outside',
    '/%2e%2e/outside',
    '/..%2foutside',
    '/..%5coutside',
    '/kernel/..%2f..%2foutside',
    '/assets//app-abc123.js',
    '/%00',
    '/%E0%A4%A',
  ])('are not found at %s', async (path) => {
    const response = await app.request(path);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('Not found\n');
  });

  it('are not found by people on a page with a way back', async () => {
    const ask = (path: string) => app.request(path, { headers: { Accept: 'text/html,*/*;q=0.8' } });
    const response = await ask('/kernel/missing');
    expect(response.status).toBe(404);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/html/);
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(await response.text()).toContain('href="/"');
    expect((await ask('/404.html')).status).toBe(200);
    const bare = createApp([join(folder, 'public')]);
    expect(await (await bare.request('/x', { headers: { Accept: 'text/html' } })).text()).toBe('Not found\n');
  });

  it('answer only GET and HEAD', async () => {
    expect((await app.request('/', { method: 'POST' })).status).toBe(404);
    const head = await app.request('/core.wasm', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('Content-Length')).toBe('500');
    expect((await head.arrayBuffer()).byteLength).toBe(0);
  });

  it('may be empty', async () => {
    const response = await app.request('/empty.txt');
    expect(response.headers.get('Content-Length')).toBe('0');
    expect(await response.text()).toBe('');
  });
});

describe('caching', () => {
  it('keeps assets forever and revalidates the rest', async () => {
    const policy = async (path: string) => (await app.request(path)).headers.get('Cache-Control');
    expect(await policy('/assets/app-abc123.js')).toContain('immutable');
    expect(await policy('/')).toBe('no-cache');
    expect(await policy('/kernel/Image')).toBe('no-cache');
  });

  it('answers 304 until the file changes', async () => {
    const path = join(folder, 'public/changing');
    await writeFile(path, 'one');
    const etag = (await app.request('/changing')).headers.get('ETag') ?? '';
    const again = () => app.request('/changing', { headers: { 'If-None-Match': `"other", ${etag}` } });
    expect((await again()).status).toBe(304);
    await writeFile(path, 'two');
    await utimes(path, 1, 1);
    const changed = await again();
    expect(changed.status).toBe(200);
    expect(await changed.text()).toBe('two');
  });
});

describe('ranges', () => {
  const get = (range: string, headers = {}) =>
    app.request('/core.wasm', { headers: { Range: range, ...headers } });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=100-199', 100, 200],
    ['bytes=490-', 490, 500],
    ['bytes=490-99999', 490, 500],
    ['bytes=-10', 490, 500],
    ['bytes=-9999', 0, 500],
  ])('%s', async (range, start, end) => {
    const response = await get(range);
    expect(response.status).toBe(206);
    expect(response.headers.get('Content-Range')).toBe(`bytes ${start}-${end - 1}/500`);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(BINARY.slice(start, end));
  });

  it.each(['bytes=500-', 'bytes=-0', 'bytes=99999999999999999999-'])(
    '%s cannot be satisfied',
    async (range) => {
      const response = await get(range);
      expect(response.status).toBe(416);
      expect(response.headers.get('Content-Range')).toBe('bytes */500');
    },
  );

  it.each(['bytes=9-1', 'bytes=-', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=a-b'])(
    '%s is ignored',
    async (range) => {
      expect((await get(range)).status).toBe(200);
    },
  );

  it('are ignored when the client asks for one version of the file', async () => {
    expect((await get('bytes=0-0', { 'If-Range': 'W/"x"' })).status).toBe(200);
  });
});

describe('compression', () => {
  const get = (encodings: string) =>
    app.request('/kernel/Image', { headers: { 'Accept-Encoding': encodings } });

  it('starts with the first request and serves the later ones that accept it', async () => {
    const first = await get('gzip, br');
    expect(first.headers.get('Content-Encoding')).toBeNull();
    expect(await first.text()).toBe(TEXT);
    const compressed = await vi.waitFor(
      async () => {
        const response = await get('gzip, br');
        expect(response.headers.get('Content-Encoding')).toBe('br');
        return response;
      },
      { timeout: 20_000 },
    );
    const body = new Uint8Array(await compressed.arrayBuffer());
    expect(body.length).toBeLessThan(TEXT.length / 10);
    expect(brotliDecompressSync(body).toString()).toBe(TEXT);
    expect(compressed.headers.get('ETag')).toBe(first.headers.get('ETag'));
    for (const encodings of ['', 'gzip', 'br;q=0']) {
      expect((await get(encodings)).headers.get('Content-Encoding')).toBeNull();
    }
  });
});

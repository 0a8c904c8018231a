/** Images in Chromium: its IndexedDB, its locks and WebAssembly, under our security policy. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM_SHELL } from '../../e2e/browser.ts';
import { Random } from '../../emulator-wasm/test/support/random.ts';
import { headersFor } from '../server/headers.ts';
import { PROXY_HEADER } from './proxied-fetch.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { gzipBody, pieceSize, unpackedByZlib } from './testing/gzip-bodies.ts';
import { layoutFiles, makeImage, makeIndex, makeLayer, makeTar, sha256 } from './testing/image.ts';
import type { InBrowser } from './testing/in-browser.ts';

const IMAGES = join(import.meta.dirname, '../../../shared/images');

const contents = (size: number) => new Uint8Array(randomBytes(size));
const big = makeLayer(makeTar([{ path: 'big', contents: contents(5_000_000) }]));
const small = makeLayer(makeTar([{ path: 'small', contents: contents(5000) }]));
const app = makeImage([big, small]);
const layout = layoutFiles(
  [app],
  makeIndex([{ image: app, annotations: { 'org.opencontainers.image.ref.name': 'app' } }]),
);

const text = Array.from({ length: 30_000 }, (_, i) => `line ${i * 7919}`).join('\n');
const members = [text, '', 'x', contents(40_000), 'end'];
const files = new Map<string, Uint8Array>([
  [
    '/',
    new TextEncoder().encode(
      '<!doctype html><title>test</title><script type="module" src="/test.js"></script>',
    ),
  ],
  ['/app.tar', makeTar(layout)],
  ['/app.tar.gz', gzipSync(makeTar(layout))],
  ['/members.gz', Buffer.concat(members.map((member) => gzipSync(member)))],
  ['/truncated.gz', gzipSync(text).subarray(0, 5000)],
  ['/junk.gz', Buffer.concat([gzipSync(text), contents(100)])],
  ...layout.map(({ path, contents = new Uint8Array(0) }) => [`/images/${path}`, contents] as const),
]);
const packers = ['zstd', 'xz', 'bzip2'].filter((name) => spawnSync(name, ['--help']).error === undefined);
for (const name of packers) {
  files.set(`/text.${name}`, execFileSync(name, ['-c'], { input: text }));
  files.set(
    `/app.tar.${name}`,
    execFileSync(name, ['-c', '-1'], { input: makeTar(layout), maxBuffer: 1 << 26 }),
  );
}

const digestOf = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

let server: Server;
let origin: string;
let browser: Browser;
let context: BrowserContext;
let registry: FakeRegistry;

/** The WebAssembly of zlib and libbzip2, where the bundle looks for it. */
for (const name of ['@zip.js/zip.js/dist/zip-module.wasm', 'bzip2-wasm/bzip2-1.0.8/bzip2.wasm']) {
  const path = `/node_modules/${name}`;
  files.set(path, readFileSync(join(import.meta.dirname, '../..', path)));
}

/** The part of our server that these tests need. */
function serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
  for (const [name, value] of Object.entries(headersFor('/', []))) outgoing.setHeader(name, value);
  const { pathname } = new URL(incoming.url ?? '', 'http://x');
  const [, host, path] = /^\/registry\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
  if (host) {
    const { range, accept = '', 'registry-authorization': authorization } = incoming.headers;
    const headers = {
      accept,
      ...(range && { range }),
      ...(authorization && { authorization: String(authorization) }),
    };
    request(`http://${host}${path}`, { headers }, (answer) => {
      outgoing.setHeader(PROXY_HEADER, 'registry/2.0');
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, outgoing, () => {});
    }).end();
    return;
  }
  const shared = /^\/shared\/([\w./-]+)$/.exec(pathname)?.[1];
  const file = shared ? readFileSync(join(IMAGES, shared)) : files.get(pathname);
  if (!file) outgoing.writeHead(404);
  if (pathname === '/') outgoing.setHeader('Content-Type', 'text/html');
  if (pathname.endsWith('.js')) outgoing.setHeader('Content-Type', 'text/javascript');
  outgoing.end(file);
}

const hasChromium = existsSync(CHROMIUM_SHELL.executablePath);

beforeAll(async () => {
  if (!hasChromium) return;
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'testing/in-browser.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  files.set('/test.js', outputFiles[0]?.contents ?? new Uint8Array(0));
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch(CHROMIUM_SHELL);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

beforeEach(async () => {
  if (!hasChromium) return;
  registry = await FakeRegistry.start();
  registry.add('app:1', app);
  context = await browser.newContext();
});

afterEach(async () => {
  await context?.close();
  await registry?.stop();
});

async function openPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(origin);
  return page;
}

function call<K extends keyof InBrowser>(
  page: Page,
  name: K,
  ...parameters: Parameters<InBrowser[K]>
): Promise<Awaited<ReturnType<InBrowser[K]>>> {
  return page.evaluate(
    ([name, parameters]) => {
      const { linuxrun } = globalThis as unknown as {
        linuxrun: Record<string, (...parameters: unknown[]) => unknown>;
      };
      return linuxrun[name as string]?.(...(parameters as unknown[]));
    },
    [name, parameters] as const,
  ) as Promise<Awaited<ReturnType<InBrowser[K]>>>;
}

describe.skipIf(!hasChromium)('in Chromium (skipped where it is absent)', () => {
  it('pulls an image of our server, keeps it across pages, and reads it back', async () => {
    const page = await openPage();
    const image = await call(page, 'pull', 'oci://images:app');
    expect(image).toMatchObject({ digest: app.digest, layers: app.diffIds, reference: 'oci://images:app' });
    await page.close();
    const next = await openPage();
    expect(await call(next, 'find', 'oci://images:app')).toEqual(image);
    for (const diffId of app.diffIds) expect(await call(next, 'digest', diffId)).toBe(diffId);
  }, 60_000);

  it('pulls from a registry through the proxy, with the password of the user', async () => {
    const expected = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    registry.intercept = (request, response) => {
      if (request.headers.authorization === expected) return false;
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    const page = await openPage();
    const reference = `docker://${registry.host}/app:1`;
    await expect(call(page, 'pull', reference)).rejects.toThrow(/ImageError denied: .* does not exist, or/);
    expect((await call(page, 'pull', reference, 'secret')).digest).toBe(app.digest);
  }, 60_000);

  it('resumes a download that breaks off', async () => {
    let broken = false;
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(sha256(big.blob)) || broken) return false;
      broken = true;
      response.writeHead(200, { 'Content-Length': big.blob.length });
      response.write(big.blob.subarray(0, 2_000_000), () => setTimeout(() => response.destroy(), 100));
      return true;
    };
    const page = await openPage();
    await call(page, 'pull', `docker://${registry.host}/app:1`);
    expect(await call(page, 'digest', sha256(big.tar))).toBe(sha256(big.tar));
    const ranges = registry.requests.map(({ range }) => range).filter(Boolean);
    expect(ranges).toHaveLength(1);
  }, 60_000);

  it.each(['/app.tar', '/app.tar.gz', ...packers.map((name) => `/app.tar.${name}`)])(
    'pulls the image in the file %s',
    async (path) => {
      const page = await openPage();
      expect((await call(page, 'pullPicked', path, 'app')).digest).toBe(app.digest);
      expect(await call(page, 'digest', sha256(big.tar))).toBe(sha256(big.tar));
    },
    60_000,
  );

  it.each([10, 1000, 1 << 20])(
    'undoes gzip of many members, in pieces of %i bytes',
    async (size) => {
      const page = await openPage();
      const whole = Buffer.concat(members.map((member) => Buffer.from(member)));
      expect(await call(page, 'decompress', '/members.gz', size)).toBe(digestOf(whole));
    },
    60_000,
  );

  it('agrees with zlib about gzip files full of look-alikes', async () => {
    const random = new Random(10);
    const count = process.env.LONG_TESTS ? 10_000 : 1000;
    const bodies = Array.from({ length: count }, () => gzipBody(random));
    const expected = bodies.map((body) => {
      const unpacked = unpackedByZlib(body);
      return unpacked && digestOf(unpacked);
    });
    expect(expected.filter(Boolean).length).toBeGreaterThan(count / 2);
    expect(expected.filter((digest) => !digest).length).toBeGreaterThan(count / 10);
    files.set('/bodies', Buffer.concat(bodies));
    const page = await openPage();
    const sizes = bodies.map((body) => [body.length, pieceSize(random, body)] as const);
    const found = await call(page, 'decompressAll', '/bodies', sizes);
    const wrong = expected.flatMap((digest, i) => (digest === (found[i] ?? undefined) ? [] : [i]));
    expect(wrong).toEqual([]);
  }, 120_000);

  it('refuses damaged gzip', async () => {
    const page = await openPage();
    await expect(call(page, 'decompress', '/truncated.gz', 1000)).rejects.toThrow(/damaged gzip data/);
    await expect(call(page, 'decompress', '/junk.gz', 1000)).rejects.toThrow(/damaged gzip data/);
  }, 60_000);

  it.each(packers)(
    'undoes %s',
    async (name) => {
      const page = await openPage();
      expect(await call(page, 'decompress', `/text.${name}`, 1000)).toBe(digestOf(text));
    },
    60_000,
  );

  it('evicts nothing that another page uses', async () => {
    const [first, second] = [await openPage(), await openPage()];
    await call(first, 'pull', 'oci://images:app');
    expect(await call(second, 'hold', sha256(small.tar))).toBe(true);
    expect((await call(first, 'usage')).filter(({ inUse }) => inUse)).toMatchObject([
      { diffId: sha256(small.tar), size: small.tar.length },
    ]);
    expect(await call(first, 'evict', 1e12)).toBe(big.tar.length);
    await second.close();
    await expect.poll(() => call(first, 'evict', 1e12)).toBe(small.tar.length);
    expect(await call(first, 'usage')).toEqual([]);
  }, 60_000);

  it('evicts no layer of an image that another page has pulled, before it opens any', async () => {
    const [first, second] = [await openPage(), await openPage()];
    await call(first, 'pullAndHold', 'oci://images:app');
    expect(await call(second, 'evict', 1e12)).toBe(0);
    expect((await call(second, 'usage')).map(({ inUse }) => inUse)).toEqual([true, true]);
    await first.close();
    await expect.poll(() => call(second, 'evict', 1e12)).toBeGreaterThan(0);
  }, 60_000);

  it('sweeps what a page left that was closed in mid-pull', async () => {
    let hanging = () => {};
    const reached = new Promise<void>((resolve) => {
      hanging = resolve;
    });
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(sha256(big.blob))) return false;
      response.write(big.blob.subarray(0, 4_500_000), () => setTimeout(hanging, 300));
      return true;
    };
    const first = await openPage();
    const reference = `docker://${registry.host}/app:1`;
    call(first, 'pull', reference).catch(() => {});
    await reached;
    await first.close();
    registry.intercept = undefined;
    const second = await openPage();
    await call(second, 'pull', reference);
    const keys = await second.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const opening = indexedDB.open('linuxrun');
          opening.onsuccess = () => {
            const all = opening.result.transaction('values').objectStore('values').getAllKeys();
            all.onsuccess = () => resolve(all.result as string[]);
          };
        }),
    );
    // Two layers of three chunks and one, each with its index, record and time of use; the image.
    expect(keys.filter((key) => key.startsWith('chunk/'))).toHaveLength(3 + 1 + 2);
    expect(keys).toHaveLength(6 + 2 + 2 + 1);
  }, 60_000);

  it('says when the browser gives no more room, and makes room where it can', async () => {
    const page = await openPage();
    const session = await context.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 16_000_000 });
    const large = makeImage([makeLayer(makeTar([{ path: 'x', contents: contents(12_500_000) }]))]);
    registry.add('large:1', large);
    const reference = `docker://${registry.host}/large:1`;

    await call(page, 'pull', 'oci://images:app');
    for (const diffId of app.diffIds) await call(page, 'hold', diffId);
    await expect(call(page, 'pull', reference)).rejects.toThrow(/StorageFullError .*no more room for images/);
    expect((await call(page, 'usage')).map(({ diffId }) => diffId).sort()).toEqual([...app.diffIds].sort());
    await page.reload();
    expect((await call(page, 'pull', reference)).digest).toBe(large.digest);
    expect((await call(page, 'usage')).map(({ diffId }) => diffId)).toEqual(large.diffIds);
  }, 60_000);

  it.skipIf(!existsSync(join(IMAGES, 'index.json')))(
    'pulls the shared images',
    async () => {
      const page = await openPage();
      for (const tag of ['busybox-zstd', 'edge-whiteout']) {
        const { layers } = await call(page, 'pull', `oci://shared:${tag}`);
        for (const diffId of layers) expect(await call(page, 'digest', diffId)).toBe(diffId);
      }
    },
    90_000,
  );
});

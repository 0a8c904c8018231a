import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { registryProxyInDevelopment } from './dev-server.ts';
import { readHosts } from './hosts.ts';
import { RegistryProxy } from './registry/proxy.ts';
import { RelayDoor } from './relay/testing/relay-server.ts';
import { startServer } from './server.ts';

const OURS = [
  'localhost',
  'linuxrun.localhost',
  '127.0.0.1',
  '[::1]',
  'tab.localhost',
  'linuxrun.example.com',
  'run.example.com',
];
const OTHERS = [
  'evil.example',
  'localhost.evil.example',
  'notlocalhost',
  'sub.linuxrun.example.com',
  'sub.linuxrun.localhost',
  '10.0.0.1',
];
const PATHS = ['/', '/index.html', '/missing', '/registry/quay.io/v2/a/b/tags/list'];

const HOSTS = ['linuxrun.example.com', '*.run.example.com'];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-hosts-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html>');
});

afterAll(() => rm(folder, { recursive: true }));

/** Asks the server at `port` as a browser does after the name `host` led there. */
function ask(port: number, host: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { Host: `${host}:${port}`, 'Sec-Fetch-Site': 'cross-site', Accept: 'text/html' };
    request({ host: 'localhost', port, path, headers }, async (answer) => {
      resolve({ status: answer.statusCode ?? 0, body: await text(answer) });
    })
      .on('error', reject)
      .end();
  });
}

describe('the server', () => {
  it('answers only to names of this machine and to configured ones', async () => {
    const registryProxy = await RegistryProxy.open();
    const server = await startServer([folder], 0, { registryProxy, hosts: HOSTS });
    const port = Number(new URL(server.url).port);
    for (const path of PATHS) {
      for (const host of OURS) expect((await ask(port, host, path)).status, host + path).not.toBe(421);
      for (const host of OTHERS) {
        const { status, body } = await ask(port, host, path);
        expect(status, host + path).toBe(421);
        expect(body).toContain(host);
        expect(body).toContain('LINUXRUN_HOSTS');
      }
    }
    await server.close();
  });
});

describe("Vite's server", () => {
  it('does the same, and has the relay', async () => {
    vi.stubEnv('LINUXRUN_HOSTS', HOSTS.join());
    vi.stubEnv('LINUXRUN_RELAY', 'on');
    vi.stubEnv('LINUXRUN_REGISTRY_CACHE_SIZE', '0');
    const server = await createServer({
      configFile: false,
      root: folder,
      cacheDir: join(folder, 'cache'),
      logLevel: 'silent',
      plugins: [registryProxyInDevelopment()],
      server: { port: 0, host: 'localhost', hmr: false },
    });
    await server.listen();
    const port = (server.httpServer?.address() as AddressInfo | undefined)?.port ?? 0;
    for (const path of ['/', '/registry/quay.io/v2/a/b/tags/list']) {
      for (const host of OURS) {
        const { body } = await ask(port, host, path);
        expect(body, host + path).not.toMatch(/not allowed|does not answer to/);
      }
      for (const host of OTHERS.filter((host) => host !== '10.0.0.1' && !host.endsWith('.localhost')))
        expect((await ask(port, host, path)).status, host + path).toBe(403);
    }
    const session = await new RelayDoor(port).connect();
    await expect.poll(() => session.heard('config')).toHaveLength(1);
    await server.close();
    expect(await session.closed).toBeGreaterThan(1000);
    vi.unstubAllEnvs();
  });
});

describe('LINUXRUN_HOSTS', () => {
  const read = (value?: string) => readHosts({ LINUXRUN_HOSTS: value });

  it('is a list of names', () => {
    expect(read()).toEqual([]);
    expect(read('')).toEqual([]);
    expect(read('a.example, *.B.example')).toEqual(['a.example', '*.b.example']);
  });

  it.each([
    '*',
    '*.',
    '*.*.example.com',
    'a.*.example.com',
    'https://a.example',
    'a.example:80',
    'a.example/path',
    'user@a.example',
    'a_b c d%',
  ])('is not %s', (value) => expect(() => read(value)).toThrow(/LINUXRUN_HOSTS: ".*" is not a host/));
});

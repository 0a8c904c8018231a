import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from './app.ts';

const LABEL = '8000-abcdefghijkmnpqr';
const LOCAL = `http://${LABEL}.linuxrun.localhost:8080`;
const PUBLIC = `https://${LABEL}.run.example.com`;
const CHROME = 'Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const SAFARI =
  'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15';

let folder: string;
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-previews-'));
  await mkdir(join(folder, 'site/assets'), { recursive: true });
  await mkdir(join(folder, 'previews/__linuxrun'), { recursive: true });
  await writeFile(join(folder, 'site/index.html'), 'the page');
  await writeFile(join(folder, 'previews/404.html'), 'not connected');
  await writeFile(join(folder, 'previews/__linuxrun/bridge.html'), 'the bridge');
  const hosts = ['plain.example.com', '*.run.example.com'];
  app = createApp([join(folder, 'site')], { previewRoot: join(folder, 'previews'), hosts });
});

afterAll(() => rm(folder, { recursive: true }));

const ask = (url: string, agent = CHROME, accept = 'text/html') =>
  app.request(url, { headers: { 'User-Agent': agent, Accept: accept } });

describe('the origin of a preview', () => {
  it.each([LOCAL, PUBLIC])('%s has its own files and headers only', async (origin) => {
    const answer = await ask(`${origin}/__linuxrun/bridge.html`);
    expect(await answer.text()).toBe('the bridge');
    const page = origin.replace(/^\w+:\/\/[^.]+\./, '');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cross-origin-embedder-policy': 'credentialless',
      'cross-origin-resource-policy': 'same-site',
      'origin-agent-cluster': '?1',
      'service-worker-allowed': '/',
      'cache-control': 'no-store',
      'content-security-policy': `frame-ancestors ${page} *.${page}`,
    });
    expect(answer.headers.has('Cross-Origin-Opener-Policy')).toBe(false);
  });

  it.each([
    '/',
    '/index.html',
    '/assets/x.js',
    '/registry/quay.io/v2/a/b/tags/list',
    '/relay/token',
    '/__linuxrun/here',
  ])('has nothing of the page at %s', async (path) => {
    const answer = await ask(LOCAL + path);
    expect([answer.status, await answer.text()]).toEqual([404, 'not connected']);
    expect(await (await ask(LOCAL + path, CHROME, '*/*')).text()).toBe('Not found\n');
  });

  it('has a policy that the browser knows', async () => {
    const policy = async (agent: string) =>
      (await ask(`${LOCAL}/`, agent)).headers.get('Cross-Origin-Embedder-Policy');
    expect(await policy(FIREFOX)).toBe('credentialless');
    expect(await policy(SAFARI)).toBe('require-corp');
  });

  it.each([
    `http://${LABEL}.localhost:8080`,
    `http://${LABEL}.plain.example.com`,
    `http://8000.run.example.com`,
    `http://x.${LABEL}.run.example.com`,
  ])('is not %s', async (origin) => {
    expect(await (await ask(`${origin}/__linuxrun/bridge.html`)).text()).not.toBe('the bridge');
  });
});

it('the page may frame the previews below its names, and nothing else', async () => {
  const policy = (await ask('https://run.example.com/')).headers.get('Content-Security-Policy');
  expect(policy).toContain('frame-src *.linuxrun.localhost:* *.run.example.com:*;');
  expect(policy).toContain("frame-ancestors 'none'");
});

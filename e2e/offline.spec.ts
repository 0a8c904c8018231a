/** Tests the page without its server, and its updates. */
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as ask, createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { inProject } from '../scripts/setup/places.mjs';
import { writeRelease } from '../scripts/setup/site.mjs';
import { type RunningServer, startServer } from '../src/server/server.ts';
import { expect, test } from './fixtures.ts';
import { heavyBusybox } from './support/images.ts';
import { forPrograms, startLinuxRun } from './support/linuxrun-server.ts';
import { SITE } from './support/places.ts';
import { runsForeignScripts } from './support/policy.ts';
import { BUSYBOX, HELLO, HELLO_WORLD, linkTo, Visitor } from './support/visitor.ts';

test.use({ serviceWorkers: 'allow', expectedErrors: /Failed to load resource|ERR_|Content.Security.Policy/ });

let server: RunningServer | undefined;
test.afterEach(() => server?.close());

async function stop(): Promise<number> {
  const port = Number(new URL(server?.url ?? '').port);
  await server?.close();
  server = undefined;
  return port;
}

/** Waits until the worker has all files of the page. */
async function expectKept(page: Page): Promise<void> {
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
}

const releaseOf = (page: Page) => page.locator('meta[name="linuxrun-release"]').getAttribute('content');
const keptReleases = (page: Page) =>
  page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('linuxrun-release-')));

/** What is kept for machines that boot. */
const kernelsOf = (page: Page) =>
  page.evaluate(async () => {
    const name = (await caches.keys()).find((name) => name.startsWith('linuxrun-release-')) ?? '';
    const kept = await (await caches.open(name)).keys();
    return kept.flatMap(({ url }) => /kernel\/(?!booted)(.*)/.exec(url)?.[1] ?? []).sort();
  });

test('without its server the page loads again, is isolated, and runs demo images', {
  tag: '@firefox',
}, async ({ page, visitor }) => {
  server = await startServer([SITE], 0);
  await page.goto(server.pageUrl);
  await expectKept(page);
  expect(await kernelsOf(page)).toEqual([]);
  const start = page.url();
  await page.goto(start + linkTo({ image: HELLO_WORLD, cpus: '2' }));
  await visitor.run();
  await visitor.expectExit(0);
  expect(await kernelsOf(page)).toEqual(['Image-smp', 'initramfs.cpio']);
  await stop();
  await page.goto(start + linkTo({ image: BUSYBOX, cpus: '2' }));
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expect(await runsForeignScripts(page)).toBe(false);
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.type('nproc');
  await visitor.expectScreen(/^2$/m);
  await page.goto(start);
  await expect(visitor.image).toHaveValue('BusyBox');
});

test('compiles the code of an earlier run from its cache', async ({ page, visitor }) => {
  server = await startServer([SITE], 0);
  const answered: boolean[] = [];
  page.on('response', (response) => {
    if (response.url().includes('/compiled-code/')) answered.push(response.fromServiceWorker());
  });
  const script = 'head -c 60000000 /dev/zero | md5sum';
  const link = server.pageUrl + linkTo({ image: BUSYBOX, entrypoint: 'sh', args: `-c '${script}'` });
  for (const _ of [1, 2]) {
    await page.goto(link);
    await expectKept(page);
    await visitor.run();
    await visitor.expectScreen(/^69a4609e44d2a5c940a9cd3ac301bc8c {2}-$/m);
    await visitor.expectExit(0);
  }
  // A slow first run stores its code in several packs.
  expect(new Set(answered)).toEqual(new Set([true]));
});

test('without its server images of registries run from the store', async ({ page, visitor, registry }) => {
  registry.add('team/app:1', heavyBusybox(1000));
  server = await startLinuxRun([registry.host]);
  const link = linkTo({ image: `${registry.host}/team/app:1`, memory: '256M' });
  await page.goto(server.pageUrl + link);
  await visitor.run();
  await visitor.expectPrompt();
  await expectKept(page);
  // A machine of this size boots a kernel, which the page may have loaded before the worker was there.
  await expect.poll(() => kernelsOf(page)).toEqual(['Image', 'initramfs.cpio']);
  await stop();
  await page.reload();
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.type('wc -c < /weight');
  await visitor.expectScreen(/^1000$/m);
});

test('a server that hangs or fails is left alone, and asked again at the next load', async ({ page }) => {
  server = await startServer([SITE], 0);
  const { port } = new URL(server.pageUrl);
  let trouble: 'none' | 'hangs' | 'fails' = 'none';
  const waiting = new Set<ServerResponse>();
  const front = createServer((request, response) => {
    if (trouble === 'fails') response.writeHead(500).end();
    if (trouble === 'hangs') waiting.add(response.on('close', () => waiting.delete(response)));
    if (trouble !== 'none') return;
    const { method, url: path, headers } = request;
    const options = { port, method, path, headers: { ...headers, host: `localhost:${port}` } };
    request.pipe(
      ask(options, (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers))),
    );
  }).listen(0);
  await once(front, 'listening');
  const pages = () => [...waiting].filter(({ req }) => req.url === '/');
  await page.goto(`http://linuxrun.localhost:${(front.address() as AddressInfo).port}/`);
  await expectKept(page);
  for (trouble of ['fails', 'hangs'] as const) {
    await page.reload();
    await expect(page.getByLabel('Image', { exact: true })).toBeVisible();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await expect.poll(() => pages().length).toBe(0);
  }
  front.closeAllConnections();
  front.close();
});

test('the page can be installed', { tag: '@window' }, async ({ page }) => {
  server = await startServer([SITE], 0);
  await page.goto(server.pageUrl);
  await expectKept(page);
  const devTools = await page.context().newCDPSession(page);
  const { data, errors } = await devTools.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  const { icons, display } = JSON.parse(data ?? '');
  expect(display).toBe('standalone');
  for (const { src, type } of icons) {
    const icon = await page.request.get(forPrograms(new URL(src, page.url()).href));
    expect(icon.headers()['content-type']).toContain(type);
  }
  const { installabilityErrors } = await devTools.send('Page.getInstallabilityErrors');
  // Every context of Playwright is incognito.
  expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(['in-incognito']);
});

test.describe('a new release', () => {
  let folder: string;
  test.beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'linuxrun-release-'));
  });
  test.afterEach(() => rm(folder, { recursive: true }));

  /** Writes a release whose machine cannot start. */
  async function brokenRelease(): Promise<string[]> {
    const [target, shared] = [join(folder, 'site'), join(folder, 'public')];
    const page = inProject('dist/app');
    await cp(inProject('public'), shared, { recursive: true });
    for (const file of ['Image', 'booted']) await writeFile(join(shared, 'kernel', file), 'not a kernel');
    await writeRelease({ page, shared, target, version: '2' });
    return [target, page, shared];
  }

  test('is taken at the next load, and the files of the old one are deleted', async ({ page, visitor }) => {
    server = await startServer([SITE], 0);
    await page.goto(server.pageUrl);
    await expectKept(page);
    const old = await releaseOf(page);
    server = await startServer(await brokenRelease(), await stop());
    await page.reload();
    const now = await releaseOf(page);
    expect(now).not.toBe(old);
    // Chromium puts the new worker off for minutes if the page is loaded again while it stores its files.
    const taken = () =>
      expect.poll(() => keptReleases(page), { timeout: 75_000 }).toEqual([`linuxrun-release-${now}`]);
    // While the old worker answers requests, the browser may put off the new one to a later load.
    await taken().catch(async () => {
      await page.reload();
      await taken();
    });
    await stop();
    await page.goto(page.url() + linkTo({ image: HELLO_WORLD }));
    expect(await releaseOf(page)).toBe(now);
    await visitor.run();
    await visitor.expectProblem(/kernel/);
  });

  test('gives none of its files to a page of the old one', async ({ page, visitor, context }) => {
    server = await startServer([SITE], 0);
    await page.goto(server.pageUrl + linkTo({ image: HELLO_WORLD }));
    await expectKept(page);
    const old = await releaseOf(page);
    server = await startServer(await brokenRelease(), await stop());
    const other = new Visitor(await context.newPage());
    await other.page.goto(server.pageUrl + linkTo({ image: HELLO_WORLD }));
    await expect.poll(() => keptReleases(other.page)).toHaveLength(2);
    await expect
      .poll(() =>
        other.page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.installing),
      )
      .toBeNull();
    // The old release has not kept this kernel, and the server has only that of the new one.
    const kernel = `kernel/Image?release=${old}`;
    expect(await page.evaluate((url) => fetch(url).catch(() => 'refused'), kernel)).toBe('refused');
    await stop();
    // Only now does the old page need the machine, and the code of terminals.
    await visitor.run();
    await visitor.expectScreen(HELLO);
    await other.run();
    await other.expectProblem(/kernel/);
    await page.close();
    // The browser may release the lock of a closed page a little later.
    await expect(async () => {
      await other.page.reload();
      expect(await keptReleases(other.page)).toHaveLength(1);
    }).toPass();
  });
});

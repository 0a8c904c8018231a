/** Tests the parts of a release for servers: our server with its site, and the site alone on static hosts. */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { ISOLATION_HEADERS } from '../src/server/headers.ts';
import { DockerRegistry, OPEN_TO_PAGES } from '../src/server/registry/testing/docker-registry.ts';
import { RelayDoor } from '../src/server/relay/testing/relay-server.ts';
import { expect, test } from './fixtures.ts';
import { heavyBusybox } from './support/images.ts';
import { forPrograms } from './support/linuxrun-server.ts';
import { RELEASE, SITE } from './support/places.ts';
import { startPlainHost } from './support/plain-host.ts';
import { runsForeignScripts } from './support/policy.ts';
import { ProductionServer } from './support/production-server.ts';
import { startStaticHost } from './support/static-host.ts';
import { HELLO, HELLO_WORLD, linkTo } from './support/visitor.ts';

let folder: string;
test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-production-'));
});
test.afterEach(() => rm(folder, { recursive: true, force: true }));

test('the server needs nothing but its folder', async ({ page, visitor, request }) => {
  for (const name of ['server.mjs', 'site', 'previews'])
    await cp(join(RELEASE, name), join(folder, name), { recursive: true });
  const server = await ProductionServer.start(join(folder, 'server.mjs'), { XDG_CACHE_HOME: folder });
  await page.goto(server.url + linkTo({ image: HELLO_WORLD }));
  await visitor.run();
  await visitor.expectScreen(HELLO);
  const unlisted = await request.get(`${forPrograms(server.url)}registry/registry.example/v2/a/manifests/b`);
  expect(await unlisted.json()).toMatchObject({ errors: [{ code: 'NOT_ALLOWED' }] });
  const session = await new RelayDoor(Number(new URL(server.url).port)).connect();
  await expect.poll(() => session.heard('config')).toHaveLength(1);
  expect(await server.stop(), 'exit code of the server').toBe(0);
});

test('the form loads at most 150 KiB of script', async ({ page, visitor }) => {
  await visitor.open();
  await page.waitForFunction(() => performance.getEntriesByName('linuxrun:interactive').length > 0);
  const scripts = await page.evaluate(() => {
    const [interactive] = performance.getEntriesByName('linuxrun:interactive');
    const loaded = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    return loaded
      .filter(({ name, responseEnd }) => name.endsWith('.js') && responseEnd <= (interactive?.startTime ?? 0))
      .map(({ name }) => name);
  });
  const bodies = await Promise.all(
    scripts.map(async (url) => (await page.request.get(forPrograms(url))).body()),
  );
  const bytes = bodies.reduce((sum, body) => sum + brotliCompressSync(body).length, 0);
  expect(bytes).toBeGreaterThan(10 << 10);
  expect(bytes).toBeLessThan(150 << 10);
});

/** The headers that the site asks hosts to send with every file. */
async function siteHeaders(): Promise<Record<string, string>> {
  const lines = (await readFile(join(SITE, '_headers'), 'utf8')).trim().split('\n');
  expect(lines[0]).toBe('/*');
  return Object.fromEntries(lines.slice(1).map((line) => line.trim().split(/: (.*)/, 2) as [string, string]));
}

test.describe('on a static host', () => {
  // The browser logs the answers that proxy and relay are missing.
  test.use({ expectedErrors: /404|CORS|ERR_|Content Security Policy/ });

  test('the page runs demo images, and images of registries that allow it by CORS', async ({
    page,
    visitor,
  }) => {
    const host = await startStaticHost(await siteHeaders());
    const registry = await DockerRegistry.start(folder, OPEN_TO_PAGES);
    await registry.push('team/app', 'latest', heavyBusybox(100_000));
    await page.goto(host.url + linkTo({ image: HELLO_WORLD }));
    await visitor.run();
    await visitor.expectScreen(HELLO);

    // A host with a name, but without names below it.
    const named = host.url.replace('localhost', 'site.localhost');
    await page.goto(named + linkTo({ image: `${registry.host}/team/app` }));
    await visitor.run();
    await visitor.expectPrompt();
    await visitor.type('wc -c < /weight');
    await visitor.expectScreen(/^100000$/m);
    await visitor.type('wget http://example.com/');
    await visitor.expectScreen(/bad address/);
    await expect(visitor.problem).toHaveText(/There is no network\. .* relay.*npm start/);
    await visitor.type('nc -ll -p 8000 -e cat &');
    await visitor.button('Open the preview').click();
    await expect(visitor.problem.filter({ hasText: 'There is no preview' })).toContainText(
      `must serve *.${new URL(named).host} too`,
    );
    await registry.stop();
    await host.close();
  });

  test('the page says why it cannot read from other registries', async ({ page, visitor, registry }) => {
    const host = await startStaticHost(await siteHeaders());
    await page.goto(host.url + linkTo({ image: `${registry.host}/team/app` }));
    await visitor.run();
    await expect(page.getByRole('alert')).toContainText('lets no pages read from it');
    await expect(page.getByRole('alert')).toContainText('npm start');
    await host.close();
  });

  test('the page says so when nothing can add the headers', async ({ page }) => {
    const host = await startPlainHost(SITE);
    await page.goto(host.url);
    await expect(page.getByRole('alert')).toContainText('Cross-Origin-Embedder-Policy');
    await host.close();
  });

  test('the page enforces its security policy without a header', async ({ page }) => {
    const host = await startStaticHost(ISOLATION_HEADERS);
    await page.goto(host.url);
    expect(await runsForeignScripts(page)).toBe(false);
    await host.close();
  });
});

/** Tests the site on a file server that sends no headers, where the service worker isolates the page. */
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { SITE } from './support/places.ts';
import { startPlainHost } from './support/plain-host.ts';
import { runsForeignScripts } from './support/policy.ts';
import { HELLO, HELLO_WORLD, linkTo } from './support/visitor.ts';

test.use({ serviceWorkers: 'allow', expectedErrors: /Failed to load resource|Content Security Policy/ });

let host: Awaited<ReturnType<typeof startPlainHost>>;
test.beforeEach(async () => {
  host = await startPlainHost(SITE);
});
test.afterEach(() => host.close());

/** Counts the loads of the page's document from now on. */
function countLoads(page: Page): () => number {
  let loads = 0;
  page.on('domcontentloaded', () => loads++);
  return () => loads;
}

/** The kept files, in all caches. */
const keptFiles = (page: Page) =>
  page.evaluate(async () => {
    const all = await Promise.all(
      (await caches.keys()).map(async (name) => (await caches.open(name)).keys()),
    );
    return all.flat().map(({ url }) => url);
  });

test('the first visit loads the page twice, runs an image, and keeps the page', async ({ page, visitor }) => {
  const loads = countLoads(page);
  await page.goto(host.url + linkTo({ image: HELLO_WORLD }));
  await visitor.run();
  await visitor.expectScreen(HELLO);
  expect(loads()).toBe(2);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expect(await runsForeignScripts(page)).toBe(false);

  await page.goto(`${host.url}docs/`);
  expect(await page.evaluate(() => crossOriginIsolated), 'of the documents').toBe(true);

  await page.goto(host.url);
  await expect.poll(() => keptFiles(page)).toContain(`${host.url}manifest.webmanifest`);
  await host.close();
  await page.reload();
  await expect(visitor.image).toBeVisible();
  expect(await page.evaluate(() => crossOriginIsolated), 'without its host').toBe(true);
});

test('a worker that does not isolate the page is tried once for each load', async ({ page }) => {
  // As an extension or a proxy may do.
  await page.addInitScript(() => Object.defineProperty(globalThis, 'crossOriginIsolated', { value: false }));
  const loads = countLoads(page);
  for (const expected of [2, 4]) {
    await page.goto(host.url);
    await expect(page.getByRole('alert')).toContainText('This page is not cross-origin isolated');
    await expect.poll(loads).toBe(expected);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  }
});

test('a page in a frame is not loaded again, and says what it needs', async ({ page }) => {
  const frames = ['', '?embed=1'].map((query) => `<iframe src="${host.url}${query}" width=900 height=300>`);
  await page.route('**/frames.html', (route) =>
    route.fulfill({ contentType: 'text/html', body: frames.join('</iframe>') }),
  );
  await page.goto(new URL('/frames.html', host.url).href);
  const whole = page.frameLocator('iframe').first();
  const embedded = page.frameLocator('iframe').last();
  await expect(whole.getByRole('alert')).toContainText('does not run in a frame');
  await embedded.getByRole('button', { name: 'Run' }).click();
  await expect(embedded.getByRole('alert')).toContainText('allow="cross-origin-isolated"');
  expect(await whole.getByRole('button').count(), 'buttons of the whole page').toBe(0);
});

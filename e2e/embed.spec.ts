/** Tests the page in frames of other pages. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { ISOLATION_HEADERS } from '../src/server/headers.ts';
import { type RunningServer, startServer } from '../src/server/server.ts';
import { expect, test } from './fixtures.ts';
import { SITE } from './support/places.ts';
import { BUSYBOX, linkTo } from './support/visitor.ts';

const LINK = linkTo({ image: BUSYBOX, entrypoint: 'sh', env: 'PS1=$ ', network: 'none' });

// Embedded pages have none.
test.use({ hasLiveTerminal: true });

/** A name of the same site, because Debian's Chromium keeps other sites in frames from all storage. */
const ALLOWED = 'lesson.linuxrun';

let embedder: Server;
let server: RunningServer;
test.beforeAll(async () => {
  embedder = createServer((request, response) => {
    const frame = decodeURIComponent(new URL(request.url ?? '', 'http://localhost').search.slice(1));
    response.writeHead(200, { ...ISOLATION_HEADERS, 'Content-Type': 'text/html' });
    response.end(`<link rel="icon" href="data:,"><h1>A lesson</h1>${frame}`);
  }).listen(0, 'localhost');
  await once(embedder, 'listening');
  server = await startServer([SITE], 0, { embedOrigins: [originOf(ALLOWED)] });
});
test.afterAll(async () => {
  embedder.close();
  await server.close();
});

/** The origins of other sites, on this machine. */
const originOf = (name: string) => `http://${name}.localhost:${(embedder.address() as AddressInfo).port}`;

/** Opens a page that frames ours. */
async function openFrame(page: Page, name: string, query: string, allow = 'cross-origin-isolated') {
  const frame = `<iframe src="${server.pageUrl}${query}" allow="${allow}" width=900 height=420></iframe>`;
  await page.goto(`${originOf(name)}/?${encodeURIComponent(frame)}`);
  return page.frameLocator('iframe');
}

test.describe('in a frame of an origin that the server allows', () => {
  test('the page runs what its address names, and stores nothing about it', async ({ page }) => {
    const frame = await openFrame(page, ALLOWED, `${LINK}&embed=1`);
    await frame.getByRole('button', { name: 'Run oci://images:busybox sh' }).click();
    await expect(frame.getByRole('status')).toHaveText('Running');
    await expect(frame.locator('.xterm-helper-textarea')).toBeFocused();
    await page.keyboard.type('uname -m\n');
    await expect(frame.locator('.xterm-rows')).toContainText('riscv64');
    const stored = await page.frames()[1]?.evaluate(() => localStorage.length + sessionStorage.length);
    expect(stored).toBe(0);
    expect(await frame.getByRole('button').allTextContents()).toEqual([
      'Tell screen readers what is in the terminal',
      'Stop',
    ]);
  });

  test('the page says so if the frame is not isolated', async ({ page }) => {
    const frame = await openFrame(page, ALLOWED, `${LINK}&embed=1`, '');
    await frame.getByRole('button', { name: 'Run' }).click();
    await expect(frame.getByRole('alert')).toContainText('allow="cross-origin-isolated"');
  });
});

test.describe('a frame is refused', () => {
  // The browser logs why.
  test.use({ expectedErrors: /frame-ancestors|ERR_BLOCKED|Framing|NotSameOrigin/ });

  for (const [what, name, query] of [
    ['with the whole page', ALLOWED, LINK],
    ['to other origins', 'other', `${LINK}&embed=1`],
  ] as const)
    test(what, async ({ page }) => {
      await openFrame(page, name, query);
      await expect.poll(() => page.frames()[1]?.url()).toMatch(/^chrome-error:/);
    });
});

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import { FakeRegistry } from '../src/oci/testing/fake-registry.ts';
import { DockerRegistry } from '../src/server/registry/testing/docker-registry.ts';
import { FIREFOX } from './browser.ts';
import { forgetWorkers } from './support/firefox.ts';
import { hasSharedImages, sharedImage } from './support/images.ts';
import { forPrograms, startLinuxRun } from './support/linuxrun-server.ts';
import { Visitor } from './support/visitor.ts';

interface WorkerFixtures {
  /** Debian's docker-registry. */
  dockerRegistry: DockerRegistry;
  /** A registry that behaves as the test tells it. */
  moodyRegistry: FakeRegistry;
  /** Our server, which may connect to both registries. */
  serverUrl: string;
}

interface Fixtures {
  visitor: Visitor;
  /** The scripted registry, reset before each test. */
  registry: FakeRegistry;
  /** Copies a shared image into Debian's registry. The test is skipped on machines that lack the image. */
  publish: (tag: string) => Promise<string>;
  /** Matches the errors that the browser itself logs in tests of failures. */
  expectedErrors: RegExp | undefined;
  /** Whether the first screen has a terminal, which would keep a processor busy in every test. */
  hasLiveTerminal: boolean;
  /** Skips the test if its browser is not installed. */
  browserIsThere: undefined;
  /** Fails the test if the page logs an error, throws, or violates its security policy. */
  cleanConsole: undefined;
}

const EXPECTED_ANYWHERE = [
  // Playwright itself says so.
  /Service Worker registration blocked by Playwright/,
  // Firefox says so, without an address, when a page is left while a file arrives through its service worker.
  /Failed to load ‘’\. A ServiceWorker intercepted the request/,
  // xterm.js says so on a busy computer.
  /task queue exceeded allotted deadline/,
];

export const test = base.extend<Fixtures, WorkerFixtures>({
  dockerRegistry: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture names from the pattern
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'linuxrun-e2e-'));
      const registry = await DockerRegistry.start(folder);
      await use(registry);
      await registry.stop();
      await rm(folder, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],
  moodyRegistry: [
    // biome-ignore lint/correctness/noEmptyPattern: same reason as above
    async ({}, use) => {
      const registry = await FakeRegistry.start();
      await use(registry);
      await registry.stop();
    },
    { scope: 'worker' },
  ],
  serverUrl: [
    async ({ dockerRegistry, moodyRegistry }, use) => {
      const server = await startLinuxRun([dockerRegistry.host, moodyRegistry.host]);
      await use(server.pageUrl);
      await server.close();
    },
    { scope: 'worker' },
  ],
  browser: [
    async ({ browser, browserName }, use) => {
      if (browserName === 'firefox') await forgetWorkers(browser);
      await use(browser);
    },
    { scope: 'worker' },
  ],
  baseURL: ({ serverUrl }, use) => use(serverUrl),
  request: async ({ playwright, serverUrl }, use) => {
    const request = await playwright.request.newContext({ baseURL: forPrograms(serverUrl) });
    await use(request);
    await request.dispose();
  },

  browserIsThere: [
    async ({ browserName }, use) => {
      const isMissing = browserName === 'firefox' && !existsSync(FIREFOX.executablePath);
      base.skip(isMissing, 'needs the Debian package firefox-esr');
      await use(undefined);
    },
    { auto: true },
  ],
  hasLiveTerminal: [false, { option: true }],
  context: async ({ context, hasLiveTerminal }, use) => {
    if (!hasLiveTerminal) await context.addInitScript(closeLiveTerminal);
    await use(context);
    // A handler may still wait for the server. Without a caller, its error would fail the next test.
    await Promise.all(
      [context, ...context.pages()].map((each) => each.unrouteAll({ behavior: 'ignoreErrors' })),
    );
  },
  visitor: ({ page }, use) => use(new Visitor(page)),
  registry: async ({ moodyRegistry }, use) => {
    await use(moodyRegistry);
    moodyRegistry.intercept = undefined;
    moodyRegistry.auth = undefined;
    moodyRegistry.requests.length = 0;
  },
  publish: async ({ dockerRegistry }, use) => {
    test.skip(!hasSharedImages, 'needs the images in ../shared/images');
    await use((tag) => dockerRegistry.copy(sharedImage(tag), `shared/${tag}`));
  },

  expectedErrors: [undefined, { option: true }],
  cleanConsole: [
    async ({ browserIsThere: _, page, expectedErrors }, use) => {
      const errors: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
      });
      page.on('pageerror', (error) =>
        errors.push(error instanceof Error ? error.stack || error.message : JSON.stringify(error)),
      );
      await use(undefined);
      const expected = [expectedErrors ?? [], EXPECTED_ANYWHERE].flat();
      const unexpected = errors.filter((error) => !expected.some((pattern) => pattern.test(error)));
      expect(unexpected, 'errors in the console').toEqual([]);
    },
    { auto: true },
  ],
});

/** Does in the page what closing the terminal does. */
function closeLiveTerminal(): void {
  // Empty pages have no storage.
  if (location.protocol.startsWith('http'))
    localStorage.setItem('linuxrun-live', JSON.stringify({ state: { isWanted: false }, version: 1 }));
}

export { expect };

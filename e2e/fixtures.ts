import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base, expect, type Page } from '@playwright/test';

const PROJECT = join(import.meta.dirname, '..');

/** Starts the server as `npm start` does, on a free port; returns its URL. */
async function startServer(): Promise<{ url: string; server: ChildProcess }> {
  const server = spawn(process.execPath, ['--import', 'tsx', 'src/server/main.ts'], {
    cwd: PROJECT,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(server.stdout)) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url) return { url, server };
  }
  throw new Error('the server ended before it printed its URL');
}

interface Fixtures {
  /** Fails the test when the page logs an error or throws. */
  cleanConsole: undefined;
}

interface WorkerFixtures {
  serverUrl: string;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  serverUrl: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from the pattern
    async ({}, use) => {
      const { url, server } = await startServer();
      await use(url);
      server.kill('SIGTERM');
      const [code] = await once(server, 'exit');
      expect(code, 'exit code of the server').toBe(0);
    },
    { scope: 'worker' },
  ],
  baseURL: ({ serverUrl }, use) => use(serverUrl),
  cleanConsole: [
    async ({ page }, use) => {
      const errors: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
      });
      page.on('pageerror', (error) => errors.push(String(error)));
      await use(undefined);
      expect(errors, 'errors in the console').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** The text on the terminal's screen. */
export async function screenText(page: Page): Promise<string> {
  const rows = await page.locator('.xterm-rows > div').allTextContents();
  return rows
    .map((row) => row.replaceAll('\u00a0', ' ').trimEnd())
    .join('\n')
    .trimEnd();
}

/** Waits until the screen's text matches. */
export async function expectScreen(page: Page, pattern: RegExp): Promise<void> {
  await expect.poll(() => screenText(page)).toMatch(pattern);
}

/** Types a command line into the terminal. */
export async function typeLine(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(`${line}\n`);
}

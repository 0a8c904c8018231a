/** Tests the npm package in an app of other people. */

import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { build, createServer, preview } from 'vite';
import type {} from '../src/element/element.ts';
import { test } from './fixtures.ts';
import { makeConsumerApp, typeErrors } from './support/consumer-app.ts';

const APP = `import { useState } from 'react'
import 'linuxrun/react'

export default function App() {
  const [status, setStatus] = useState<number>()
  return (
    <main>
      <h1>Try it</h1>
      <linux-run
        image="busybox"
        entrypoint="sh"
        env="PS1=$ "
        network="none"
        memory="128M"
        style={{ height: 240 }}
        onlinuxrun-exit={({ detail }) => setStatus(detail.status)}
      />
      <p>{status === undefined ? 'It has not ended.' : \`It ended with \${status}.\`}</p>
    </main>
  )
}
`;

let app: Awaited<ReturnType<typeof makeConsumerApp>>;
test.beforeAll(async () => {
  app = await makeConsumerApp(APP);
});
test.afterAll(() => app.remove());

const stateOf = (page: Page) => page.locator('linux-run').first().getByRole('status');
const screenOf = (page: Page) => page.locator('linux-run .xterm-rows').first();

async function runUname(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: 'Run busybox sh' }).click();
  await expect(stateOf(page)).toHaveText('Running');
  await page.keyboard.type('uname -m\n');
  await expect(screenOf(page)).toContainText('riscv64');
}

async function expectExit(page: Page): Promise<void> {
  await page.keyboard.type('exit 7\n');
  await expect(page.getByText('It ended with 7.')).toBeVisible();
  await expect(stateOf(page)).toHaveText('Ended with status 7');
}

// Docker Hub cannot be reached, and the package has its own busybox.
test.use({ expectedErrors: /Failed to load resource/ });

test('an app shows the element in its build', async ({ page }) => {
  await build({ root: app.folder, logLevel: 'error' });
  const server = await preview({ root: app.folder, preview: { port: 0 } });
  await runUname(page, server.resolvedUrls?.local[0] ?? '');
  await expectExit(page);
  await server.close();
});

test('the element in the development server', async ({ page }) => {
  expect(await typeErrors(app.folder), 'errors in types').toBe('');
  const server = await createServer({ root: app.folder, server: { port: 0 }, logLevel: 'error' });
  await server.listen();
  await runUname(page, server.resolvedUrls?.local[0] ?? '');
  await page.keyboard.press('Control+F6');
  await expect(page.getByRole('button', { name: 'Stop' })).toBeFocused();
  expect((await new AxeBuilder({ page }).include('linux-run').analyze()).violations).toEqual([]);
  const workers = page.workers().length;

  const answer = await page.evaluate(async () => {
    const second = document.createElement('linux-run');
    Object.assign(second, { image: 'busybox', entrypoint: 'cat', network: 'none', memory: '64M' });
    second.setAttribute('autostart', '');
    document.body.append(second);
    const container = await second.container;
    const output = await container.exec(['echo', 'beside it']).waitWithOutput();
    second.remove();
    return output.text();
  });
  expect(answer).toBe('beside it\n');
  await expect.poll(() => page.workers().length, 'threads that stay').toBe(workers);

  await page.evaluate(() => {
    document.body.insertAdjacentHTML('beforeend', '<linux-run image="busy box" autostart></linux-run>');
  });
  await expect(page.getByRole('alert')).toContainText('The image cannot be loaded');
  await page.evaluate(() => document.querySelector('linux-run')?.focus());
  await expectExit(page);
  await server.close();
});

import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { build } from 'vite';
import { startServer } from '../src/server/server.ts';
import type { Result } from './container/page.ts';

const PROJECT = join(import.meta.dirname, '..');
const BUILT = join(PROJECT, 'dist/e2e-container');

declare const run: (reference: string, args: readonly string[], input: string) => Promise<Result>;

let server: Awaited<ReturnType<typeof startServer>>;

test.beforeAll(async () => {
  await build({
    configFile: false,
    root: join(import.meta.dirname, 'container'),
    base: './',
    logLevel: 'warn',
    build: { outDir: BUILT, emptyOutDir: true, target: 'es2022' },
    worker: { format: 'es' },
  });
  server = await startServer([BUILT, join(PROJECT, 'public')], 0);
});
test.afterAll(() => server.close());

test('a page pulls an image, runs it, and finds it stored the next time', async ({ page }) => {
  await page.goto(server.pageUrl);
  const script = 'cat; ls /bin | wc -l; echo $((6 * 7)) > /file && cat /file; echo err >&2; exit 7';
  const runScript = () =>
    page.evaluate((script) => run('oci://images:busybox', ['sh', '-c', script], 'in\n'), script);
  const expected = { status: 7, stdout: expect.stringMatching(/^in\n\d{3}\n42\n$/), stderr: 'err\n' };
  expect(await runScript()).toEqual({ ...expected, fetched: 1 });
  await page.reload();
  expect(await runScript()).toEqual({ ...expected, fetched: 0 });
});

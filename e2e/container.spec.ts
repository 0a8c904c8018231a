import { expect, test } from '@playwright/test';
import type { Result } from './container/page.ts';
import { type ContainerPage, serveContainerPage } from './support/container-page.ts';

declare const run: (reference: string, args: readonly string[], input: string) => Promise<Result>;

let server: ContainerPage;

test.beforeAll(async () => {
  server = await serveContainerPage();
});
test.afterAll(() => server.close());

test('a page pulls an image, runs it, and finds it stored the next time', async ({ page }) => {
  await page.goto(server.pageUrl);
  const script = 'cat; ls /bin | wc -l; echo $((6 * 7)) > /file && cat /file; echo err >&2; exit 7';
  const runScript = () =>
    page.evaluate((script) => run('oci://images:busybox', ['sh', '-c', script], 'in\n'), script);
  const stdout = expect.stringMatching(/^in\n\d{3}\n42\n$/);
  const expected = { status: 7, stdout, stderr: 'err\n', storedRegions: 0 };
  expect(await runScript()).toEqual({ ...expected, fetched: 1 });
  await page.reload();
  expect(await runScript()).toEqual({ ...expected, fetched: 0 });
});

test('a page compiles early what was hot when the image ran before', async ({ page }) => {
  await page.goto(server.pageUrl);
  const script = 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; echo $i';
  const runScript = () =>
    page.evaluate((script) => run('oci://images:busybox', ['sh', '-c', script], ''), script);
  expect(await runScript()).toMatchObject({ stdout: '200000\n', storedRegions: 0 });
  await page.reload();
  const { stdout, storedRegions } = await runScript();
  expect(stdout).toBe('200000\n');
  expect(storedRegions).toBeGreaterThan(0);
});

import { expect, test } from './fixtures.ts';

test('every answer carries the headers of isolation and the content security policy', async ({ request }) => {
  for (const path of ['/', '/emulator.wasm', '/kernel/Image', '/missing']) {
    const headers = (await request.get(path)).headers();
    expect(headers['cross-origin-opener-policy'], path).toBe('same-origin');
    expect(headers['cross-origin-embedder-policy'], path).toBe('require-corp');
    expect(headers['cross-origin-resource-policy'], path).toBe('same-origin');
    expect(headers['content-security-policy'], path).toContain("default-src 'none'");
  }
});

test('the page is isolated and loads nothing from elsewhere', async ({ page, baseURL }) => {
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(`${baseURL}`))
      elsewhere.push(request.url());
  });
  await page.goto('/');
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await page.waitForLoadState('networkidle');
  expect(elsewhere).toEqual([]);
});

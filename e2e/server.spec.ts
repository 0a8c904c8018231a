import { SECURITY_HEADERS } from '../src/server/headers.ts';
import { expect, test } from './fixtures.ts';
import { heavyBusybox } from './support/images.ts';
import { runsForeignScripts } from './support/policy.ts';

test('every answer has the isolation headers and the content security policy', async ({ request }) => {
  for (const path of ['/', '/emulator.wasm', '/kernel/Image', '/missing', '/registry/none']) {
    const headers = (await request.get(path)).headers();
    for (const [name, value] of Object.entries(SECURITY_HEADERS))
      expect(headers[name.toLowerCase()], `${name} of ${path}`).toBe(value);
  }
});

test('a whole session obeys the security policy, and sends requests to its own server only', async ({
  page,
  visitor,
  registry,
  baseURL,
}) => {
  registry.add('team/app:1', heavyBusybox(1000));
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(`${baseURL}`))
      elsewhere.push(request.url());
  });
  await page.addInitScript(() => {
    const violations: string[] = [];
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      violations.push(`${violatedDirective}: ${blockedURI}`),
    );
    Object.assign(globalThis, { violations });
  });
  await visitor.runLink({ image: `${registry.host}/team/app:1`, cpus: '2' });
  await visitor.expectPrompt();
  await visitor.type('uname -a');
  await visitor.expectScreen(/riscv64/);
  await visitor.button('New terminal').click();
  await visitor.expectScreen(/[#$]$/);
  await visitor.button('Storage').click();
  await expect(page.getByRole('dialog')).toBeVisible();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expect(await page.evaluate(() => (globalThis as { violations?: string[] }).violations)).toEqual([]);
  expect(elsewhere).toEqual([]);
});

test.describe('a script in a link', () => {
  test.use({ expectedErrors: /Content Security Policy/ });

  test('does not run in the page', async ({ page, visitor }) => {
    await visitor.open({ image: '<img src=x onerror=alert(1)>', env: 'A=<script>alert(1)</script>' });
    await expect(visitor.image).toHaveAttribute('aria-invalid', 'true');
    expect(await runsForeignScripts(page)).toBe(false);
  });
});

test('layers compressed with zstd run within the policy', async ({ visitor, publish }) => {
  await visitor.runLink({ image: await publish('busybox-zstd') });
  await visitor.expectPrompt();
});

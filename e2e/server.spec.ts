import { LOCAL_NAME } from '../src/preview/names.ts';
import { headersFor } from '../src/server/headers.ts';
import { expect, test } from './fixtures.ts';
import { expectAccessible } from './support/care.ts';
import { heavyBusybox } from './support/images.ts';
import { forPrograms } from './support/linuxrun-server.ts';
import { runsForeignScripts } from './support/policy.ts';

test('every answer has the isolation headers and the content security policy', async ({ request }) => {
  for (const path of ['/', '/emulator.wasm', '/kernel/Image', '/missing', '/registry/none']) {
    const headers = (await request.get(path)).headers();
    for (const [name, value] of Object.entries(headersFor(path, [LOCAL_NAME])))
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

test.describe('a wrong address', () => {
  test.use({ expectedErrors: /404/ });

  test('leads back to the page', async ({ page, visitor }) => {
    const response = await page.goto('./no/such/page');
    expect(response?.status()).toBe(404);
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Go to LinuxRun' }).click();
    await expect(visitor.image).toBeVisible();
  });
});

test('the footer leads to documentation, sources and licences, and names the version', async ({
  page,
  visitor,
}) => {
  await visitor.open();
  const footer = page.getByRole('contentinfo');
  await expect(footer).toContainText(/LinuxRun \d+\.\d+\.\d+ \([0-9a-f]{7,}.*\)/);
  await footer.getByRole('link', { name: 'Sources' }).click();
  await expect(page.getByRole('main')).toContainText(/linux-source-6\.12\s.*busybox.*glibc/s);
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'source.tar.gz' }).click();
  expect((await downloading).suggestedFilename()).toBe('source.tar.gz');
  await page.goBack();
  await footer.getByRole('link', { name: 'Licences' }).click();
  const busybox = page.getByRole('group').filter({ has: page.getByText(/^BusyBox: GPL/) });
  await busybox.getByText(/^BusyBox: GPL/).click();
  await expect(busybox.getByText('GNU GENERAL PUBLIC LICENSE')).toBeVisible();
  await page.goBack();
  await footer.getByRole('link', { name: 'Docs' }).click();
  await expect(page.getByRole('heading', { name: 'Get started' })).toBeVisible();
});

test.describe('a page at localhost', () => {
  const QUERY = '?LINUXRUN_IMAGE=oci://images:hello-world';
  test.use({ expectedErrors: /ERR_NAME_NOT_RESOLVED/ });

  test('goes to the name that has previews, unless the browser cannot resolve it', async ({
    page,
    visitor,
    serverUrl,
  }) => {
    for (const host of ['localhost', '127.0.0.1']) {
      await page.goto(serverUrl.replace('linuxrun.localhost', host) + QUERY);
      await page.waitForURL(serverUrl + QUERY);
      await expect(visitor.image).toBeVisible();
    }
    await page.route('**/__linuxrun/here', (route) => route.abort('namenotresolved'));
    await page.goto(forPrograms(serverUrl) + QUERY);
    await expect(visitor.image).toBeVisible();
    expect(page.url()).toBe(forPrograms(serverUrl) + QUERY);
  });
});

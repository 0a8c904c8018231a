import { expect, test } from './fixtures.ts';
import { expectAccessible } from './support/care.ts';

test('the documentation can be searched, read and copied', async ({ page, visitor, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.open();
  await page.getByRole('banner').getByRole('link', { name: 'Docs' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/two minutes/);
  await expectAccessible(page);

  await page.locator('.code').first().hover();
  await page.getByRole('button', { name: 'Copy' }).first().click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('npm install');

  await page.keyboard.press('/');
  await page.getByRole('searchbox').fill('seccomp filter');
  await expect(page.getByRole('dialog')).toContainText('Isolation');
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Containers');
  await page.getByRole('link', { name: /^Next/ }).click();
  await page.getByRole('link', { name: /^Previous/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Containers');

  await page.getByRole('button', { name: 'Colours' }).click();
  await page.getByRole('button', { name: 'Colours: light' }).click();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expectAccessible(page);
});

test('the documentation fits a phone', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 640 });
  await page.goto('./docs/architecture.html');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.getByRole('button', { name: 'Menu' }).click();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'The JIT', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The JIT');
  await expect(page.getByRole('navigation', { name: 'Documentation' })).toBeHidden();
});

test('a block of code runs in the page, after a click', async ({ page }) => {
  await page.goto('./docs/code-blocks.html');
  const output = page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        let text = '';
        document.body.addEventListener('linuxrun-output', ({ detail }) => {
          text += new TextDecoder().decode(detail.bytes);
        });
        document.body.addEventListener('linuxrun-exit', ({ detail }) => resolve(`${text}${detail.status}`));
      }),
  );
  expect(page.workers(), 'before the click').toEqual([]);
  await page.getByRole('button', { name: 'Run', exact: true }).first().click();
  expect(await output).toMatch(/Hello from riscv64, Linux 6[\s\S]*3 squared is 9[\s\S]*0$/);
  await expect(page.getByRole('button', { name: 'Run again' })).toBeVisible();
  await expectAccessible(page);
});

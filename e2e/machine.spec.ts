import { expect, expectScreen, screenText, test, typeLine } from './fixtures.ts';

const PROMPT = /^~ #$/m;

test('boots to a shell, runs commands, and powers off', async ({ page }) => {
  await page.goto('/');
  await expectScreen(page, PROMPT);
  await typeLine(page, 'uname -a');
  await expectScreen(page, /^Linux .*riscv64/m);
  await expect(page.getByRole('status')).toHaveText(/^1 CPU · 256 MB · booted in \d+\.\d+ s$/);
  await expect(page.getByText(/^\d+ MIPS$/)).toBeVisible();
  await page.screenshot({ path: 'test-results/shell.png' });

  await typeLine(page, 'exit');
  await expect(page.getByRole('status')).toContainText('powered off');
});

test('the guest knows the size of the terminal', async ({ page }) => {
  await page.goto('/');
  await expectScreen(page, PROMPT);
  const size = async () => {
    await typeLine(page, 'clear; echo size $(stty size)');
    await expectScreen(page, /^size \d+ \d+$/m);
    const [, rows, columns] = /^size (\d+) (\d+)$/m.exec(await screenText(page)) ?? [];
    return { rows: Number(rows), columns: Number(columns) };
  };
  const before = await size();
  expect(before.rows).toBe(await page.locator('.xterm-rows > div').count());
  await page.setViewportSize({ width: 700, height: 420 });
  await expect.poll(size).not.toEqual(before);
  const after = await size();
  expect(after.columns).toBeLessThan(before.columns);
  expect(after.rows).toBe(await page.locator('.xterm-rows > div').count());
});

test('tells when the guest reboots', async ({ page }) => {
  await page.goto('/');
  await expectScreen(page, PROMPT);
  await typeLine(page, 'reboot -f');
  await expect(page.getByRole('status')).toContainText('ended by a reboot');
});

test('is readable in the dark', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/');
  await expectScreen(page, PROMPT);
  await typeLine(page, 'ls --color=always /');
  await expectScreen(page, /proc/);
  await page.screenshot({ path: 'test-results/dark.png' });
  const colour = await page
    .locator('.xterm-viewport')
    .evaluate((element) => getComputedStyle(element).backgroundColor);
  const [red = 255, green = 255, blue = 255] = (colour.match(/\d+/g) ?? []).map(Number);
  expect(Math.max(red, green, blue)).toBeLessThan(64);
});

for (const [cpus, memory] of [
  [1, '64M'],
  [1, '2G'],
  [2, '256M'],
  [2, '2G'],
  [4, '64M'],
  [4, '2G'],
]) {
  test(`boots and powers off with ${cpus} CPUs and ${memory}`, async ({ page }) => {
    await page.goto(`/?cpus=${cpus}&memory=${memory}`);
    await expectScreen(page, PROMPT);
    await typeLine(page, 'grep -c ^processor /proc/cpuinfo; grep MemTotal /proc/meminfo');
    await expectScreen(page, new RegExp(`^${cpus}\\s+MemTotal:\\s+\\d+ kB`, 'm'));
    await typeLine(page, 'exit');
    await expect(page.getByRole('status')).toContainText('powered off');
  });
}

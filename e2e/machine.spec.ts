import { expect, expectScreen, test, typeLine } from './fixtures.ts';

const PROMPT = /# $|# *$/m;

test('boots to a shell, runs commands, and powers off', async ({ page }) => {
  await page.goto('/');
  await expectScreen(page, PROMPT);
  await typeLine(page, 'uname -a');
  await expectScreen(page, /^Linux .*riscv64/m);
  await page.screenshot({ path: 'test-results/shell.png' });

  await expect(page.getByRole('status')).toContainText(/^1 CPU · 256 MB · booted in \d+\.\d+ s · \d+ MIPS$/);
  await typeLine(page, 'exit');
  await expect(page.getByRole('status')).toContainText('powered off');
  await page.screenshot({ path: 'test-results/off.png' });
});

for (const [cpus, memory] of [
  [1, '64M'],
  [1, '2G'],
  [2, '256M'],
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

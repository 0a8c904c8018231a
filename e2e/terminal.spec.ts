import { readFile } from 'node:fs/promises';
import { expect, test } from './fixtures.ts';
import { BUSYBOX } from './support/visitor.ts';

test.beforeEach(async ({ visitor }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
});

test('the container knows the size of the terminal, whatever it changes to', async ({ page, visitor }) => {
  const size = async () => {
    await visitor.type('clear; echo size $(stty size)');
    const [rows, columns] = await visitor.read(/^size (\d+) (\d+)$/m);
    return { rows: Number(rows), columns: Number(columns) };
  };
  const before = await size();
  expect(before.rows).toBe(await page.locator('.xterm-rows > div').count());
  await page.setViewportSize({ width: 640, height: 480 });
  await expect.poll(size).not.toEqual(before);
  const after = await size();
  expect(after.columns).toBeLessThan(before.columns);
  expect(after.rows).toBe(await page.locator('.xterm-rows > div').count());
});

test('a further terminal is a shell in the same container', async ({ page, visitor }) => {
  await visitor.type('touch /from-the-first; echo $$ > /pid');
  await visitor.button('New terminal').click();
  await expect(page.getByRole('tab')).toHaveCount(2);
  await visitor.expectScreen(/[#$]$/);
  await visitor.type('ls /from*; tty');
  await visitor.expectScreen(/^\/from-the-first$/m);
  await visitor.type('echo hello from the second > /dev/pts/0 2>/dev/null || echo hello > /from-the-second');
  await visitor.type('exit');
  await expect(page.getByRole('tab')).toHaveCount(1);
  await expect(visitor.state).toHaveText('Running');
  await visitor.type('echo back in the first');
  await visitor.expectScreen(/^back in the first$/m);
});

test('text is found, forwards and backwards', async ({ page, visitor }) => {
  await visitor.type('for n in $(seq 1 200); do echo "line $n"; done');
  await visitor.expectScreen(/^line 200$/m);
  await page.keyboard.press('Control+Shift+F');
  const find = page.getByLabel('Find in the terminal');
  await find.fill('line 17');
  await find.press('Enter');
  await visitor.expectScreen(/^line 17\d*$/m);
  await expect(find).toHaveAttribute('aria-invalid', 'false');
  await find.fill('line 999');
  await expect(find).toHaveAttribute('aria-invalid', 'true');
  await find.press('Escape');
  await expect(find).toHaveCount(0);
  await visitor.type('echo typed again');
  await visitor.expectScreen(/^typed again$/m);
});

test('what is selected is copied, and pasted as one piece', async ({ page, visitor, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.type('echo copied-word');
  await visitor.expectScreen(/^copied-word$/m);
  const row = page.locator('.xterm-rows > div').filter({ hasText: /^copied-word$/ });
  const { x = 0, y = 0 } = (await row.boundingBox()) ?? {};
  await page.mouse.dblclick(x + 8, y + 8);
  await page.keyboard.press('Control+Shift+C');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('copied');
  await visitor.type('cat > /pasted');
  await page.evaluate(() => navigator.clipboard.writeText('one\ntwo\n'));
  await page.keyboard.press('Control+Shift+V');
  await visitor.expectScreen(/^two$/m);
  await page.keyboard.press('Control+D');
  await visitor.expectPrompt();
  await visitor.type('wc -l < /pasted');
  await visitor.expectScreen(/^2$/m);
});

test('signals and the title reach whom they should', async ({ page, visitor }) => {
  await visitor.type('sleep 1000');
  await page.keyboard.press('Control+C');
  await visitor.type("printf '\\033]2;My title\\007'");
  await expect(page.getByRole('tab')).toHaveText(/My title/);
});

test('files go into the container, and come out of it', async ({ page, visitor }) => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  await visitor.button('Files').click();
  await page.getByLabel('Folder in the container').fill('/tmp');
  await page.getByLabel('Files to upload').setInputFiles({ name: 'data.bin', mimeType: '', buffer: bytes });
  await expect(
    page.getByRole('status').filter({ hasText: '/tmp/data.bin is in the container' }),
  ).toBeVisible();
  await page.getByLabel('File in the container').fill('/tmp/data.bin');
  const downloading = page.waitForEvent('download');
  await visitor.button('Download').click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('data.bin');
  expect(Buffer.compare(await readFile(await download.path()), bytes)).toBe(0);

  await page.getByLabel('File in the container').fill('/no/such/file');
  await visitor.button('Download').click();
  await expect(page.getByRole('status').filter({ hasText: /no such file/i })).toBeVisible();
  await page.keyboard.press('Escape');
  await visitor.type('wc -c < /tmp/data.bin');
  await visitor.expectScreen(/^300000$/m);
});

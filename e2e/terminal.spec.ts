import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from './fixtures.ts';
import { PUBLIC } from './support/places.ts';
import { BUSYBOX } from './support/visitor.ts';

test.beforeEach(async ({ visitor }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
});

test('the container learns every size of the terminal', { tag: '@firefox' }, async ({ page, visitor }) => {
  let asked = 0;
  const size = async () => {
    await visitor.type(`clear; echo size ${++asked}: $(stty size)`);
    const [rows, columns] = await visitor.read(new RegExp(`^size ${asked}: (\\d+) (\\d+)$`, 'm'));
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
  await visitor.command('touch /from-the-first');
  await visitor.button('New terminal').click();
  await visitor.expectPrompt();
  await visitor.type('ls /from*; tty');
  await visitor.expectScreen(/^\/from-the-first\n\/dev\/pts\/\d$/m);
  await page.getByRole('tab', { name: 'Container' }).click();
  await visitor.command('(until [ -e /woken ]; do sleep 0.1; done; echo woken; printf "\\a") &');
  await page.getByRole('tab').nth(1).click();
  await visitor.type('touch /woken');
  await expect(page.getByRole('img', { name: 'It rang' })).toBeVisible();

  await visitor.type('exit');
  await expect(page.getByRole('tab')).toHaveCount(1);
  await expect(visitor.state).toHaveText('Running');
  await visitor.expectScreen(/woken$/m);
});

test('keys open the search, which finds text forwards and backwards, and a list of keys', async ({
  page,
  visitor,
}) => {
  await visitor.type('for n in $(seq 1 200); do echo "line $n"; done');
  await visitor.expectScreen(/^line 200$/m);
  await page.keyboard.press('Control+Shift+F');
  const find = page.getByLabel('Find in the terminal');
  await visitor.fill(find, 'line 17');
  await find.press('Enter');
  await visitor.expectScreen(/^line 17\d*$/m);
  await expect(find).toHaveAttribute('aria-invalid', 'false');
  // Lines 17 and 170 to 179.
  const count = page.getByRole('search').getByRole('status');
  await expect(count).toHaveText('2 of 11');
  await find.press('Shift+Enter');
  await expect(count).toHaveText('1 of 11');
  await visitor.button('Previous').click();
  await expect(count).toHaveText('11 of 11');
  await visitor.fill(find, 'line 999');
  await expect(find).toHaveAttribute('aria-invalid', 'true');
  await expect(count).toHaveText('Not found');
  await visitor.fill(find, '');
  await expect(count).toHaveText('');
  await find.press('Escape');
  await expect(find).toHaveCount(0);
  await visitor.type('cat -v');

  // Programs do not get the key of the list of keys either.
  await page.keyboard.press('Control+Shift+Slash');
  const list = page.getByRole('dialog', { name: 'Keys' });
  await expect(list).toContainText('leaves the terminal');
  await page.keyboard.press('Escape');
  await expect(list).toHaveCount(0);
  await visitor.button('Keys').click();
  await expect(list).toBeVisible();
  await visitor.button('Close').click();
  await visitor.type('done?');
  await visitor.expectScreen(/cat -v\ndone\?\ndone\?/);
});

test('a selection is copied, and pasted as one piece', { tag: ['@firefox', '@window'] }, async ({
  page,
  visitor,
}) => {
  await visitor.allowClipboard();
  await visitor.type('echo copied-word');
  await visitor.expectScreen(/^copied-word$/m);
  const row = page.locator('.xterm-rows > div').filter({ hasText: /^copied-word$/ });
  const { x = 0, y = 0 } = (await row.boundingBox()) ?? {};
  await page.mouse.move(x + 1, y + 8);
  await page.mouse.down();
  await page.mouse.move(x + 200, y + 8);
  await page.mouse.up();
  await page.keyboard.press('Control+Shift+C');
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('copied');
  await visitor.type('cat > /pasted');
  await page.evaluate(() => navigator.clipboard.writeText('one\ntwo\n'));
  await page.keyboard.press('Control+Shift+V');
  await visitor.expectScreen(/^two$/m);
  await page.keyboard.press('Control+D');
  await visitor.expectPrompt();
  await visitor.type('wc -l < /pasted');
  await visitor.expectScreen(/^2$/m);
});

test('keys, pastes and the mouse reach programs in the modes they request', {
  tag: ['@firefox', '@window'],
}, async ({ page, visitor }) => {
  await visitor.allowClipboard();
  await visitor.type('echo be""gin; sleep 1000');
  // Before that the shell takes the key itself.
  await visitor.expectScreen(/^begin$/m);
  await page.keyboard.press('Control+C');
  await visitor.command("printf '\\033]2;My title\\007'");
  await expect(page.getByRole('tab')).toHaveText(/My title/);

  await visitor.type("printf '\\033[?2004h\\033[?1000h\\033[?1006hset\\n'; cat -v");
  await visitor.expectScreen(/^set$/m);
  await page.evaluate(() => navigator.clipboard.writeText('pasted'));
  await page.keyboard.press('Control+Shift+V');
  await visitor.expectScreen(/\^\[\[200~pasted\^\[\[201~/);
  await page.locator('.xterm-screen').click({ position: { x: 20, y: 20 } });
  await visitor.expectScreen(/\^\[\[<0;\d+;\d+M\^\[\[<0;\d+;\d+m/);
});

test('a link opens in a tab of its own, without a reference to the page', async ({
  page,
  visitor,
  context,
}) => {
  await context.route('https://example.com/**', (route) => route.fulfill({ body: 'elsewhere' }));
  await visitor.type('clear; echo https://example.com/path');
  await visitor.expectScreen(/^https:\/\/example\.com\/path\n/);
  const opening = context.waitForEvent('page');
  const { x = 0, y = 0 } = (await page.locator('.xterm-screen').boundingBox()) ?? {};
  await expect(async () => {
    await page.mouse.move(x + 100, y + 60);
    await page.mouse.move(x + 80, y + 10);
    await expect(page.locator('.xterm-cursor-pointer')).toBeVisible({ timeout: 1000 });
  }).toPass();
  await page.mouse.click(x + 80, y + 10);
  const opened = await opening;
  await opened.waitForURL('https://example.com/path');
  expect(await opened.evaluate(() => [window.opener, document.referrer])).toEqual([null, '']);
});

test('a file dropped on a running container is uploaded', async ({ page, visitor }) => {
  await visitor.drop(join(PUBLIC, 'emulator.wasm'));
  await expect(page.getByRole('status').filter({ hasText: 'Uploaded emulator.wasm to /' })).toBeVisible();
  await visitor.type('sha256sum < /emulator.wasm');
  const bytes = await readFile(join(PUBLIC, 'emulator.wasm'));
  await visitor.expectScreen(new RegExp(createHash('sha256').update(bytes).digest('hex')));
});

test('a program gets keys before it has shown anything', async ({ page, visitor }) => {
  await visitor.runLink({ image: BUSYBOX, entrypoint: 'cat' });
  await expect(page.locator('.xterm-helper-textarea')).toBeFocused();
  await page.keyboard.type('hello\n');
  await visitor.expectScreen(/^hello\nhello$/m);
});

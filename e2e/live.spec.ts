/** Tests the terminal on the first screen. */
import { expect, test } from './fixtures.ts';
import { expectAccessibleInAllColours, expectNoShifts, tabTo, watchShifts } from './support/care.ts';
import { footprintOf, SPARE_WORKERS } from './support/footprint.ts';
import { BUSYBOX, HELLO } from './support/visitor.ts';

test.use({ hasLiveTerminal: true });

test('the first screen has a shell, which takes neither the focus nor Tab', async ({ page, visitor }) => {
  await watchShifts(page);
  await visitor.open();
  await visitor.image.fill('alpine');
  await visitor.expectPrompt();
  await expect(visitor.image).toBeFocused();
  await page.keyboard.type(':3');
  await expect(visitor.image).toHaveValue('alpine:3');
  await expectNoShifts(page);
  await expectAccessibleInAllColours(page);

  // Tab leads through the whole page, and to a button that leads into the terminal.
  await visitor.button('Storage').focus();
  const type = visitor.button('Type in the terminal');
  await tabTo(type);
  await tabTo(visitor.button('Run Hello World'));
  await type.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('uname -m\n');
  await visitor.expectScreen(/^riscv64$/m);
  await page.keyboard.press('Control+F6');
  await expect(type).toBeFocused();
});

test('it ends when a container starts, and starts again on request', async ({ page, visitor }) => {
  await visitor.open();
  await visitor.expectPrompt();
  await visitor.button('Run Hello World').click();
  await visitor.expectScreen(HELLO);
  await visitor.expectExit(0);
  await expect.poll(async () => (await footprintOf(page)).workers).toBe(SPARE_WORKERS);
  expect(await page.evaluate(() => localStorage.getItem('linuxrun-recent'))).not.toContain('exec%20sh');
  await visitor.button('Run another').click();
  await expect(visitor.terminals).toHaveCount(0);
  await visitor.button('Start it').click();
  await visitor.expectPrompt();
  await visitor.type('exit');
  await expect(page.getByText('The shell has ended')).toBeVisible();
  await expect.poll(async () => (await footprintOf(page)).workers).toBe(SPARE_WORKERS);
});

test('a link has none, and it stays closed once it is closed', async ({ page, visitor }) => {
  await visitor.open({ image: BUSYBOX });
  await page.waitForLoadState('networkidle');
  await expect(page.getByRole('region', { name: 'A terminal to try' })).toHaveCount(0);
  await expect(visitor.button('Open a terminal here')).toHaveCount(0);
  await visitor.open();
  await visitor.expectPrompt();
  await visitor.button('Close this terminal').click();
  await expect(visitor.terminals).toHaveCount(0);
  await page.reload();
  await visitor.button('Open a terminal here').click();
  await visitor.expectPrompt();
});

test('it waits for a click in a browser that saves data', async ({ page, visitor }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'connection', { value: { saveData: true } });
  });
  await visitor.open();
  await page.waitForLoadState('networkidle');
  await expect(visitor.terminals).toHaveCount(0);
  await visitor.button('Start it').click();
  await visitor.expectPrompt();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('a finger on it scrolls the page, and a tap types into it', async ({ page, visitor }) => {
    await visitor.open();
    await visitor.expectPrompt();
    const { x = 0, y = 0 } = (await page.locator('.xterm-screen').boundingBox()) ?? {};
    const devTools = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', up: number) =>
      devTools.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x: x + 100, y: y + 150 - up }],
      });
    await touch('touchStart', 0);
    for (let up = 10; up <= 140; up += 10) await touch('touchMove', up);
    await touch('touchEnd', 0);
    await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(50);
    // The button lies over the screen.
    await visitor.button('Type in the terminal').tap();
    await page.keyboard.type('uname -m\n');
    await visitor.expectScreen(/^riscv64$/m);
    await expect(visitor.button('Ctrl')).toBeVisible();
  });
});

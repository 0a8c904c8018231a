/** Tests the ways out of a running container. */
import type { Dialog } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { expectAccessible } from './support/care.ts';
import { BUSYBOX, HELLO, HELLO_WORLD, linkTo } from './support/visitor.ts';

test('Back leads from a run to the form, and Forward runs again, all on one page', async ({
  page,
  visitor,
}) => {
  await visitor.open({ image: HELLO_WORLD, memory: '256M' });
  const link = page.url();
  await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
  await visitor.run();
  await visitor.expectExit(0);
  expect(page.url()).toBe(link);
  await page.goBack();
  await expect(visitor.image).toHaveValue('Hello World');
  expect(page.url()).toBe(link);
  await page.goForward();
  await visitor.expectScreen(HELLO);
  await visitor.expectExit(0);
  await visitor.button('Run another').click();
  await expect(visitor.image).toBeFocused();
  expect(await page.evaluate(() => 'isSamePage' in globalThis)).toBe(true);
  await page.goBack();
  expect(page.url()).toBe('about:blank');
});

test('a reload of a run shows its form, and Back leads to the form before', async ({ page, visitor }) => {
  await visitor.open();
  const first = page.url();
  await visitor.image.fill('Hello World');
  await visitor.run();
  await visitor.expectExit(0);
  await page.reload();
  await expect(visitor.image).toHaveValue('Hello World');
  await visitor.run();
  await visitor.expectExit(0);
  await page.goBack();
  await expect(visitor.image).toHaveValue('Hello World');
  await page.goBack();
  await expect(visitor.image).toBeVisible();
  expect(page.url()).toBe(first);
});

test.describe('while a container runs that is not kept', () => {
  test.beforeEach(async ({ visitor }) => {
    await visitor.runLink({ image: BUSYBOX });
    await visitor.expectPrompt();
    await visitor.type('touch /mine');
    await visitor.button('Don’t keep it').click();
  });

  test('full screen gives the browser’s own keys to the program', async ({ page, visitor }) => {
    await page.evaluate(() => {
      const keyboard = (navigator as unknown as { keyboard: { lock(codes: string[]): Promise<void> } })
        .keyboard;
      const lock = keyboard.lock.bind(keyboard);
      keyboard.lock = (codes) => {
        Object.assign(globalThis, { locked: codes, isFull: document.fullscreenElement !== null });
        return lock(codes);
      };
    });
    await visitor.button('Full screen').click();
    await expect(visitor.button('Leave full screen')).toBeVisible();
    const locking = () =>
      page.evaluate(() => {
        const { locked, isFull } = globalThis as { locked?: string[]; isFull?: boolean };
        return { locked, isFull };
      });
    await expect.poll(locking).toEqual({ locked: ['KeyW', 'KeyT', 'KeyN', 'Escape'], isFull: true });
    // The terminal kept the focus. Ctrl-W deletes a word, and the page keeps the key from the browser.
    await page.keyboard.type('echo one two');
    await page.keyboard.press('Control+W');
    await page.keyboard.type('three\n');
    await visitor.expectScreen(/^one three$/m);
    await visitor.button('Leave full screen').click();
    await expect(visitor.button('Full screen')).toBeVisible();
    await page.keyboard.type('echo back\n');
    await visitor.expectScreen(/^back$/m);
  });

  test('Back asks, goes on typing after a no, and leads to the form after a yes', { tag: '@window' }, async ({
    page,
    visitor,
  }) => {
    const question = page.getByRole('dialog', { name: 'End BusyBox?' });
    await page.goBack();
    await expect(question).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    for (const answer of ['Keep it running', 'Escape']) {
      await page.goBack();
      await expect(question).toBeVisible();
      if (answer === 'Escape') await page.keyboard.press('Escape');
      else await visitor.button(answer).click();
      await expect(question).toHaveCount(0);
      // The terminal has the focus again.
      await page.keyboard.type(`ls /mine; echo after ${answer}\n`);
      await visitor.expectScreen(new RegExp(`^/mine\nafter ${answer}$`, 'm'));
    }
    await page.goBack();
    // Impatience changes nothing.
    await page.goBack();
    await visitor.button('End it').click();
    await expect(visitor.image).toBeVisible();
    await page.goBack();
    expect(page.url()).toBe('about:blank');
  });

  test('Restart and Run another ask, until the container ends by itself', async ({ page, visitor }) => {
    await visitor.button('Run another').click();
    await visitor.button('Keep it running').click();
    await visitor.button('Restart').click();
    await expect(page.getByRole('dialog', { name: 'Restart BusyBox?' })).toContainText('download');
    await visitor.button('Restart it').click();
    expect(await visitor.screenText()).not.toContain('touch');
    await visitor.expectPrompt();
    await visitor.type('ls /mine');
    await visitor.expectScreen(/No such file/);
    await visitor.button('Don’t keep it').click();

    await visitor.type('clear; sleep 2; exit 4');
    await visitor.button('Run another').click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await visitor.expectExit(4);
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await visitor.button('Run another').click();
    await expect(visitor.image).toBeFocused();
  });

  test('the browser asks before a reload or the end of the tab, and not afterwards', async ({
    page,
    visitor,
  }) => {
    const questions: string[] = [];
    let answer: 'dismiss' | 'accept' = 'dismiss';
    page.on('dialog', async (dialog: Dialog) => {
      questions.push(dialog.type());
      await dialog[answer]();
    });
    await page.reload({ timeout: 2000 }).catch(() => {});
    await page.close({ runBeforeUnload: true });
    await expect.poll(() => questions).toEqual(['beforeunload', 'beforeunload']);
    await visitor.type('ls /mine');
    await visitor.expectScreen(/^\/mine$/m);
    await visitor.type('exit');
    await visitor.expectExit(0);
    answer = 'accept';
    await page.reload();
    await page.goto(`./${linkTo({ image: HELLO_WORLD })}`);
    expect(questions).toHaveLength(2);
  });
});

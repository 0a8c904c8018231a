/** The running screen on a phone, whose keyboard lacks keys and covers the page. */
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { BUSYBOX } from './support/visitor.ts';

const UPRIGHT = { width: 390, height: 844 };
const SIDEWAYS = { width: 844, height: 390 };
/** The least size of a target, in px. */
const FINGERTIP = 44;

test.use({ viewport: UPRIGHT, hasTouch: true, isMobile: true });

test.beforeEach(async ({ visitor }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
});

async function boxOf(locator: Locator) {
  const box = await locator.boundingBox();
  if (!box) throw new Error('it is not visible');
  return box;
}

/** Pretends that an on-screen keyboard covers everything below this height. */
async function coverBelow(page: Page, height: number): Promise<void> {
  await page.evaluate((height) => {
    const viewport = window.visualViewport as VisualViewport;
    Object.defineProperty(viewport, 'height', { get: () => height, configurable: true });
    viewport.dispatchEvent(new Event('resize'));
  }, height);
}

test('a terminal on its side has at least 60 % of the height, and targets are as large as a fingertip', async ({
  page,
  visitor,
}) => {
  await page.setViewportSize(SIDEWAYS);
  const terminal = page.locator('.terminal-screen');
  await expect.poll(async () => (await boxOf(terminal)).height / SIDEWAYS.height).toBeGreaterThanOrEqual(0.6);
  await expect(page.getByRole('button', { name: 'Stop' })).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole('toolbar', { name: 'Keys' })).toBeInViewport({ ratio: 1 });
  await visitor.button('Find').click();
  for (const viewport of [SIDEWAYS, UPRIGHT]) {
    await page.setViewportSize(viewport);
    const targets = page.locator('button:visible:not(.read-aloud), .find-bar input');
    await expect(targets).not.toHaveCount(0);
    for (const target of await targets.all()) {
      const { width, height } = await boxOf(target);
      expect(Math.min(width, height), await target.innerHTML()).toBeGreaterThanOrEqual(FINGERTIP);
    }
  }
});

test('the bar has the keys that phones lack', async ({ page, visitor }) => {
  // The shell's own line editor takes keys until the program runs.
  await visitor.type('echo ready; cat -v');
  await visitor.expectScreen(/^ready$/m);
  const press = (name: string) => page.getByRole('toolbar').getByRole('button', { name, exact: true }).tap();
  for (const key of ['Left', 'Up', 'Home', 'End', 'Page Up', 'Page Down', '|', '/', '-', '~', 'Escape'])
    await press(key);
  await visitor.expectScreen(/^\^\[\[D\^\[\[A\^\[\[H\^\[\[F\^\[\[5~\^\[\[6~\|\/-~\^\[$/m);
  await press('Ctrl');
  await press('Left');
  await visitor.expectScreen(/\^\[\[1;5D$/m);
  await expect(page.getByRole('button', { name: 'Ctrl' })).toHaveAttribute('aria-pressed', 'false');
  await press('Ctrl');
  await page.keyboard.type('c');
  await visitor.expectPrompt();
  await visitor.type("printf 'again\\033[?1h\\n'; cat -v");
  await visitor.expectScreen(/^again$/m);
  await press('Left');
  await visitor.expectScreen(/\^\[OD$/m);
});

test('the bar pastes, or says why it cannot, and a keyboard covers neither it nor the prompt', async ({
  page,
  visitor,
  context,
}) => {
  const paste = page.getByRole('toolbar').getByRole('button', { name: 'Paste' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(() => navigator.clipboard.writeText('echo pasted text'));
  await paste.tap();
  await visitor.expectScreen(/# echo pasted text$/m);
  await page.evaluate(() => {
    navigator.clipboard.readText = () => Promise.reject(new DOMException('denied', 'NotAllowedError'));
  });
  await paste.tap();
  await expect(page.getByText(/does not let this page read the clipboard/)).toBeVisible();

  await page.keyboard.press('Control+C');
  const bar = page.getByRole('toolbar', { name: 'Keys' });
  const bottom = async () => {
    const { y, height } = await boxOf(bar);
    return y + height;
  };
  await coverBelow(page, 500);
  await expect.poll(bottom).toBeLessThanOrEqual(500);
  await visitor.type('seq 100');
  await visitor.expectScreen(/^100$/m);
  const lines = await visitor.screenText();
  expect(lines.split('\n').length).toBeLessThan(25);

  await page.setViewportSize(SIDEWAYS);
  await coverBelow(page, 180);
  await expect.poll(bottom).toBeLessThanOrEqual(180);
  expect((await boxOf(page.locator('.terminal-screen'))).height).toBeGreaterThan(100);
  await coverBelow(page, SIDEWAYS.height);
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
});

/** The browser's text is half as large again as usual. */
import { CHROMIUM_SHELL } from './browser.ts';
import { expect, test } from './fixtures.ts';
import { expectNoSidewaysScrolling } from './support/care.ts';
import { BUSYBOX } from './support/visitor.ts';

test.use({
  launchOptions: { ...CHROMIUM_SHELL, args: [...CHROMIUM_SHELL.args, '--blink-settings=defaultFontSize=24'] },
});

const sizeOf = (element: Element) => Number.parseFloat(getComputedStyle(element).fontSize);

test('the page and its terminals follow the text size of the browser', async ({ page, visitor }) => {
  await visitor.open({ image: BUSYBOX });
  // 14 px at the usual size of 16.
  expect(await visitor.button('Share').evaluate(sizeOf)).toBe(21);
  for (const width of [1000, 640, 360]) {
    await page.setViewportSize({ width, height: 640 });
    await expectNoSidewaysScrolling(page);
  }
  await page.setViewportSize({ width: 1000, height: 640 });
  await visitor.run();
  await visitor.expectPrompt();
  expect(await page.locator('.xterm-rows').evaluate(sizeOf)).toBe(21);
  await expectNoSidewaysScrolling(page);
  await visitor.type('echo kept');
  await expect(visitor.button('Don’t keep it')).toBeVisible();
  await page.setViewportSize({ width: 360, height: 640 });
  const [state, stop] = [await visitor.state.boundingBox(), await visitor.button('Stop').boundingBox()];
  if (!state || !stop) throw new Error('something is not seen');
  expect(state.y + state.height).toBeLessThanOrEqual(stop.y);
  for (const button of await page.locator('.session button:visible:not(.read-aloud, .bar-button)').all())
    await expect(button).toBeInViewport({ ratio: 1 });
});

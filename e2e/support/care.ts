/** Checks that everyone can use the page. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Locator, type Page } from '@playwright/test';
import type { Visitor } from './visitor.ts';

/** The most that browsers call good (Core Web Vitals, cumulative layout shift). */
const SHIFT_LIMIT = 0.1;
/** More elements than any screen has. */
const MOST_PRESSES = 60;
/** The rules of axe that depend on colours. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

/**
 * Expects that axe finds nothing wrong.
 * @param rules all of axe's unless given
 */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] });
  // The default mode opens a tab to join the results of frames, and our pages have no frames of ours.
  axe.setLegacyMode();
  if (rules) axe.withRules(rules);
  const { violations } = await axe.analyze();
  const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  expect(found).toEqual([]);
}

/** The same in light and in dark colours. Without motion, which tests reduce, none is between the two. */
export async function expectAccessibleInAllColours(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' });
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page, COLOUR_RULES);
}

/** Expects that the whole width of the page is seen. */
export async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const { scrollWidth, clientWidth } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scrollWidth, clientWidth };
  });
  expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
}

/** Presses Tab until the element has the focus. */
export async function tabTo(target: Locator): Promise<void> {
  for (let presses = 0; presses < MOST_PRESSES; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await target.page().keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${target}`);
}

/** Measures how much moves on the pages to come. */
export async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    let shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shift += (entry as PerformanceEntry & { value: number }).value;
      Object.assign(globalThis, { layoutShift: shift });
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

export async function expectNoShifts(page: Page): Promise<void> {
  const shift = await page.evaluate(() => (globalThis as { layoutShift?: number }).layoutShift ?? 0);
  expect(shift).toBeLessThan(SHIFT_LIMIT);
}

/** Expects that the state of a session is whole, and that no button lies over it. */
export async function expectStateIsFree({ page, state }: Visitor, where: string): Promise<void> {
  expect(await state.evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth), where).toBe(
    false,
  );
  const text = await state.boundingBox();
  for (const button of await page.locator('.session-bar button:visible').all()) {
    const box = await button.boundingBox();
    if (!text || !box) throw new Error('something is not seen');
    const isBeside = box.x >= text.x + text.width || box.x + box.width <= text.x;
    const isBelow = box.y >= text.y + text.height;
    expect(isBeside || isBelow, where).toBe(true);
  }
}

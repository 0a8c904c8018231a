/** Computers that are busy, and tabs in the background. */
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { BUSYBOX } from './support/visitor.ts';

/** How long the page does not run, in ms. */
const FROZEN = 5000;

test('programs go on while the page is frozen, and the terminal catches up', async ({ page, visitor }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  const devTools = await page.context().newCDPSession(page);
  await visitor.type(
    'a=$(date +%s); echo be""gun; sleep 2; b=$(date +%s); seq 50000; echo slept $((b - a)) until $b',
  );
  await visitor.expectScreen(/^begun$/m);
  await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await new Promise((resolve) => setTimeout(resolve, FROZEN));
  await devTools.send('Page.setWebLifecycleState', { state: 'active' });
  const [slept] = await visitor.read(/^50000\nslept (\d+) until \d+\n\/ #$/m);
  expect(Number(slept)).toBeLessThan(FROZEN / 1000 - 1);
  await visitor.type('clear; echo now $(date +%s)');
  const [now] = await visitor.read(/^now (\d+)$/m);
  expect(Math.abs(Number(now) - Date.now() / 1000)).toBeLessThan(3);
});

/**
 * Slows the page's timers down as browsers do in tabs that have been hidden for minutes: once a second, and
 * long chains of them once a minute. Nothing is drawn. Browsers leave the timers of workers alone.
 */
const THROTTLE = `{
  const { setTimeout: later, requestAnimationFrame: draw } = window;
  const LONG_CHAIN = 5;
  let depth = 0;
  globalThis.isThrottled = false;
  window.setTimeout = (run, ms = 0, ...rest) => {
    const own = depth + 1;
    const least = isThrottled ? (own > LONG_CHAIN ? 60000 : 1000) : 0;
    return later(() => {
      depth = own;
      try { run(...rest); } finally { depth = 0; }
    }, Math.max(ms, least));
  };
  window.requestAnimationFrame = (run) => draw(function wait(time) { isThrottled ? later(() => draw(wait), 100) : run(time); });
}`;

test('programs print on in a tab that has been hidden for long', async ({ page, visitor }) => {
  await page.addInitScript(THROTTLE);
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  await page.evaluate('globalThis.isThrottled = true');
  await visitor.type(`seq 2000; printf '\\033]2;all of it\\007'`);
  await expect(page.getByRole('tab')).toHaveText(/all of it/, { timeout: 50_000 });
  await page.evaluate('globalThis.isThrottled = false');
  await visitor.expectScreen(/^2000\n\/ #$/m);
});

/** How many keys are typed. */
const KEYS = 9;

/** Types into the shell. @returns the median of the times from keys to their echoes, in ms */
async function echoTime(page: Page): Promise<number> {
  const times: number[] = [];
  for (let typed = 1; typed <= KEYS; typed++) {
    const begin = performance.now();
    await page.keyboard.type('x');
    await page.waitForFunction(
      (text) => document.querySelector('.xterm-rows')?.textContent?.replaceAll('\u00a0', ' ').includes(text),
      `# ${'x'.repeat(typed)}`,
    );
    times.push(performance.now() - begin);
  }
  await page.keyboard.press('Control+U');
  return times.sort((a, b) => a - b)[KEYS >> 1] as number;
}

test('keys are echoed while programs keep all of eight CPUs busy', async ({ page, visitor }) => {
  await visitor.runLink({ image: BUSYBOX, cpus: '8' });
  await visitor.expectPrompt();
  await visitor.type('clear; echo re""sting');
  await visitor.expectScreen(/^resting\n\/ #$/m);
  const idle = await echoTime(page);
  await visitor.type('for n in 1 2 3 4 5 6 7 8; do while :; do :; done & done; clear; echo bu""sy');
  await visitor.expectScreen(/^busy\n\/ #$/m);
  const busy = await echoTime(page);
  // One second beside 25 ms. A busy computer makes both longer.
  expect(busy / idle, `${busy} ms beside ${idle} ms`).toBeLessThan(40);
});

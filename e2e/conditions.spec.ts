/** Computers that are busy, and tabs in the background. */
import { expect, test } from './fixtures.ts';
import { BUSYBOX } from './support/visitor.ts';

/** How long the page does not run, in ms. */
const FROZEN = 8000;
/** How many keys are typed. The computer may have other work during some of them. */
const KEYS = 9;

test('programs go on while the page is frozen, and the terminal catches up', async ({ page, visitor }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  const devTools = await page.context().newCDPSession(page);
  await visitor.type(
    'a=$(date +%s); echo be""gun; sleep 4; b=$(date +%s); seq 50000; echo slept $((b - a)) until $b',
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

test('a key is echoed within a second while programs keep all of eight CPUs busy', async ({
  page,
  visitor,
}) => {
  await visitor.runLink({ image: BUSYBOX, cpus: '8' });
  await visitor.expectPrompt();
  await visitor.type('for n in 1 2 3 4 5 6 7 8; do while :; do :; done & done; clear; echo bu""sy');
  await visitor.expectScreen(/^busy$/m);
  // The kernel spreads them over its CPUs.
  await page.waitForTimeout(2000);
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
  expect(Math.min(...times), `${times}`).toBeLessThan(1000);
});

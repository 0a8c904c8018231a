import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { footprintOf, SPARE_WORKERS } from './support/footprint.ts';
import { BUSYBOX, HELLO, HELLO_WORLD } from './support/visitor.ts';

const MIB = 2 ** 20;

test('a picked demo image shows a prompt', { tag: '@window' }, async ({ page, visitor }) => {
  await visitor.open();
  await visitor.choose('BusyBox');
  await visitor.run();
  await visitor.expectPrompt();
  await expect(visitor.state).toHaveText('Running');
  await visitor.type('uname -a');
  await visitor.expectScreen(/^Linux .*riscv64/m);
  await expect(visitor.figure('Speed')).toHaveText(/^\d+ MIPS$/);
  await expect(visitor.figure('Memory')).toHaveText(/^\d+(\.\d)? MB of 512 MB$/);
  await expect(visitor.figure('Disk')).toHaveText(/^\d+(\.\d)? [KM]B of 1 GB$/);
  const cpu = async () => Number.parseInt(await visitor.figure('CPU').innerText(), 10);
  await visitor.type('while :; do :; done');
  await expect.poll(cpu).toBeGreaterThan(60);
  await page.keyboard.press('Control+C');
  await expect.poll(cpu).toBeLessThan(40);
  await page.getByRole('button', { name: /^Started in \d+(\.\d)? m?s$/ }).click();
  await expect(page.getByLabel('The start')).toContainText(/Start the machine\d+(\.\d)? m?s/);
  await page.keyboard.press('Escape');
  await expect(page.getByLabel('The start')).toBeHidden();
  await visitor.type('exit 7');
  await visitor.expectExit(7);
  await expect(page.getByLabel('Figures')).toHaveCount(0);
});

test('a card runs its image with one click, or one key, and nothing else of the form', async ({
  page,
  visitor,
}) => {
  await visitor.open({ image: BUSYBOX, args: '-c "exit 9"', env: 'A=1' });
  await visitor.button('Run Hello World').click();
  await visitor.expectScreen(HELLO);
  await visitor.expectExit(0);
  await visitor.button('Run another').click();
  await visitor.button('Run BusyBox').focus();
  await page.keyboard.press('Enter');
  await visitor.expectPrompt();
  await visitor.type('echo "A is $A."');
  await visitor.expectScreen(/^A is \.$/m);
});

test('a chosen card brings its name into the form, and the form into view', async ({ page, visitor }) => {
  await page.setViewportSize({ width: 640, height: 480 });
  await visitor.open({ image: HELLO_WORLD });
  await expect(visitor.image).toHaveValue('Hello World');
  await visitor.choose('Python');
  await expect(visitor.image).toHaveValue('python:alpine');
  await expect(visitor.button('Run')).toBeInViewport();
  await visitor.fill(visitor.image, BUSYBOX);
  await expect(visitor.image).toHaveValue(BUSYBOX);
  await visitor.image.blur();
  await expect(visitor.image).toHaveValue('BusyBox');
  await visitor.fill(visitor.image, 'Hello World');
  await visitor.run();
  await visitor.expectScreen(HELLO);
});

test('another image runs without a reload of the page', { tag: '@firefox' }, async ({ page, visitor }) => {
  await visitor.open();
  await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
  await visitor.choose('BusyBox');
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.endAndRunAnother();
  await visitor.choose('Hello World');
  await visitor.run();
  await visitor.expectScreen(HELLO);
  await visitor.expectExit(0);
  expect(await page.evaluate(() => 'isSamePage' in globalThis)).toBe(true);
});

test('a recent run can be repeated with its options', async ({ page, visitor }) => {
  await visitor.runLink({ image: BUSYBOX, entrypoint: 'echo', args: 'once more' });
  await visitor.expectExit(0);
  await visitor.open();
  await page.getByRole('button', { name: /^BusyBox.*echo once more/ }).click();
  await visitor.run();
  await visitor.expectScreen(/^once more$/m);
});

test.describe('a container that is stopped', () => {
  test('ends by itself', async ({ visitor }) => {
    await visitor.runLink({
      image: BUSYBOX,
      entrypoint: 'sh -c',
      args: `'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.1; done'`,
    });
    await visitor.expectScreen(/^ready$/m);
    await visitor.button('Stop').click();
    await visitor.expectExit(3);
    await visitor.expectScreen(/^bye$/m);
  });

  test('is killed if it does not end', async ({ visitor }) => {
    await visitor.runLink({
      image: BUSYBOX,
      entrypoint: 'sh -c',
      args: `'trap "" TERM; echo ready; while :; do sleep 1; done'`,
    });
    await visitor.expectScreen(/^ready$/m);
    await visitor.button('Stop').click();
    await visitor.button('Kill now').click();
    await visitor.expectExit(137);
  });
});

test('stopping and starting again leaves nothing behind', async ({ page, visitor }) => {
  await visitor.runLink({
    image: BUSYBOX,
    entrypoint: 'sh -c',
    args: `'trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'`,
  });
  const stop = async () => {
    await visitor.expectScreen(/^ready$/m);
    await visitor.button('Stop').click();
    await visitor.expectExit(0);
  };
  await stop();
  // The first terminal was opened before the click, in another place.
  await visitor.button('Restart').click();
  await stop();
  await expect.poll(async () => (await footprintOf(page)).workers).toBe(SPARE_WORKERS);
  const before = await footprintOf(page);
  for (let times = 0; times < 5; times++) {
    await visitor.button('Restart').click();
    await stop();
  }
  await expect(async () => {
    const { heap, nodes, resident, workers } = await footprintOf(page);
    expect(workers).toBe(before.workers);
    expect(nodes).toBe(before.nodes);
    // The JavaScript engine's feedback about code that runs repeatedly.
    expect(heap - before.heap).toBeLessThan(2 * MIB);
    // One more machine would take at least 60 MiB.
    expect(resident - before.resident).toBeLessThan(32 * MIB);
  }).toPass({ timeout: 60_000 });
});

test('a running machine can be restarted', async ({ page, visitor }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  await visitor.command('touch /mine');
  await visitor.button('Restart').click();
  // What somebody typed into is kept.
  await expect(page.getByRole('dialog')).toContainText('Its files are kept');
  await visitor.button('Restart it').click();
  // The new terminal is there at once, without the old one's text.
  expect(await visitor.screenText()).not.toContain('touch');
  await visitor.expectPrompt();
  await visitor.command('ls /mine');
  await visitor.expectScreen(/^\/mine$/m);
});

// One of 64M is among the problems.
test('a machine with 4 CPUs and 2G runs', async ({ visitor }) => {
  await visitor.runLink({ image: BUSYBOX, cpus: '4', memory: '2G' });
  await visitor.expectPrompt();
  await visitor.type('grep -c ^processor /proc/cpuinfo; grep MemTotal /proc/meminfo');
  await visitor.expectScreen(/^4\s+MemTotal:\s+(19|20)\d{5} kB/m);
  await visitor.type('exit');
  await visitor.expectExit(0);
});

/** Collects the texts of the state on the running screen. */
async function watchStates(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const states: string[] = [];
    new MutationObserver(() => {
      const text = document.querySelector('.session-bar [role=status]')?.textContent;
      if (text && text !== states.at(-1)) states.push(text);
    }).observe(document, { subtree: true, childList: true, characterData: true });
    Object.assign(globalThis, { states });
  });
  return () => page.evaluate(() => (globalThis as unknown as { states: string[] }).states);
}

test('"Running" is shown only when the program runs', async ({ page, visitor }) => {
  const states = await watchStates(page);
  await visitor.runLink({ image: BUSYBOX, entrypoint: 'sleep', args: '1000' });
  await expect(visitor.state).toHaveText('Running');
  await expect(page.getByText('has not written anything yet')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Progress' })).toHaveCount(0);
  // The image is stored now, so that the kernel's boot takes longer than the image.
  await page.evaluate(() => performance.clearMarks());
  await visitor.button('Restart').click();
  await visitor.button('Restart it').click();
  await page.waitForFunction(() => performance.getEntriesByName('linuxrun:started').length > 0);
  const [booted, started] = await page.evaluate(() =>
    ['linuxrun:booted', 'linuxrun:started'].map((name) => performance.getEntriesByName(name)[0]?.startTime),
  );
  expect(started).toBeGreaterThan(booted ?? Number.NaN);
  await expect(page.getByRole('textbox', { name: 'Terminal input' })).toBeFocused();
  await page.keyboard.type('typed early');
  await visitor.expectScreen(/^typed early$/);
  expect(await states()).toEqual(['Starting', 'Running', 'Starting', 'Running']);
});

test('a program that the image lacks is named', async ({ page, visitor }) => {
  const states = await watchStates(page);
  await visitor.runLink({ image: HELLO_WORLD, entrypoint: '/no/such/program' });
  await expect(visitor.state).toHaveText('Failed with status 127');
  expect(await states()).toEqual(['Starting', 'Failed with status 127']);
  await expect(page.getByText(/^Started in/)).toHaveCount(0);
  await visitor.expectProblem(/program cannot start/, /no\/such\/program/, /entrypoint/);
  await visitor.button('Change the options').click();
  await expect(visitor.field('Entrypoint')).toHaveValue('/no/such/program');
  await expect(visitor.field('Entrypoint')).toBeFocused();
});

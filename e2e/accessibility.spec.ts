import type { TestLayer } from '../src/oci/testing/image.ts';
import { expect, test } from './fixtures.ts';
import {
  expectAccessibleInAllColours,
  expectNoShifts,
  expectNoSidewaysScrolling,
  expectStateIsFree,
  tabTo,
  watchShifts,
} from './support/care.ts';
import { Gate } from './support/faults.ts';
import { heavyBusybox } from './support/images.ts';
import { BUSYBOX } from './support/visitor.ts';

/** The narrowest phones in use. */
const PHONE = { width: 360, height: 640 };

test.describe('in all colours', () => {
  test.use({ expectedErrors: /Failed to load resource/ });

  test('axe finds nothing wrong in any state of the page', async ({ page, visitor, registry }) => {
    await test.step('the picker', async () => {
      await visitor.open({ image: BUSYBOX, env: 'A=1', memory: 'plenty' });
      await expect(visitor.field('Memory')).toHaveAttribute('aria-invalid', 'true');
      await expectAccessibleInAllColours(page);
    });
    await test.step('sharing', async () => {
      await visitor.button('Share').click();
      await expect(page.getByRole('dialog', { name: 'Share a link' })).toBeVisible();
      await expectAccessibleInAllColours(page);
      await page.keyboard.press('Escape');
    });
    await test.step('storage', async () => {
      await visitor.button('Storage').click();
      await expect(page.getByRole('dialog')).toBeVisible();
      await expectAccessibleInAllColours(page);
    });
    await test.step('pulling', async () => {
      const image = heavyBusybox(4 << 20);
      registry.add('team/heavy:1', image);
      const [, weight] = image.layers;
      if (!weight) throw new Error('no second layer');
      const gate = new Gate(registry, weight);
      await visitor.runLink({ image: `${registry.host}/team/heavy:1` });
      await visitor.expectLayers(/verified/, / of /);
      await expectAccessibleInAllColours(page);
      gate.open();
    });
    await test.step('running', async () => {
      await visitor.expectPrompt();
      await visitor.type('ls --color=always /');
      await visitor.expectScreen(/weight/);
      await visitor.button('New terminal').click();
      await expect(page.getByRole('tab')).toHaveCount(2);
      await expectAccessibleInAllColours(page);
    });
    await test.step('the network', async () => {
      await visitor.button('ready').click();
      await expect(page.getByRole('region', { name: 'The network' })).toBeVisible();
      await expectAccessibleInAllColours(page);
      await page.keyboard.press('Escape');
    });
    await test.step('finding', async () => {
      await visitor.button('Find').click();
      await page.getByLabel('Find in the terminal').fill('no such text');
      await expect(page.getByRole('search').getByRole('status')).toHaveText('Not found');
      await expectAccessibleInAllColours(page);
      await page.keyboard.press('Escape');
    });
    await test.step('the keys', async () => {
      await visitor.button('Keys').click();
      await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
      await expectAccessibleInAllColours(page);
      await page.keyboard.press('Escape');
    });
    await test.step('files', async () => {
      await visitor.button('Files').click();
      await expect(page.getByRole('treeitem').first()).toBeFocused();
      await expectAccessibleInAllColours(page);
    });
    await test.step('a problem', async () => {
      await visitor.runLink({ image: `${registry.host}/team/none:1` });
      await expect(visitor.problem).toBeVisible();
      await expectAccessibleInAllColours(page);
    });
  });
});

test('everything works by keyboard', async ({ page, visitor }) => {
  await visitor.open();
  const press = (key: string) => page.keyboard.press(key);
  const reach = (name: string | RegExp) => tabTo(page.getByRole('button', { name }).first());
  await reach(/^Hello World/);
  await press('Enter');
  await visitor.image.focus();
  await press('Enter');
  await visitor.expectExit(0);
  await reach('Run another');
  await press('Enter');
  await expect(visitor.image).toBeVisible();
  await reach(/^BusyBox/);
  await press('Space');
  await visitor.image.press('Enter');
  await visitor.expectPrompt();
  // The focused terminal takes even Tab.
  await page.keyboard.type('echo typed\n');
  await visitor.expectScreen(/^typed$/m);
  await press('Control+F6');
  await reach(/^Tell screen readers/);
  await expect(page.locator('.xterm-accessibility')).toHaveCount(0);
  await press('Enter');
  await expect(page.locator('.xterm-accessibility')).toContainText('typed');
  await press('Enter');
  await press('Tab');
  await press('Control+F6');
  await reach('New terminal');
  await press('Enter');
  await visitor.expectPrompt();
  await page.keyboard.type('exit\n');
  await expect(page.getByRole('tab')).toHaveCount(1);
  await page.keyboard.type('exit 3\n');
  await visitor.expectExit(3);
});

test('colours follow the system, or the visitor’s choice', async ({ page, visitor }) => {
  const brightness = () =>
    page.locator('body').evaluate((element) => {
      const [red = 0, green = 0, blue = 0] = getComputedStyle(element).backgroundColor.match(/[\d.]+/g) ?? [];
      return (Number(red) + Number(green) + Number(blue)) / 3;
    });
  await page.emulateMedia({ colorScheme: 'dark' });
  await visitor.open();
  expect(await brightness()).toBeLessThan(64);
  await visitor.button('Colours: as the system').click();
  await visitor.button('Colours: light').waitFor();
  expect(await brightness()).toBeGreaterThan(192);
  await page.reload();
  await visitor.button('Colours: light').click();
  await page.emulateMedia({ colorScheme: 'light' });
  await visitor.button('Colours: dark').waitFor();
  expect(await brightness()).toBeLessThan(64);
});

test('nothing is wider than the screen of a phone', async ({ page, visitor }) => {
  await page.setViewportSize(PHONE);
  await visitor.open({ image: BUSYBOX, env: 'NAME=value', cpus: '2' });
  await expect(visitor.field('CPUs')).toBeVisible();
  await expectNoSidewaysScrolling(page);
  await visitor.button('Share').click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectNoSidewaysScrolling(page);
  await page.keyboard.press('Escape');
  await visitor.button('Storage').click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectNoSidewaysScrolling(page);
  await page.keyboard.press('Escape');
  await visitor.run();
  await visitor.expectPrompt();
  await expectNoSidewaysScrolling(page);
  await visitor.type('stty size');
  await visitor.expectScreen(/^\d+ [345]\d$/m);
});

test('nothing moves, and with forced colours the cursor, inverse text and the active tab are seen', async ({
  page,
  visitor,
}) => {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  await watchShifts(page);
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  await expectNoShifts(page);
  await visitor.command("printf '\\033[7minverse\\033[0m\\n'");
  const backgroundOf = (element: Element) => getComputedStyle(element).backgroundColor;
  const screen = await page.locator('.xterm-viewport').evaluate(backgroundOf);
  const inverse = page.locator('.xterm-rows span').filter({ hasText: /^inverse$/ });
  expect(await inverse.evaluate(backgroundOf)).not.toBe(screen);
  expect(await page.locator('.xterm-cursor').evaluate(backgroundOf)).not.toBe(screen);
  await visitor.button('New terminal').click();
  const outlineOf = (element: Element) => getComputedStyle(element).outlineStyle;
  const tabs = page.getByRole('tab');
  await expect(tabs).toHaveCount(2);
  await expect.poll(() => tabs.nth(1).evaluate(outlineOf)).toBe('solid');
  expect(await tabs.nth(0).evaluate(outlineOf)).toBe('none');
});

test('nothing moves on the page of somebody who wants less motion', async ({ page, visitor, registry }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const image = heavyBusybox(4 << 20);
  registry.add('team/heavy:1', image);
  const gate = new Gate(registry, image.layers[1] as TestLayer);
  await visitor.runLink({ image: `${registry.host}/team/heavy:1` });
  await visitor.expectLayers(/verified/, / of /);
  const moving = () =>
    page.evaluate(() =>
      document.getAnimations().flatMap(({ effect }) => {
        const { iterations, activeDuration } = effect?.getComputedTiming() ?? {};
        return iterations === Number.POSITIVE_INFINITY ? [activeDuration] : [];
      }),
    );
  expect(await moving()).toEqual([]);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  expect(await moving()).not.toEqual([]);
  gate.open();
});

test('a long name leaves the state and the buttons of a session their room', async ({
  page,
  visitor,
  registry,
}) => {
  const name = 'team/an-image-whose-name-is-rather-long:with-a-long-tag-0123456789';
  registry.add(name, heavyBusybox(1000));
  await visitor.runLink({ image: `${registry.host}/${name}` });
  await visitor.expectPrompt();
  for (const width of [360, 500, 620, 700, 800, 1000, 1280]) {
    await page.setViewportSize({ width, height: 640 });
    await expectStateIsFree(visitor, `at ${width} pixels`);
    const rows = await page
      .locator('.session-actions > button:visible')
      .evaluateAll((all) => new Set(all.map((each) => each.getBoundingClientRect().top)).size);
    expect(rows, `at ${width} pixels`).toBe(1);
    await expectNoSidewaysScrolling(page);
  }
});

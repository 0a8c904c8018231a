/** Browsers whose settings block site data: the page can store nothing, by any of the browser's means. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, firefox, type Page } from '@playwright/test';
import { CHROMIUM, FIREFOX } from './browser.ts';
import { expect, test } from './fixtures.ts';
import { packBusybox } from './support/archives.ts';
import { forgetWorkers } from './support/firefox.ts';
import { HELLO, HELLO_WORLD, linkTo, Visitor } from './support/visitor.ts';

let profile: string;
let context: BrowserContext | undefined;
test.beforeEach(async () => {
  profile = await mkdtemp(join(tmpdir(), 'linuxrun-blocked-'));
});
test.afterEach(async () => {
  await context?.close();
  await rm(profile, { recursive: true, force: true });
});

/** Starts a browser with the setting that blocks all site data. */
async function openBlocked(name: string): Promise<BrowserContext> {
  const options = { serviceWorkers: 'block', viewport: { width: 1000, height: 640 } } as const;
  if (name === 'firefox') {
    const blocking = { 'network.cookie.cookieBehavior': 2 };
    const started = { ...options, ...FIREFOX, firefoxUserPrefs: blocking };
    const context = await firefox.launchPersistentContext(profile, started);
    await forgetWorkers(context);
    return context;
  }
  const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
  await mkdir(join(profile, 'Default'));
  await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(blocked));
  return chromium.launchPersistentContext(profile, { ...options, ...CHROMIUM });
}

/** The name of the error with which the page's storage answers. */
const refusal = (page: Page) =>
  page.evaluate(() => {
    try {
      return `none: ${localStorage.length}`;
    } catch (error) {
      return (error as Error).name;
    }
  });

test('demo images and local ones run, and the page says that nothing is kept', { tag: '@firefox' }, async ({
  browserName,
  serverUrl,
}) => {
  context = await openBlocked(browserName);
  const page = await context.newPage();
  const visitor = new Visitor(page);
  await page.goto(serverUrl + linkTo({ image: HELLO_WORLD }));
  expect(await refusal(page)).toBe('SecurityError');
  await expect(page.getByText('This browser keeps nothing of this page')).toBeVisible();
  await visitor.run();
  await visitor.expectScreen(HELLO);
  await visitor.expectExit(0);

  await visitor.button('Run another').click();
  const picking = page.waitForEvent('filechooser');
  await visitor.button('Open a file').click();
  await (await picking).setFiles(packBusybox(profile));
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.type('echo $((6 * 7))');
  await visitor.expectScreen(/^42$/m);
  await visitor.button('Not kept').click();
  await expect(
    page.getByText(/this browser keeps nothing of this page: allow it to store data/),
  ).toBeVisible();
  await page.keyboard.press('Escape');
  await visitor.endAndRunAnother();
  await visitor.button('Storage').click();
  const dialog = page.getByRole('dialog', { name: 'Storage' });
  await expect(dialog).toContainText('This browser keeps nothing of this page');
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  await page.keyboard.press('Escape');

  await visitor.button(/^Shell script/).click();
  await visitor.expectScreen(/^\/project #$/m);
  await expect(page.locator('.cm-content')).toContainText('#!/bin/sh');
});

/** Tests the workbench: editor, panes, search and monitor beside the terminals. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { textsOfZip } from './support/archives.ts';
import { expectAccessible, expectNoSidewaysScrolling, expectStateIsFree } from './support/care.ts';
import { downloadBlob } from './support/downloads.ts';
import { BUSYBOX, type Visitor } from './support/visitor.ts';

// Previews have a service worker, and browsers ask for an icon that their server does not have.
test.use({ serviceWorkers: 'allow', expectedErrors: /Failed to load resource/ });

const PHONE = { width: 360, height: 640 };
const WIDE = { width: 1280, height: 720 };

function row({ page }: Visitor, name: string): Locator {
  return page
    .getByRole('treeitem')
    .filter({ has: page.locator('.tree-name').getByText(name, { exact: true }) });
}

const tab = ({ page }: Visitor, name: string | RegExp) =>
  page.getByRole('tablist', { name: 'Open files' }).getByRole('tab', { name });

/** The text of the visible file. */
const code = ({ page }: Visitor) => page.locator('.editor-panel:not([hidden]) .cm-content');

/** Runs a script in BusyBox, and opens the tree of its files. */
async function openFiles(visitor: Visitor, script: string): Promise<void> {
  await visitor.runLink({ image: BUSYBOX, entrypoint: 'sh', args: `-c "${script}; exec sh"` });
  await visitor.expectPrompt();
  await visitor.button('Files').click();
  await expect(row(visitor, '/')).toBeFocused();
}

/** Replaces the text of the visible file. */
async function rewrite(visitor: Visitor, text: string): Promise<void> {
  await code(visitor).focus();
  await visitor.page.keyboard.press('Control+a');
  await visitor.page.keyboard.insertText(text);
}

/** Reloads the page as soon as the session can be saved on the way out. */
async function reload(page: Page): Promise<void> {
  page.on('dialog', (dialog) => dialog.dismiss());
  await page.evaluate(() => Object.assign(globalThis, { isOld: true }));
  await expect(async () => {
    await page.reload({ timeout: 5000 }).catch(() => {});
    expect(await page.evaluate(() => 'isOld' in globalThis)).toBe(false);
  }).toPass();
}

test('a starter is edited, seen in its preview, searched, and there again after a reload', async ({
  page,
  visitor,
}) => {
  test.slow();
  await page.setViewportSize(WIDE);
  const heading = (text: string) =>
    expect(page.frameLocator('.preview-frame').getByRole('heading')).toHaveText(text);

  await test.step('one click shows its files, its terminal and its preview', async () => {
    await visitor.open();
    await expectAccessible(page);
    await visitor.button(/^Static site/).click();
    await visitor.expectScreen(/^\/project #$/m);
    await visitor.expectScreen(/^Save a change, then/m);
    await expect(code(visitor)).toContainText('<h1>Hello from this tab</h1>');
    await heading('Hello from this tab');
    await expect(row(visitor, 'index.html')).toHaveAttribute('aria-selected', 'true');
    await expect(visitor.button('Kept')).toBeVisible();
    await expect(page.locator('.xterm-helper-textarea:visible')).toBeFocused();
  });

  await test.step('the editor has the colours of its language', async () => {
    await expect(code(visitor).locator('span').filter({ hasText: /^h1$/ }).first()).toBeVisible();
  });

  await test.step('a saved change is in the container and in the preview', async () => {
    await rewrite(visitor, '<h1>After</h1>\n<!-- made here -->\n<p class="a">1</p>\n');
    await expect(tab(visitor, 'index.html not saved')).toBeVisible();
    await page.keyboard.press('Control+s');
    await expect(tab(visitor, /^index.html$/)).toBeVisible();
    await visitor.type('clear; cat site/index.html; stat -c %a-%u site/index.html start.sh');
    await visitor.expectScreen(/^<h1>After<\/h1>\n<!-- made here -->\n.*\n644-0\n755-0$/m);
    await page.getByRole('button', { name: 'Reload', exact: true }).click();
    await heading('After');
  });

  await test.step('a text is found, and opened at its line', async () => {
    await row(visitor, 'project').focus();
    await page.keyboard.press('Control+f');
    await page.getByLabel('Find in /project').fill('MAX-WIDTH');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('search')).toContainText('1 place in 1 file');
    await page.getByRole('button', { name: /style.css.*line 3.*max-width: 32rem/ }).click();
    await expect(tab(visitor, 'style.css')).toHaveAttribute('aria-selected', 'true');
    await expect(page.locator('.editor-panel:not([hidden]) .cm-activeLine')).toContainText('max-width');
    await page.keyboard.insertText('min-width');
    await expect(tab(visitor, 'style.css not saved')).toBeVisible();
    await visitor.button('Find in the files').click();
  });

  const terminals = page.locator('.terminal-pane:visible');
  await test.step('a split shows two terminals, and a separator moves by keys', async () => {
    await visitor.button('Split').click();
    await expect(terminals).toHaveCount(2);
    await expect(terminals.nth(1).locator('.xterm-rows')).toContainText('/project #');
    await page.keyboard.type('echo right; cd site\n');
    await expect(terminals.nth(1).locator('.xterm-rows')).toContainText('/project/site #');
    const separator = page.getByRole('separator', { name: 'Width of the files' });
    const width = () => page.locator('.files').evaluate((element) => element.clientWidth);
    const before = await width();
    await separator.focus();
    for (let presses = 0; presses < 3; presses++) await page.keyboard.press('ArrowRight');
    expect(await width()).toBeGreaterThan(before + 50);
    await expect(separator).toHaveAttribute('aria-valuenow', '32');
    await tab(visitor, 'index.html').click();
    for (const colorScheme of ['dark', 'light'] as const) {
      // Without motion, so that no colour is between the two.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await expectAccessible(page);
    }
    await tab(visitor, /^style/).click();
  });

  await test.step('a reload shows everything as it was', async () => {
    await reload(page);
    await expect(visitor.state).toHaveText('Running');
    await expect(tab(visitor, 'style.css not saved')).toHaveAttribute('aria-selected', 'true');
    await expect(code(visitor)).toContainText('min-width: 32rem');
    await expect(tab(visitor, /^index.html$/)).toBeVisible();
    await expect(page.getByRole('separator', { name: 'Width of the files' })).toHaveAttribute(
      'aria-valuenow',
      '32',
    );
    await expect(terminals).toHaveCount(2);
    await expect(terminals.nth(1).locator('.xterm-rows')).toContainText('/project/site #');
    await expect(row(visitor, 'start.sh')).toBeVisible();
    await heading('After');
    await code(visitor).focus();
    await page.keyboard.press('Control+s');
    await expect(tab(visitor, /^style.css$/)).toBeVisible();
  });

  await test.step('Share has the settings of the container, not those of the form', async () => {
    await visitor.allowClipboard();
    await visitor.button('Share').click();
    await expect(visitor.button('Link copied')).toBeVisible();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(/\?LINUXRUN_IMAGE=oci:.*ENTRYPOINT=sh%20start\.sh.*PORTS=8080:8080$/);
  });

  await test.step('a phone has room for its state beside seven buttons, and for one pane', async () => {
    await page.setViewportSize(PHONE);
    await expectStateIsFree(visitor, 'on a phone');
    await expect(row(visitor, 'start.sh')).toHaveCount(0);
    const panes = page.getByRole('group', { name: 'Panes' });
    await panes.getByRole('button', { name: 'Terminal' }).click();
    await page.setViewportSize(WIDE);
    await expect(row(visitor, 'start.sh')).toBeVisible();
    await heading('After');
  });
});

test('a starter is edited, run and downloaded', { tag: '@firefox' }, async ({
  page,
  browserName,
  visitor,
}) => {
  test.skip(browserName === 'chromium', 'other tests do this there');
  await visitor.open();
  await visitor.button(/^Shell script/).click();
  await visitor.expectScreen(/^\/project #$/m);
  await expect(code(visitor)).toContainText('#!/bin/sh');
  await code(visitor).focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('echo from the editor\n');
  await expect(tab(visitor, 'count.sh not saved')).toBeVisible();
  await page.keyboard.press('Control+s');
  await expect(tab(visitor, /^count.sh$/)).toBeVisible();
  await visitor.type('clear; ./count.sh');
  await visitor.expectScreen(/^from the editor$/m);
  await visitor.figure('CPU').getByRole('button').click();
  await expect(page.getByRole('region', { name: 'Monitor' }).getByRole('row').nth(1)).toContainText('sh');
  await page.keyboard.press('Escape');

  await visitor.button('Kept').click();
  const texts = await textsOfZip(await downloadBlob(page, () => visitor.button('Download project').click()));
  expect(texts['shell-script/count.sh']).toContain('echo from the editor');
  expect(JSON.parse(texts['shell-script/linuxrun.json'] ?? '')).toMatchObject({
    linuxrun: 1,
    open: ['count.sh'],
  });
});

test('changes from inside are followed, and never lose unsaved text', async ({ page, visitor }) => {
  await openFiles(visitor, 'mkdir /w; cd /w; echo one > a; chmod 640 a; chown 7:8 a; ln -s a link; cd /');
  await page.keyboard.type('w');
  await page.keyboard.press('ArrowRight');
  await row(visitor, 'link').dblclick();
  await expect(code(visitor)).toHaveText('one');
  const type = async (command: string) => {
    await visitor.type(`clear; ${command}`);
  };
  await type('echo two > /w/a');
  // The watch of a link's folder sees the link only, and coming back to a file looks again.
  await row(visitor, 'a').dblclick();
  await expect(code(visitor)).toHaveText('two');
  await type('echo three > /w/a');
  await expect(code(visitor)).toHaveText('three');

  await rewrite(visitor, 'mine\n');
  await type('echo theirs > /w/a.new; mv /w/a.new /w/a');
  const conflict = page.getByRole('alert').filter({ hasText: 'The container has changed this file' });
  await expect(conflict).toBeVisible();
  await expectAccessible(page);
  await conflict.getByRole('button', { name: 'Compare' }).click();
  const comparison = page.getByRole('dialog', { name: 'Compare a' });
  await expect(comparison).toContainText('theirs');
  await expect(comparison).toContainText('mine');
  await expectAccessible(page);
  await comparison.getByRole('button', { name: 'Keep mine' }).click();
  await expect(conflict).toHaveCount(0);
  await expect(code(visitor)).toBeFocused();
  await page.keyboard.press('Control+s');
  await expect(tab(visitor, /^a$/)).toBeVisible();
  await type('cat /w/a; chmod 640 /w/a; chown 7:8 /w/a');
  await visitor.expectScreen(/^mine$/m);

  // A save through the link keeps the link, and mode and owner of the file.
  await tab(visitor, 'link').click();
  await expect(code(visitor)).toHaveText('mine');
  await rewrite(visitor, 'through the link\n');
  await page.keyboard.press('Control+s');
  await expect(tab(visitor, /^link$/)).toBeVisible();
  await type('cat /w/a; stat -c %F:%a:%u:%g /w/link /w/a');
  await visitor.expectScreen(/^through the link\nsymbolic link:777:0:0\nregular file:640:7:8$/m);

  await rewrite(visitor, 'not saved\n');
  await visitor.button('Close link').click();
  const question = page.getByRole('dialog', { name: 'Save link?' });
  await question.getByRole('button', { name: 'Close without saving' }).click();
  await expect(tab(visitor, 'link')).toHaveCount(0);
  await visitor.button('Close a').click();
  await expect(page.getByRole('region', { name: 'Editor' })).toHaveCount(0);
});

test('files are made, moved by drag and by name, and bytes are not opened', async ({ page, visitor }) => {
  await openFiles(visitor, 'mkdir -p /w/in; head -c 99 /dev/urandom > /w/bytes');
  await page.keyboard.type('w');
  await page.keyboard.press('ArrowRight');
  await visitor.button('New file').click();
  await page.keyboard.type('older.py');
  await page.keyboard.press('Enter');
  await expect(code(visitor)).toBeFocused();
  await row(visitor, 'older.py').click();
  await page.keyboard.press('F2');
  await page.keyboard.type('new.py');
  await page.keyboard.press('Enter');
  await row(visitor, 'new.py').press('Enter');
  await expect(code(visitor)).toBeFocused();
  await page.keyboard.type('print(1)');
  await page.keyboard.press('Control+s');
  await expect(tab(visitor, /^new.py$/)).toBeVisible();
  await row(visitor, 'new.py').dragTo(row(visitor, 'in'));
  await expect(row(visitor, 'new.py')).toHaveAttribute('aria-level', '4');
  await expect(tab(visitor, 'new.py')).toHaveAttribute('title', '/w/in/new.py');
  await row(visitor, 'new.py').click();
  await visitor.button('Move').click();
  await visitor.field('To the folder').fill('/w');
  await page.keyboard.press('Enter');
  await expect(row(visitor, 'new.py')).toHaveAttribute('aria-level', '3');
  // A drag to the desktop carries an address, which the browser downloads.
  await row(visitor, 'new.py').dispatchEvent('pointerdown');
  const carried = () =>
    row(visitor, 'new.py').evaluate((element) => {
      const dataTransfer = new DataTransfer();
      element.dispatchEvent(new DragEvent('dragstart', { bubbles: true, dataTransfer }));
      return dataTransfer.getData('DownloadURL');
    });
  await expect.poll(carried).toMatch(/^application\/octet-stream:new\.py:blob:/);
  const downloading = page.waitForEvent('download');
  const [, address = ''] = /new\.py:(blob:.*)$/.exec(await carried()) ?? [];
  await page.evaluate(
    (href) => Object.assign(document.createElement('a'), { href, download: 'x' }).click(),
    address,
  );
  expect(await readFile(await (await downloading).path(), 'utf8')).toBe('print(1)');
  await row(visitor, 'bytes').dblclick();
  await expect(page.getByRole('alert').filter({ hasText: 'This file is no text' })).toBeVisible();
  await visitor.type('clear; cat /w/new.py; ls /w | xargs');
  await visitor.expectScreen(/^print\(1\).*bytes in new.py$/m);
});

test('the monitor shows what the machine uses, and ends a process', async ({ page, visitor }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  await visitor.type('sleep 4321 &');
  await visitor.figure('CPU').getByRole('button').click();
  const monitor = page.getByRole('region', { name: 'Monitor' });
  const sleeping = monitor.getByRole('row').filter({ hasText: 'sleep 4321' });
  await expect(sleeping).toBeVisible();
  await expect(monitor.getByRole('figure').filter({ hasText: 'Memory' })).toContainText(/[1-9].* of /);
  await expect.poll(() => monitor.locator('polyline').first().getAttribute('points')).toMatch(/ \d+,\d/);
  await expectAccessible(page);
  await sleeping.getByRole('button', { name: /^End process/ }).click();
  await expect(sleeping).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(monitor).toBeHidden();
  await visitor.type('');
  await visitor.expectScreen(/Terminated\s+sleep 4321/);
});

test.describe('on a small screen', () => {
  test.use({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });

  test('one pane is seen at a time, and a switch chooses it', async ({ page, visitor }) => {
    await openFiles(visitor, 'echo text > /srv.txt');
    const panes = page.getByRole('group', { name: 'Panes' });
    await expect(panes).toHaveCount(0);
    await row(visitor, 'srv.txt').tap();
    await visitor.button('Edit').tap();
    await expect(code(visitor)).toHaveText('text');
    await expect(page.getByRole('tree')).toHaveCount(0);
    await expectNoSidewaysScrolling(page);
    await expectAccessible(page);
    for (const target of await page.locator('.editor button, .pane-switch button').all()) {
      const { width = 0, height = 0 } = (await target.boundingBox()) ?? {};
      expect(Math.min(width, height), await target.innerHTML()).toBeGreaterThanOrEqual(44);
    }
    await panes.getByRole('button', { name: 'Terminal' }).tap();
    await expect(code(visitor)).toBeHidden();
    await visitor.command('echo hello');
    await panes.getByRole('button', { name: 'Files' }).tap();
    await expect(row(visitor, 'srv.txt')).toBeVisible();
    await panes.getByRole('button', { name: 'Editor' }).tap();
    await expect(code(visitor)).toBeVisible();
  });
});

/** Tests shared folders of the page: folders of the browser, and a picked one. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { textsOfZip } from './support/archives.ts';
import { expectAccessible } from './support/care.ts';
import { downloadBlob } from './support/downloads.ts';

/** A folder of the computer, by the names of its files. */
const NOTES = { 'note.txt': 'of the computer\n', 'deep/other.txt': 'deep\n' };

/** Chooses the folder `Notes` in the browser's dialog. */
async function chooseNotes(page: Page, open: () => Promise<void>): Promise<void> {
  const folder = test.info().outputPath('Notes');
  await mkdir(join(folder, 'deep'), { recursive: true });
  for (const [name, text] of Object.entries(NOTES)) await writeFile(join(folder, name), text);
  const choosing = page.waitForEvent('filechooser');
  await open();
  await (await choosing).setFiles(folder);
}

/** Firefox has no command to choose a folder, so that the page gets its files as a dialog gives them. */
async function giveNotes(page: Page): Promise<void> {
  await page.getByLabel('Folder to copy').evaluate((input: HTMLInputElement, notes) => {
    const files = Object.entries(notes).map(([name, text]) =>
      Object.defineProperty(new File([text], name.split('/').at(-1) ?? ''), 'webkitRelativePath', {
        value: `Notes/${name}`,
      }),
    );
    Object.defineProperty(input, 'files', { value: files, configurable: true });
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }, NOTES);
}

test('without a picker, a folder is copied into the browser, changed, and downloaded', {
  tag: '@firefox',
}, async ({ page, browserName, visitor }) => {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'showDirectoryPicker'));
  await visitor.open();
  await visitor.openOptions();
  const copy = visitor.button('Copy a folder of this computer');
  if (browserName === 'chromium') await chooseNotes(page, () => copy.click());
  else await giveNotes(page);
  await expect(page.getByLabel('Notes is at')).toHaveValue('/work');
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.command('(cd /work; echo changed >> note.txt; mkdir new; echo n > new/f; sync)');
  await visitor.endAndRunAnother();
  const zip = await downloadBlob(page, () => visitor.button('Download Notes as a zip file').click());
  expect(await textsOfZip(zip)).toEqual({
    'Notes/note.txt': 'of the computer\nchanged\n',
    'Notes/deep/other.txt': 'deep\n',
    'Notes/new/f': 'n\n',
  });
});

test('containers share folders of the browser and of the computer', async ({ page, visitor }) => {
  // A folder of the origin stands for one of the computer, because the browser's own dialog cannot be driven.
  await page.addInitScript(() => {
    const asked: string[] = [];
    const showDirectoryPicker = async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle('Notes', { create: true });
      const file = await folder.getFileHandle('note.txt', { create: true });
      const writable = await file.createWritable();
      await writable.write('of the computer\n');
      await writable.close();
      return folder;
    };
    const requestPermission = async ({ mode }: { mode: string }) => {
      asked.push(mode);
      return 'granted';
    };
    Object.assign(globalThis, { showDirectoryPicker, asked });
    Object.assign(FileSystemHandle.prototype, { requestPermission });
  });
  await visitor.open();
  await visitor.openOptions();
  await page.getByLabel('New folder of this browser').fill('data');
  await visitor.button('Add').click();
  await expect(page.getByLabel('data is at')).toHaveValue('/work');
  await visitor.button('Open a folder of this computer').click();
  await expect(page.getByLabel('Notes is at')).toHaveValue('/work2');
  await expectAccessible(page);
  await page.getByLabel('Notes is at').fill('/work');
  await expect(page.getByText('two folders have the same place')).toBeVisible();
  await expect(visitor.button('Run')).toBeDisabled();
  await page.getByLabel('Notes is at').fill('/pc');
  await expect(page.getByText('with the folder Notes at /pc to read only')).toBeVisible();
  expect(page.url()).not.toContain('pc');
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.command(
    'cat /pc/note.txt; touch /pc/x; ln -s /pc/note.txt /work/link; echo kept > /work/f; sync',
  );
  await visitor.expectScreen(/of the computer\s+touch: \/pc\/x: Read-only file system/);
  await visitor.endAndRunAnother();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download data as a zip file' }).click();
  expect((await download).suggestedFilename()).toBe('data.zip');
  // Names are not compressed in zip files.
  const zip = readFileSync(await (await download).path()).toString('latin1');
  for (const name of ['data/f', 'data/link']) expect(zip).toContain(name);
  await page.getByRole('button', { name: 'Delete data', exact: true }).click();
  await visitor.button('Delete data for good').click();
  await expect(page.getByLabel('data is at')).toHaveCount(0);
  await page.reload();
  await visitor.openOptions();
  await visitor.button('Open Notes again').click();
  await expect(page.getByLabel('Notes is at')).toHaveValue('/work');
  await page.getByLabel('Containers may change it').check();
  expect(await page.evaluate(() => (globalThis as { asked?: string[] }).asked)).toEqual([
    'read',
    'readwrite',
  ]);
});

import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobReader, TextWriter, ZipReader } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { expect, test } from './fixtures.ts';
import { expectAccessible } from './support/care.ts';
import { BUSYBOX, type Visitor } from './support/visitor.ts';

const pattern = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));

let folder: string;
test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-files-'));
});
test.afterEach(() => rm(folder, { recursive: true }));

async function openFiles(visitor: Visitor, script: string): Promise<void> {
  await visitor.runLink({ image: BUSYBOX, entrypoint: 'sh', args: `-c "${script}; exec sh"` });
  await visitor.expectPrompt();
  await visitor.button('Files').click();
  await expect(row(visitor, '/')).toBeFocused();
}

/** A row of the tree, by its whole name. */
function row({ page }: Visitor, name: string) {
  return page
    .getByRole('treeitem')
    .filter({ has: page.locator('.tree-name').getByText(name, { exact: true }) });
}

function job({ page }: Visitor, text: string | RegExp) {
  return page.getByLabel('Transfers').getByRole('status').filter({ hasText: text });
}

test('the tree is walked by keys, and files are downloaded by their names', async ({ page, visitor }) => {
  await openFiles(visitor, 'mkdir -p /srv/web; echo hello > /srv/web/index.html');
  await page.keyboard.type('sr');
  await expect(row(visitor, 'srv')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(row(visitor, 'srv')).toHaveAttribute('aria-expanded', 'true');
  await expect(row(visitor, 'web')).toHaveAttribute('aria-level', '3');
  await page.keyboard.press('ArrowRight');
  await expect(row(visitor, 'web')).toBeFocused();
  // Faster than the listing: what is selected then disappears, but not the place.
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(row(visitor, 'index.html')).toBeVisible();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.type('index');
  await expect(row(visitor, 'index.html')).toBeFocused();
  await expect(page.getByLabel('Selected')).toContainText('/srv/web/index.html');
  await expect(page.getByLabel('Selected')).toContainText('6 B, rw-r--r--, user 0, group 0');
  const downloading = page.waitForEvent('download');
  await page.keyboard.press('Shift+Enter');
  expect((await downloading).suggestedFilename()).toBe('index.html');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(row(visitor, 'index.html')).toHaveCount(0);
  await page.keyboard.press('Home');

  // Its content is text, which browsers would name passwd.txt.
  await page.keyboard.type('etc');
  await page.keyboard.press('Enter');
  await row(visitor, 'passwd').click();
  const passwd = page.waitForEvent('download');
  await visitor.button('Download').click();
  expect((await passwd).suggestedFilename()).toBe('passwd');
  expect(await readFile(await (await passwd).path(), 'utf8')).toMatch(/^root:/);
  await expect(job(visitor, 'Downloaded passwd')).toBeVisible();

  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('tree')).toHaveCount(0);
  await expect(visitor.button('Files')).toBeFocused();
});

test('files and folders are uploaded, not replaced unasked, and come back as a zip', async ({
  page,
  visitor,
}) => {
  await mkdir(join(folder, 'app/sub'), { recursive: true });
  await writeFile(join(folder, 'app/sub/a.txt'), 'first');
  await openFiles(visitor, 'ln -s sub/a.txt /tmp/link; mkfifo /tmp/fifo');
  await row(visitor, 'tmp').click();
  await page.getByLabel('Files to upload').setInputFiles({ name: 'data.bin', mimeType: '', buffer: pattern });
  await expect(job(visitor, 'Uploaded data.bin to /tmp')).toBeVisible();
  await expect(row(visitor, 'data.bin')).toContainText('293 KB');
  await page.getByLabel('Folder to upload').setInputFiles(join(folder, 'app'));
  await expect(job(visitor, 'Uploaded a.txt to /tmp')).toBeVisible();

  // A file dropped on a folder goes into it, and what is there is kept unless the user agrees.
  await writeFile(join(folder, 'data.bin'), 'other');
  await visitor.drop(join(folder, 'data.bin'), row(visitor, 'tmp'));
  const question = page.getByRole('dialog');
  await expect(question).toContainText('data.bin is in /tmp already');
  await question.getByRole('button', { name: 'Keep' }).click();
  await visitor.drop(join(folder, 'data.bin'), row(visitor, 'app'));
  await expect(job(visitor, 'Uploaded data.bin to /tmp/app')).toBeVisible();

  await row(visitor, 'tmp').focus();
  await page.keyboard.press('Home');
  await page.keyboard.type('tmp');
  const downloading = page.waitForEvent('download');
  await visitor.button('Download as zip').click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('tmp.zip');
  await expect(job(visitor, 'Downloaded tmp.zip')).toBeVisible();
  await expect(page.getByLabel('Transfers')).toContainText('4 files; left out 1');
  const zip = new ZipReader(new BlobReader(new Blob([await readFile(await download.path())])));
  const entries = await zip.getEntries();
  expect(entries.map(({ filename }) => filename).sort()).toEqual([
    'tmp/',
    'tmp/app/',
    'tmp/app/data.bin',
    'tmp/app/sub/',
    'tmp/app/sub/a.txt',
    'tmp/data.bin',
    'tmp/link',
  ]);
  const text = entries.find(({ filename }) => filename === 'tmp/app/sub/a.txt');
  expect(!text?.directory && (await text?.getData(new TextWriter()))).toBe('first');

  await page.keyboard.press('Escape');
  await visitor.type('cat /tmp/app/sub/a.txt /tmp/app/data.bin; wc -c < /tmp/data.bin');
  await visitor.expectScreen(/^firstother300000$/m);
});

test('folders are made, renamed and deleted after a question, and a transfer is cancelled', async ({
  page,
  visitor,
}) => {
  await openFiles(visitor, 'mkdir -p /srv/old/in; echo > /srv/taken');
  await row(visitor, 'srv').click();
  await visitor.button('New folder').click();
  await visitor.field('Name').fill('taken');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('there is a file of that name already');
  await visitor.field('Name').fill('a/b');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('A name cannot contain a slash');
  await visitor.field('Name').fill('made here');
  await page.keyboard.press('Enter');
  await expect(row(visitor, 'made here')).toBeFocused();

  await page.keyboard.press('F2');
  await visitor.field('Name').fill('renamed');
  await page.keyboard.press('Enter');
  await expect(row(visitor, 'renamed')).toBeFocused();
  await expect(row(visitor, 'made here')).toHaveCount(0);

  await row(visitor, 'old').click();
  await page.keyboard.press('Delete');
  await expect(page.getByRole('dialog')).toContainText('/srv/old and all that is in it will be gone');
  await visitor.button('Keep').click();
  await page.keyboard.press('Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(job(visitor, 'Deleted old from /srv')).toBeVisible();
  await expect(row(visitor, 'old')).toHaveCount(0);
  await row(visitor, 'proc').click();
  await expect(visitor.button('Delete')).toBeDisabled();
  await page.keyboard.press('Escape');
  await visitor.type('clear; ls /srv | xargs');
  await visitor.expectScreen(/^renamed taken$/m);

  // A transfer that is cancelled leaves nothing.
  await visitor.button('Files').click();
  await row(visitor, 'tmp').click();
  // Sparse, so that it takes no space here.
  const large = join(folder, 'large');
  await writeFile(large, '');
  await truncate(large, 600 * 2 ** 20);
  await page.getByLabel('Files to upload').setInputFiles(large);
  await expect(page.getByLabel('Transfers')).toContainText(/[1-9][\d.]* MB of 600 MB/);
  await visitor.button('Cancel: Uploading large to /tmp').click();
  await expect(page.getByLabel('Transfers')).toContainText('Cancelled');
  await page.keyboard.press('Escape');
  await visitor.type('clear; ls -A /tmp | wc -l');
  await visitor.expectScreen(/^0$/m);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });

  test('the panel covers the terminal, and fingers hit everything in it', async ({ page, visitor }) => {
    await openFiles(visitor, `touch /srv-${'x'.repeat(200)}`);
    await row(visitor, 'etc').tap();
    await expect(row(visitor, 'hostname')).toBeVisible();
    const panel = page.getByRole('complementary', { name: 'Files' });
    const { width = 0, height = 0 } = (await panel.boundingBox()) ?? {};
    expect(width).toBeGreaterThan(330);
    expect(height).toBeGreaterThan(450);
    const targets = await panel.locator('button, [role="treeitem"]').all();
    expect(targets.length).toBeGreaterThan(15);
    for (const target of targets) {
      const box = await target.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
    }
    const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement);
    expect(scrollWidth).toBe(clientWidth);
    await visitor.button('Close the files').tap();
    await expect(panel).toHaveCount(0);
  });
});

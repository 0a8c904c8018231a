/** Tests images on the visitor's own disk. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from './fixtures.ts';
import { packBusybox } from './support/archives.ts';
import { PUBLIC } from './support/places.ts';
import { HELLO } from './support/visitor.ts';

const LAYOUT = join(PUBLIC, 'images');

let folder: string;
test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-local-'));
});
test.afterEach(() => rm(folder, { recursive: true, force: true }));

const archive = (kind: 'docker-archive' | 'oci-archive') => packBusybox(folder, kind);

test('picked archives run', { tag: '@firefox' }, async ({ page, visitor }) => {
  await visitor.open();
  for (const kind of ['docker-archive', 'oci-archive'] as const) {
    const picking = page.waitForEvent('filechooser');
    await visitor.button('Open a file').click();
    await (await picking).setFiles(archive(kind));
    await expect(visitor.image).toHaveValue(`file://${kind}.tar`);
    await visitor.run();
    await visitor.expectPrompt();
    await visitor.type('uname -m');
    await visitor.expectScreen(/^riscv64$/m);
    await visitor.endAndRunAnother();
  }
});

test('dropped archives run, also compressed ones', async ({ visitor }) => {
  const file = archive('oci-archive');
  for (const program of ['xz', 'bzip2']) execFileSync(program, ['-k', '-1', file]);
  await visitor.open();
  for (const ending of ['', '.xz', '.bz2']) {
    await visitor.drop(file + ending);
    await expect(visitor.image).toHaveValue(`file://oci-archive.tar${ending}`);
    await visitor.run();
    await visitor.expectPrompt();
    await visitor.endAndRunAnother();
  }
});

test('a folder with an image layout runs, dropped or picked', async ({ page, visitor }) => {
  await visitor.open();
  await visitor.drop(LAYOUT);
  // The page reads the folder, and names it then.
  await expect(visitor.image).toHaveValue('file://images');
  await visitor.fill(visitor.image, 'file://images:hello-world');
  await visitor.run();
  await visitor.expectScreen(HELLO);
  await visitor.open();
  await page.getByLabel('Folder of a project or an image layout').setInputFiles(LAYOUT);
  // The page reads the folder, and names it then.
  await expect(visitor.image).toHaveValue('file://images');
  await visitor.fill(visitor.image, 'file://images:hello-world');
  await visitor.run();
  await visitor.expectScreen(HELLO);
});

test('a file that is not an image is refused', async ({ page, visitor }) => {
  await visitor.open();
  await page.getByLabel('Image archive').setInputFiles(join(PUBLIC, 'emulator.wasm'));
  await visitor.run();
  await visitor.expectProblem(/emulator\.wasm/);
});

test('a link to a file asks for the file', async ({ page, visitor }) => {
  await visitor.open({ image: 'file:///home/friend/docker-archive.tar' });
  await expect(visitor.image).toHaveAccessibleDescription(/pick or drop/i);
  await page.getByLabel('Image archive').setInputFiles(archive('docker-archive'));
  await visitor.run();
  await visitor.expectPrompt();
});

/** Tests the starters that need a registry: they start, run their command and show what they have. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobWriter, TextReader, ZipWriter } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { STARTER_IMAGES } from '../scripts/setup/places.mjs';
import { expect, test } from './fixtures.ts';
import type { Visitor } from './support/visitor.ts';

// Previews have a service worker, and browsers ask for an icon that their server does not have.
test.use({ serviceWorkers: 'allow', expectedErrors: /Failed to load resource/ });

const STARTERS = join(import.meta.dirname, '../src/app/starters');
/** Compilers and interpreters take their time. */
const PATIENCE = 170_000;
/** At first Go compiles its own library. */
const GO_PATIENCE = 1_800_000;

/** Packs a starter with an image of the test's registry in place of its own. */
async function pack(starter: string, image: string): Promise<Buffer> {
  const folder = join(STARTERS, starter);
  const zip = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, 'utf8');
    const own =
      entry.name === 'linuxrun.json' ? text.replace(/("LINUXRUN_IMAGE": ")[^"]*/, `$1${image}`) : text;
    await zip.add(path.slice(folder.length + 1), new TextReader(own));
  }
  return Buffer.from(await (await zip.close()).arrayBuffer());
}

async function run(visitor: Visitor, starter: string, image: string): Promise<void> {
  await visitor.open();
  const buffer = await pack(starter, image);
  const input = visitor.page.getByLabel('Image archive, project or saved session');
  await input.setInputFiles({ name: `${starter}.zip`, mimeType: '', buffer });
  await expect(visitor.page.getByRole('note')).toContainText('The project');
  await visitor.run();
}

const preview = ({ page }: Visitor) => page.frameLocator('.preview-frame').locator('body');

test('nginx shows its site, and a saved change', async ({ page, visitor, publish }) => {
  await run(visitor, 'nginx', await publish('nginx'));
  await expect(preview(visitor)).toContainText('Hello from this tab');
  await page.locator('.editor-panel:not([hidden]) .cm-content').focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText('<h1>After</h1>\n');
  await page.keyboard.press('Control+s');
  await expect(page.getByRole('tab', { name: /^index.html$/ })).toBeVisible();
  await page.getByRole('button', { name: 'Reload', exact: true }).click();
  await expect(preview(visitor)).toHaveText(/^\s*After\s*$/);
});

test.describe('with compilers and interpreters', () => {
  test.skip(process.env.LONG_TESTS === undefined, 'takes minutes: set LONG_TESTS=1');
  test.describe.configure({ timeout: 2 * PATIENCE });

  const copied = async (tag: string, copy: (image: string, name: string) => Promise<string>) => {
    test.skip(!existsSync(STARTER_IMAGES), 'needs the images of node scripts/starter-images.mjs');
    return copy(`oci://${STARTER_IMAGES}:${tag}`, `starters/${tag}`);
  };

  test('Python serves a page, and starts again when it is changed', async ({ page, visitor, publish }) => {
    await run(visitor, 'python', await publish('python'));
    await expect(preview(visitor)).toContainText('Hello from Python 3', { timeout: PATIENCE });
    await page.locator('.editor-panel:not([hidden]) .cm-content').focus();
    await page.keyboard.press('Control+a');
    const text = await readFile(join(STARTERS, 'python/server.py'), 'utf8');
    await page.keyboard.insertText(text.replace('Hello', 'Goodbye'));
    await page.keyboard.press('Control+s');
    await expect(async () => {
      await page.getByRole('button', { name: 'Reload', exact: true }).click();
      await expect(preview(visitor)).toContainText('Goodbye from Python 3', { timeout: 5000 });
    }).toPass();
  });

  test('C is compiled and runs', async ({ visitor, publish }) => {
    await run(visitor, 'c', await publish('gcc'));
    await visitor.expectScreen(/There are 78498 primes below 1000000\./, PATIENCE);
  });

  test('Node.js serves a page', async ({ visitor, dockerRegistry }) => {
    const image = await copied('node', (from, name) => dockerRegistry.copy(from, name));
    await run(visitor, 'node', image);
    await expect(preview(visitor)).toContainText('on riscv64: you asked for /', { timeout: PATIENCE });
  });

  test('Go is compiled and runs', async ({ visitor, dockerRegistry }) => {
    const image = await copied('go', (from, name) => dockerRegistry.copy(from, name));
    await run(visitor, 'go', image);
    await visitor.expectScreen(/The first time takes several minutes/, PATIENCE);
    test.setTimeout(GO_PATIENCE + PATIENCE);
    await visitor.type('go run .');
    await visitor.expectScreen(
      /50! = 30414093201713378043612608166064768844377641568960512000000000000/,
      GO_PATIENCE,
    );
  });
});

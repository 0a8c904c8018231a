/** Has programs that people use work in a folder of the browser: `LONG_TESTS=1`, with ../shared/images. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { HAS_IMAGES, IMAGES } from '../src/disk/testing/images.ts';
import { type ContainerPage, serveContainerPage } from './support/container-page.ts';

declare const share: (script: string, image?: string) => Promise<string>;

const SCRIPTS = join(import.meta.dirname, '../src/container/testing/work');
const TIMEOUT = 1_800_000;

let folder: string;
let server: ContainerPage;

test.skip(!HAS_IMAGES || process.env.LONG_TESTS === undefined, 'needs LONG_TESTS and ../shared/images');

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-work-'));
  symlinkSync(IMAGES, join(folder, 'shared-images'));
  server = await serveContainerPage('e2e-shared-work', folder);
});
test.afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

for (const [script, program, tag, count] of [
  ['git.sh', 'sh', 'gcc', 10_000],
  ['tree.sh', 'sh', 'gcc', 20_000],
  ['flat.sh', 'sh', 'gcc', 10_000],
  ['gcc.sh', 'sh', 'gcc', 100],
  ['sqlite.py', 'python3', 'python', 5000],
] as const)
  test(`${script} prints in a folder of the browser what it prints on the disk`, async ({ page }) => {
    test.setTimeout(TIMEOUT);
    await page.goto(server.pageUrl);
    const text = readFileSync(join(SCRIPTS, script), 'utf8');
    const [onDisk, inFolder] = ['/tmp', '/kept'].map(
      (place) => `mkdir ${place}/work; cd ${place}/work; ${program} /tmp/script ${count} 2>&1 && echo done`,
    );
    const output = await page.evaluate(([script, image]) => share(script, image), [
      `cat > /tmp/script << 'END OF SCRIPT'\n${text}\nEND OF SCRIPT\n${onDisk}\necho =====\n${inFolder}`,
      `oci://shared-images:${tag}`,
    ] as const);
    const [expected, printed] = output.split('=====\n');
    expect(expected).toMatch(/\ndone\n$/);
    expect(printed).toBe(expected);
  });

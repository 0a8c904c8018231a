import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { BrowserFolderItem } from '../src/api/public.ts';
import type { Result } from './container/page.ts';
import { type ContainerPage, serveContainerPage } from './support/container-page.ts';

declare const run: (reference: string, args: readonly string[], input: string) => Promise<Result>;

declare const share: (script: string) => Promise<string>;
declare const fetchPicked: (name: string) => Promise<void>;
declare const readPicked: (name: string) => Promise<string>;
declare const listFolders: () => Promise<readonly BrowserFolderItem[]>;
declare const removeFolder: () => Promise<void>;

let folder: string;
let server: ContainerPage;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-container-'));
  const source = join(import.meta.dirname, '../src/container/testing/posix.c');
  execFileSync('riscv64-linux-gnu-gcc', ['-O2', '-static', '-o', join(folder, 'posix'), source]);
  server = await serveContainerPage('e2e-container', folder);
});
test.afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test('a page pulls an image, runs it, and finds it stored the next time', async ({ page }) => {
  await page.goto(server.pageUrl);
  const script = 'cat; ls /bin | wc -l; echo $((6 * 7)) > /file && cat /file; echo err >&2; exit 7';
  const runScript = () =>
    page.evaluate((script) => run('oci://images:busybox', ['sh', '-c', script], 'in\n'), script);
  const stdout = expect.stringMatching(/^in\n\d{3}\n42\n$/);
  const expected = { status: 7, stdout, stderr: 'err\n', storedRegions: 0 };
  expect(await runScript()).toEqual({ ...expected, fetched: 1 });
  await page.reload();
  expect(await runScript()).toEqual({ ...expected, fetched: 0 });
});

test('a page compiles early what was hot when the image ran before', async ({ page }) => {
  await page.goto(server.pageUrl);
  const script = 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; echo $i';
  const runScript = () =>
    page.evaluate((script) => run('oci://images:busybox', ['sh', '-c', script], ''), script);
  expect(await runScript()).toMatchObject({ stdout: '200000\n', storedRegions: 0 });
  await page.reload();
  const { stdout, storedRegions } = await runScript();
  expect(stdout).toBe('200000\n');
  expect(storedRegions).toBeGreaterThan(0);
});

/** What a folder must do, whatever has its files. */
const USE = `set -e
mkdir -p d/e; echo one > d/e/f; echo two >> d/e/f; cp /bin/busybox d; cmp /bin/busybox d/busybox
mv d/e d/g; cat d/g/f; echo new > x; echo old > y; mv x y; cat y
exec 3> open; echo 1 >&3; rm open; echo 2 >&3; exec 3>&-
mkdir many; i=0; while [ $i -lt 50 ]; do echo $i > many/$i; i=$((i + 1)); done; ls many | wc -l; cat many/49
dd if=/dev/zero of=sparse bs=1 count=1 seek=1000000 2> /dev/null; stat -c '%s %a' sparse
chmod 700 d/busybox; stat -c %a d/busybox; ./d/busybox true; rmdir many 2>&1 | grep -c 'not empty'; rm -r many; ls`;
const USED = 'one\ntwo\nnew\n50\n49\n1000001 644\n700\n1\nd\nsparse\ny\n';

test('a page shares picked folders, and folders that it keeps', async ({ page }) => {
  await page.goto(server.pageUrl);
  const links = 'ln -s d/g l; ln y z; stat -c %h y; cat l/f; chown 5:6 y';
  const output = await page.evaluate(
    (script) => share(script),
    `(cd /picked; ${USE}); (cd /kept; ${USE}; ${links}); sync; ln -s a /picked/l; ls /picked`,
  );
  expect(output).toBe(`${USED}${USED}2\none\ntwo\nd\nsparse\ny\nln: /picked/l: Operation not permitted\n`);
  expect(await page.evaluate(() => readPicked('y'))).toBe('new\n');
  await page.reload();
  const both = page.evaluate(async () => {
    const first = share('stat -c "%u %g %h %s" /kept/y; cat /kept/l/f; exec sh -c "sleep 2"');
    await new Promise((resolve) => setTimeout(resolve, 300));
    return Promise.all([first, share('true').catch((error) => error.message)]);
  });
  expect(await both).toEqual([
    '5 6 2 4\none\ntwo\n',
    'the folder kept is in use in this or another tab: stop the container that has it first',
  ]);
  await expect.poll(() => page.evaluate(() => listFolders())).toMatchObject([{ name: 'kept', inUse: false }]);
  const [item] = await page.evaluate(() => listFolders());
  expect(item?.usedBytes).toBeGreaterThan(500_000);
  await page.evaluate(() => removeFolder());
  expect(await page.evaluate(() => listFolders())).toEqual([]);
});

/**
 * What picked folders lack: links, FIFOs, attributes, some names. A folder has two links. In memory, as here,
 * Chromium keeps the first time of a file in the folder of an origin.
 */
const LACKING = [
  ...['symlink: EPERM', 'link: ENOENT', 'no link: ENOENT', 'fifo: EPERM', 'fifo: ENOENT'],
  ...['no UTF-8: EINVAL', 'no UTF-8: EINVAL', 'newline: EINVAL', 'found: 0'],
  ...['folder: 40755 2 links, 0 bytes, 0:0', 'rename onto a link: EPERM', 'both stay: ENOENT'],
  ...['link: EPERM', 'link again: EPERM', 'two names: 100644 1 links, 1 bytes, 0:0', 'one name: ENOENT'],
  'modified later: 0',
  ...['set', 'create again', 'replace none', 'replace', 'too small', 'size', 'get', 'list', 'remove'].map(
    (name) => `${name}: EOPNOTSUPP`,
  ),
  ...['remove again: EOPNOTSUPP', 'list none: EOPNOTSUPP', 'of root: ENOENT'],
];

test('folders of a page answer as the disk of the container does', async ({ page }) => {
  await page.goto(server.pageUrl);
  await page.evaluate(() => fetchPicked('posix'));
  const output = await page.evaluate(
    (script) => share(script),
    `cp /picked/posix /; chmod 755 /posix
    for at in /disk /kept/files /picked/files; do mkdir $at; /posix $at; echo =====; done`,
  );
  const [disk = [], kept, picked = []] = output.split('=====\n').map((part) => part.split('\n'));
  expect(disk.length).toBeGreaterThan(100);
  expect(kept).toEqual(disk);
  expect(picked.filter((line, index) => line !== disk[index])).toEqual(LACKING);
});

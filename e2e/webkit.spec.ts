/** The main steps of a visitor in WebKit, the engine of Safari. */
import { sha256, type TestLayer } from '../src/oci/testing/image.ts';
import { test as base, expect } from './fixtures.ts';
import { Gate } from './support/faults.ts';
import { testedVersion } from './support/features.ts';
import { heavyBusybox } from './support/images.ts';
import { startLinuxRun } from './support/linuxrun-server.ts';
import { BUSYBOX, HELLO, HELLO_WORLD, linkTo } from './support/visitor.ts';
import { hasWebKit, VirtualScreen, WebKitVisitor } from './support/webkit.ts';

interface Fixtures {
  hasSharedMemory: boolean;
  webkit: WebKitVisitor;
}

const test = base.extend<Fixtures, { display: VirtualScreen }>({
  display: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture names from the pattern
    async ({}, use) => {
      const display = await VirtualScreen.start();
      await use(display);
      display.stop();
    },
    { scope: 'worker' },
  ],
  // The page of these tests is not Playwright's.
  // biome-ignore lint/correctness/noEmptyPattern: same reason as above
  cleanConsole: ({}, use) => use(undefined),
  hasSharedMemory: [true, { option: true }],
  webkit: async ({ display, hasSharedMemory }, use) => {
    const webkit = await WebKitVisitor.start({ screen: display.name, hasSharedMemory });
    await use(webkit);
    await webkit.stop();
    expect(webkit.errors, 'errors in the console').toEqual([]);
  },
});

test.skip(!hasWebKit, 'needs the Debian packages webkit2gtk-driver, libwebkit2gtk-4.1-0 and xvfb');

const PROMPT = /^\/ #$/m;

const expectScreen = (webkit: WebKitVisitor, pattern: RegExp) =>
  expect.poll(() => webkit.screenText()).toMatch(pattern);
const expectPage = (webkit: WebKitVisitor, pattern: RegExp) =>
  expect.poll(() => webkit.pageText()).toMatch(pattern);

test('hello-world says hello and ends, after pages that were left while they started it', async ({
  webkit,
  serverUrl,
}) => {
  expect(Number.parseFloat(webkit.version)).toBeGreaterThanOrEqual(testedVersion('webkit'));
  // The browser keeps pages in memory that are left, with all that they do.
  for (let left = 0; left < 3; left++) {
    await webkit.open(serverUrl);
    await webkit.choose('Hello World');
    await webkit.press('Run');
  }
  await expectScreen(webkit, HELLO);
  await expectPage(webkit, /Ended with status 0/);
});

test('two CPUs, a further terminal, and another start', async ({ webkit, serverUrl }) => {
  await webkit.open(serverUrl + linkTo({ image: BUSYBOX, cpus: '2' }));
  await webkit.press('Run');
  await expectScreen(webkit, PROMPT);
  await webkit.type('uname -m; nproc; head -c 20000000 /dev/zero | md5sum');
  await expectScreen(webkit, /^riscv64\n2\n[0-9a-f]{32} {2}-$/m);
  await webkit.press('New terminal');
  await expectScreen(webkit, PROMPT);
  await webkit.type('echo of-the-second > /note; exit');
  await expectScreen(webkit, /nproc/);
  await webkit.type('cat /note');
  await expectScreen(webkit, /^of-the-second$/m);
  await webkit.type('exit 3');
  await expectPage(webkit, /Ended with status 3/);
  await webkit.press('Restart');
  await expectPage(webkit, /\bRunning\b/);
});

test('an image of a registry is stored, survives a reload, and is deleted', async ({
  webkit,
  serverUrl,
  registry,
}) => {
  registry.add('team/heavy:1', heavyBusybox(4 << 20));
  await webkit.open(serverUrl + linkTo({ image: `${registry.host}/team/heavy:1` }));
  await webkit.press('Run');
  await expectScreen(webkit, PROMPT);
  registry.requests.length = 0;
  await webkit.reload();
  await webkit.press('Run');
  await expectScreen(webkit, PROMPT);
  await webkit.type('wc -c < /weight; exit');
  await expectScreen(webkit, /^4194304$/m);
  expect(registry.requests).toEqual([]);
  await webkit.press('Run another');
  await webkit.press('Storage');
  await expectPage(webkit, /MB used/);
  await webkit.press('Delete all images');
  await expectPage(webkit, /No image is stored/);
});

test('a pull shows its progress, is cancelled, and goes on with the layers it had', async ({
  webkit,
  serverUrl,
  registry,
}) => {
  const image = heavyBusybox(4 << 20);
  const [busybox, weight] = image.layers as [TestLayer, TestLayer];
  registry.add('team/heavy:1', image);
  const gate = new Gate(registry, weight);
  await webkit.open(serverUrl + linkTo({ image: `${registry.host}/team/heavy:1` }));
  await webkit.press('Run');
  await expectPage(webkit, /verified/);
  await expectPage(webkit, /2(\.\d)? MB of 4(\.0)? MB/);
  await webkit.press('Cancel');
  await webkit.press('Run');
  await expectPage(webkit, /stored already/);
  gate.open();
  await expectScreen(webkit, PROMPT);
  await webkit.type('wc -c < /weight');
  await expectScreen(webkit, /^4194304$/m);
  const asked = registry.requests.filter(({ path }) => path.endsWith(sha256(busybox.blob)));
  expect(asked).toHaveLength(1);
});

test('without its server the page loads again, is isolated, and runs images from the store', async ({
  webkit,
  registry,
}) => {
  registry.add('team/app:1', heavyBusybox(1000));
  const server = await startLinuxRun([registry.host]);
  await webkit.open(server.pageUrl + linkTo({ image: `${registry.host}/team/app:1` }));
  await webkit.run('navigator.serviceWorker.ready.then(() => { globalThis.isKept = true; })');
  await expect.poll(() => webkit.run('return globalThis.isKept')).toBe(true);
  await webkit.press('Run');
  await expectScreen(webkit, PROMPT);
  await server.close();
  await webkit.reload();
  expect(await webkit.run('return crossOriginIsolated')).toBe(true);
  await webkit.press('Run');
  await expectScreen(webkit, PROMPT);
  await webkit.type('wc -c < /weight');
  await expectScreen(webkit, /^1000$/m);
});

test('a project shows its files, its editor and its preview, and its changes are saved', async ({
  webkit,
  serverUrl,
}) => {
  await webkit.open(serverUrl);
  await webkit.start('Static site');
  await expectScreen(webkit, /^\/project #$/m);
  await expectPage(webkit, /index\.html/);
  await webkit.edit('From WebKit ');
  await expect.poll(() => webkit.run('return document.querySelector(".tab-dirty") !== null')).toBe(true);
  await webkit.press('Save');
  await expect.poll(() => webkit.run('return document.querySelector(".tab-dirty") !== null')).toBe(false);
  await webkit.type('clear; head -n 1 site/index.html');
  await expectScreen(webkit, /^From WebKit <!doctype html>$/m);
  const frame = await webkit.run<string>('return document.querySelector(".preview-frame").src');
  expect(frame).toContain('8080');
});

test.describe('as WebKitGTK comes', () => {
  test.use({ hasSharedMemory: false });

  test('the page says that it lacks shared memory', async ({ webkit, serverUrl }) => {
    await webkit.open(serverUrl + linkTo({ image: HELLO_WORLD }));
    await expectPage(webkit, /This browser lacks WebAssembly threads/);
  });
});

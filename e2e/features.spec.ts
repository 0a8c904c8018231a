/** What browsers have, and older ones that lack a feature. */
import { expect, test } from './fixtures.ts';
import { type ChangedSite, serveChanged, testedVersion } from './support/features.ts';
import { BUSYBOX, HELLO, HELLO_WORLD, linkTo } from './support/visitor.ts';

test('this browser has what the page needs, and is one that README names', { tag: '@firefox' }, async ({
  browser,
  browserName,
  visitor,
}) => {
  expect(Number.parseInt(browser.version(), 10)).toBeGreaterThanOrEqual(testedVersion(browserName));
  await visitor.open({ image: BUSYBOX });
  await expect(visitor.button('Run')).toBeEnabled();
  await expect(visitor.problem).toHaveCount(0);
});

let site: ChangedSite | undefined;
test.afterEach(() => site?.close());

/** Makes validation fail for modules with these bytes, as the page asks before it uses a feature. */
const without = (...bytes: readonly number[]) => `{
  const validate = WebAssembly.validate;
  WebAssembly.validate = (module) => !new Uint8Array(module).join().includes('${bytes}') && validate(module);
}`;

/** The terminal draws with elements then. */
const WITHOUT_WEBGL = `for (const { prototype } of [globalThis.HTMLCanvasElement, globalThis.OffscreenCanvas].filter(Boolean)) {
  const { getContext } = prototype;
  prototype.getContext = function (kind, ...rest) {
    return kind.startsWith('webgl') ? null : getContext.call(this, kind, ...rest);
  };
}`;

test('an older browser runs containers, with several CPUs too', async ({ page, visitor }) => {
  site = await serveChanged(
    page,
    [
      without(0x12, 0x00, 0x0b), // (return_call 0)
      without(0xfd, 0x87, 0x02), // (f64x2.relaxed_madd)
      'delete Atomics.waitAsync;',
      'delete Intl.Segmenter;',
      'delete globalThis.requestIdleCallback;',
      'delete globalThis.BroadcastChannel;',
      WITHOUT_WEBGL,
    ].join('\n'),
  );
  await page.goto(site.url + linkTo({ image: BUSYBOX, cpus: '2' }));
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.type('head -c 5000000 /dev/zero | sha256sum; nproc');
  await visitor.expectScreen(/^b39781589c4403fb82174c9647a010464cff38bad976547d339899b00053a545 {2}-\n2$/m);
  await visitor.button('New terminal').click();
  await visitor.expectPrompt();
  await visitor.type('echo wide: 漢字');
  await visitor.expectScreen(/^wide: 漢字$/m);
  await expect(visitor.problem).toHaveCount(0);
});

test('without navigator.locks images run, and the page says that nothing is kept', async ({
  page,
  visitor,
}) => {
  site = await serveChanged(page, 'delete Object.getPrototypeOf(navigator).locks;');
  await page.goto(site.url + linkTo({ image: HELLO_WORLD }));
  await expect(page.getByText('This browser keeps nothing of this page')).toBeVisible();
  await visitor.run();
  await visitor.expectScreen(HELLO);
  await visitor.expectExit(0);
});

test('without files of the origin images are stored, and the page says why containers are not', async ({
  page,
  visitor,
}) => {
  site = await serveChanged(page, 'delete StorageManager.prototype.getDirectory;');
  await page.goto(site.url + linkTo({ image: BUSYBOX }));
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.type('echo $((6 * 7))');
  await visitor.expectScreen(/^42$/m);
  await visitor.button('Not kept').click();
  await expect(page.getByText(/this browser stores no files of pages: a newer one keeps/)).toBeVisible();
});

test('a browser that refuses a large memory gives a smaller one, and the page says so', async ({
  page,
  visitor,
}) => {
  site = await serveChanged(
    page,
    `{
      const { Memory } = WebAssembly;
      WebAssembly.Memory = new Proxy(Memory, {
        construct(target, [options]) {
          if (options.initial * 65536 > 400 * 2 ** 20) throw new RangeError('out of memory');
          return new target(options);
        },
      });
    }`,
  );
  await page.goto(site.url + linkTo({ image: BUSYBOX }));
  await visitor.run();
  await visitor.expectPrompt();
  await expect(page.getByText(/It has 256 MB in place of 512 MB/)).toBeVisible();
  await expect(visitor.figure('Memory')).toHaveText(/ of 256 MB$/);
  await visitor.type("awk '/MemTotal/ { print ($2 < 262144) }' /proc/meminfo");
  await visitor.expectScreen(/^1$/m);
  await visitor.button('Dismiss').last().click();
  await expect(page.getByText(/It has 256 MB in place/)).toHaveCount(0);
});

test('after the computer has slept, the container has the time of day', async ({ page, visitor }) => {
  // The clock of a computer that wakes is ahead of the monotonic one.
  site = await serveChanged(
    page,
    `{
      const now = Date.now;
      const began = now();
      Date.now = () => now() + (now() - began > 10000 ? 86400000 : 0);
    }`,
  );
  await page.goto(site.url + linkTo({ image: BUSYBOX }));
  await visitor.run();
  await visitor.expectPrompt();
  const tomorrow = Math.floor(Date.now() / 1000) + 86_000;
  await visitor.type(`until [ $(date +%s) -gt ${tomorrow} ]; do sleep 1; done; echo wo""ken`);
  await visitor.expectScreen(/^woken$/m);
});

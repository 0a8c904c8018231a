/** Older browsers, which lack a feature. */
import { expect, test } from './fixtures.ts';
import { type ChangedSite, serveChanged } from './support/features.ts';
import { BUSYBOX, linkTo } from './support/visitor.ts';

let site: ChangedSite | undefined;
test.afterEach(() => site?.close());

/** Makes validation fail for modules with these bytes, as the page asks before it uses a feature. */
const without = (...bytes: readonly number[]) => `{
  const validate = WebAssembly.validate;
  WebAssembly.validate = (module) => !new Uint8Array(module).join().includes('${bytes}') && validate(module);
}`;

for (const [feature, script] of [
  ['Atomics.waitAsync', 'delete Atomics.waitAsync;'],
  // (return_call 0)
  ['tail calls of WebAssembly', without(0x12, 0x00, 0x0b)],
  // (f64x2.relaxed_madd)
  ['relaxed SIMD of WebAssembly', without(0xfd, 0x87, 0x02)],
  ['Intl.Segmenter', 'delete Intl.Segmenter;'],
  ['requestIdleCallback', 'delete globalThis.requestIdleCallback;'],
] as const)
  test(`without ${feature} containers run, with several CPUs too`, async ({ page, visitor }) => {
    site = await serveChanged(page, script);
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

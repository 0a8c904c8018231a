import type { FakeRegistry } from '../src/oci/testing/fake-registry.ts';
import { sha256, type TestImage, type TestLayer } from '../src/oci/testing/image.ts';
import { expect, test } from './fixtures.ts';
import { Gate, loseConnections } from './support/faults.ts';
import { heavyBusybox } from './support/images.ts';
import { HELLO, HELLO_WORLD, Visitor } from './support/visitor.ts';

const WEIGHT = 4 << 20;
const HALF = /2(\.\d)? MB of 4(\.0)? MB/;

/** The image has two layers: BusyBox, and the weight, which tests hold back. */
let image: TestImage;
let busybox: TestLayer;
let weight: TestLayer;
test.beforeEach(() => {
  image = heavyBusybox(WEIGHT);
  [busybox, weight] = image.layers as [TestLayer, TestLayer];
});

async function expectWeight(visitor: Visitor): Promise<void> {
  await visitor.expectPrompt();
  await visitor.type('wc -c < /weight');
  await visitor.expectScreen(new RegExp(`^${WEIGHT}$`, 'm'));
}

const timesAsked = (registry: FakeRegistry, { blob }: TestLayer) =>
  registry.requests.filter(({ path }) => path.endsWith(sha256(blob))).length;

test("an image comes from Debian's docker-registry through our server", async ({
  visitor,
  dockerRegistry,
}) => {
  await dockerRegistry.push('team/heavy', '1', image);
  await visitor.runLink({ image: `${dockerRegistry.host}/team/heavy:1` });
  await expectWeight(visitor);
});

test('a pull shows its progress, is cancelled, and continues with the layers it had', {
  tag: '@firefox',
}, async ({ visitor, registry }) => {
  registry.add('team/heavy:1', image);
  const gate = new Gate(registry, weight);
  await visitor.runLink({ image: `${registry.host}/team/heavy:1` });
  await visitor.expectLayers(/verified/, HALF);
  const bar = visitor.layers.nth(1).getByRole('progressbar');
  expect(await bar.evaluate(({ position }: HTMLProgressElement) => position)).toBeCloseTo(0.5, 1);
  await visitor.button('Cancel').click();
  await expect(visitor.image).toHaveValue(`${registry.host}/team/heavy:1`);

  await visitor.run();
  await visitor.expectLayers(/stored already/, HALF);
  gate.open();
  await expectWeight(visitor);
  expect(timesAsked(registry, busybox)).toBe(1);
});

test('a reload during a pull loses no complete layer', { tag: '@firefox' }, async ({
  page,
  visitor,
  registry,
}) => {
  registry.add('team/heavy:1', image);
  const gate = new Gate(registry, weight);
  await visitor.runLink({ image: `${registry.host}/team/heavy:1` });
  await visitor.expectLayers(/verified/, HALF);
  await page.reload();
  gate.open();
  await visitor.run();
  await expectWeight(visitor);
  expect(timesAsked(registry, busybox)).toBe(1);
});

test('a download goes on over a slow network that loses its connections', async ({ visitor, registry }) => {
  registry.add('team/heavy:1', image);
  registry.intercept = loseConnections(weight, 1 << 20, 100);
  await visitor.runLink({ image: `${registry.host}/team/heavy:1` });
  await expectWeight(visitor);
  // More often than a request is repeated that has brought nothing.
  expect(timesAsked(registry, weight)).toBeGreaterThan(3);
});

test.describe('offline', () => {
  test.use({ expectedErrors: /ERR_INTERNET_DISCONNECTED/ });

  test('images of registries and of the page run a second time', async ({ visitor, registry, context }) => {
    registry.add('team/heavy:1', image);
    await visitor.runLink({ image: `${registry.host}/team/heavy:1` });
    await expectWeight(visitor);
    await visitor.endAndRunAnother();
    await visitor.button('Run Hello World').click();
    await visitor.expectExit(0);
    await context.setOffline(true);
    await visitor.button('Restart').click();
    await visitor.expectScreen(HELLO);
    await visitor.expectExit(0);
    await visitor.button('Run another').click();
    await visitor.fill(visitor.image, `${registry.host}/team/heavy:1`);
    await visitor.run();
    await expectWeight(visitor);
  });
});

test('a newer image of the same name is pulled on request', async ({ visitor, registry }) => {
  const newer = heavyBusybox(1000);
  registry.add('team/app:latest', image);
  await visitor.runLink({ image: `${registry.host}/team/app` });
  await expectWeight(visitor);
  registry.add('team/app:latest', newer);
  await visitor.endAndRunAnother();
  await visitor.run();
  await expectWeight(visitor);
  await visitor.endAndRunAnother();
  await visitor.button('Look for a newer one').click();
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.type('wc -c < /weight');
  await visitor.expectScreen(/^1000$/m);
});

test('layers shared by images are fetched once', async ({ visitor, registry }) => {
  registry.add('team/heavy:1', image);
  const [, other] = heavyBusybox(1000).layers as [TestLayer, TestLayer];
  registry.add('team/other:1', heavyBusybox(1000));
  expect(other.blob.length).toBeLessThan(weight.blob.length);
  await visitor.runLink({ image: `${registry.host}/team/heavy:1` });
  await visitor.expectPrompt();
  await visitor.runLink({ image: `${registry.host}/team/other:1` });
  await visitor.expectPrompt();
  expect(timesAsked(registry, busybox)).toBe(1);
});

test('two tabs pull and run the same image at the same time, in machines of their own', async ({
  visitor,
  registry,
  context,
}) => {
  registry.add('team/heavy:1', image);
  const gate = new Gate(registry, weight);
  const other = new Visitor(await context.newPage());
  for (const each of [visitor, other]) {
    await each.runLink({ image: `${registry.host}/team/heavy:1` });
    await each.expectLayers(/verified|stored already/, HALF);
  }
  gate.open();
  for (const each of [visitor, other]) await expectWeight(each);
  await visitor.type('echo one > /tmp/mine; ls /tmp');
  await visitor.expectScreen(/^mine$/m);
  await other.type('ls -A /tmp | wc -l');
  await other.expectScreen(/^0$/m);
});

test('an image of a distribution runs', async ({ visitor, publish }) => {
  await visitor.runLink({ image: await publish('debian'), entrypoint: 'cat', args: '/etc/os-release' });
  await visitor.expectExit(0);
  await visitor.expectScreen(/^NAME="Debian/m);
});

test('hello-world from a registry runs', async ({ visitor, publish }) => {
  await visitor.runLink({ image: await publish('hello-world') });
  await visitor.expectExit(0);
  await visitor.expectScreen(/Hello/);
  await visitor.runLink({ image: HELLO_WORLD });
  await visitor.expectScreen(HELLO);
});

test.describe('without Docker Hub', () => {
  // The browser logs the answers that do not come.
  test.use({ expectedErrors: /ERR_|Failed to load resource/ });

  test('busybox comes from the page itself', async ({ page, visitor }) => {
    await page.route('**/registry/registry-1.docker.io/**', (route) => route.abort());
    await visitor.runLink({ image: 'busybox' });
    await visitor.expectPrompt();
    await page.unroute('**/registry/registry-1.docker.io/**');
  });
});

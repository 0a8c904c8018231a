/** Tests what the form says about an image before it runs. */
import { join } from 'node:path';
import { foreignBusybox } from '../src/container/testing/foreign.ts';
import { layoutFiles, makeIndex } from '../src/oci/testing/image.ts';
import { expect, test } from './fixtures.ts';
import { expectAccessible } from './support/care.ts';
import { heavyBusybox } from './support/images.ts';
import { PUBLIC } from './support/places.ts';
import { HELLO } from './support/visitor.ts';

const LAYOUT = join(PUBLIC, 'images');
const WEIGHT = 2_000_000;
const riscv64 = { os: 'linux', architecture: 'riscv64' };
const s390x = { os: 'linux', architecture: 's390x' };

test('an image of a registry is shown with its size and platforms', async ({ visitor, registry }) => {
  const image = heavyBusybox(WEIGHT);
  registry.add('team/shown:1', image);
  const platforms = [riscv64, s390x].map((platform) => ({ image, platform }));
  registry.addIndex('team/shown:1', makeIndex(platforms));
  await visitor.open();
  await visitor.image.fill(`${registry.host}/team/shown:1`);
  await expect(visitor.image).toHaveAccessibleDescription(/[23]\.\d MB to fetch. Made for riscv64, s390x\.$/);
  expect(registry.requests.filter(({ path }) => path.includes('/blobs/'))).toHaveLength(1);
});

test('an image for no processor that runs is shown with the nearest tag that has one', async ({
  visitor,
  registry,
}) => {
  const image = heavyBusybox(1000);
  registry.add('team/other:3-trixie', image);
  registry.addIndex('team/other:3-trixie', makeIndex([{ image, platform: riscv64 }]));
  registry.addIndex('team/other:3-bookworm', makeIndex([{ image, platform: s390x }]));
  await visitor.open();
  await visitor.image.fill(`${registry.host}/team/other:3-bookworm`);
  await expect(visitor.image).toHaveAccessibleDescription(
    /no image for linux\/riscv64, linux\/arm64 or linux\/amd64; it offers linux\/s390x/,
  );
  await visitor.button(`Use ${registry.host}/team/other:3-trixie`).click();
  await expect(visitor.image).toHaveValue(`${registry.host}/team/other:3-trixie`);
  await visitor.run();
  await visitor.expectPrompt();
});

test('an image whose programs are emulated says so before it runs and while it does', async ({
  page,
  visitor,
  registry,
}) => {
  const image = foreignBusybox('amd64');
  registry.add('team/app:1', image);
  const isSaid = () =>
    expect(visitor.image).toHaveAccessibleDescription(
      /For linux\/amd64: .* emulated, about ten times slower/,
    );
  const emulator = page.waitForRequest(/\/kernel\/emulator-amd64$/);
  await visitor.open({ image: `${registry.host}/team/app:1` });
  await isSaid();
  await emulator;
  // One that comes with the page.
  const files = new Map(
    layoutFiles([image], makeIndex([{ image }])).map(({ path, contents }) => [path, contents]),
  );
  await page.route('**/own/**', (route) => {
    const body = files.get(
      route
        .request()
        .url()
        .replace(/.*\/own\//, ''),
    );
    return route.fulfill(body === undefined ? { status: 404 } : { body: Buffer.from(body) });
  });
  await visitor.image.fill('oci://own');
  await isSaid();
  await visitor.run();
  const notice = page.getByText('linux/amd64: emulated, about ten times slower', { exact: true });
  await expect(notice).toBeVisible();
  await expect(visitor.state).toHaveText('Running');
  await expect(notice).toBeVisible();
});

test.describe('a registry that answers with an error', () => {
  test.use({ expectedErrors: /Failed to load resource/ });

  test('is named under the field', async ({ visitor, registry }) => {
    registry.intercept = (_, response) => {
      response.writeHead(404).end();
      return true;
    };
    await visitor.open();
    await visitor.image.fill(`${registry.host}/team/none:1`);
    await expect(visitor.image).toHaveAccessibleDescription(/has no image .*\/team\/none:1: check its name/);
    await expect(visitor.button('Run')).toBeEnabled();
  });
});

test('a pasted command fills in the form, and runs nothing', async ({ page, visitor, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.open();
  const command = `docker run -it -p 80:80 -e A=b \\\n  oci://images:busybox sh -c 'echo "$A"; sh' && reboot`;
  await page.evaluate((text) => navigator.clipboard.writeText(text), command);
  await visitor.image.fill('');
  await page.keyboard.press('Control+V');
  await expect(visitor.image).toHaveValue('BusyBox');
  await expect(visitor.whatRuns).toContainText(`with sh -c 'echo "$A"; sh' with A=b`);
  await expect(page.getByRole('note')).toContainText('-p 80:80, && reboot');
  await visitor.run();
  await visitor.expectScreen(/^b$/m);
});

test('a folder with several images shows a menu of their names', async ({ page, visitor }) => {
  await visitor.open();
  await page.getByLabel('Folder of a project or an image layout').setInputFiles(LAYOUT);
  const menu = page.getByLabel('Image in it');
  await expect(menu).toContainText('hello-world');
  await expectAccessible(page);
  await menu.selectOption('hello-world');
  await expect(visitor.image).toHaveValue('file://images:hello-world');
  await expect(menu).toHaveValue('file://images:hello-world');

  // A run without a choice asks for it.
  await visitor.open();
  await page.getByLabel('Folder of a project or an image layout').setInputFiles(LAYOUT);
  await visitor.run();
  const question = visitor.problem.getByLabel('Image in it');
  await expect(question).toBeVisible();
  await expectAccessible(page);
  await question.selectOption('hello-world');
  await visitor.expectScreen(HELLO);
});

import { expect, test } from './fixtures.ts';
import { serveChanged } from './support/features.ts';
import { BUSYBOX, HELLO_WORLD, linkTo, Visitor } from './support/visitor.ts';

test('stored images are listed, and deleted one by one or all together', async ({ page, visitor }) => {
  for (const image of [HELLO_WORLD, BUSYBOX]) {
    await visitor.runLink({ image, entrypoint: image === BUSYBOX ? 'true' : '' });
    await visitor.expectExit(0);
  }
  await visitor.open();
  await visitor.button('Storage').click();
  const dialog = page.getByRole('dialog', { name: 'Storage' });
  await expect(dialog.getByRole('listitem')).toHaveCount(2);
  await expect(dialog.getByRole('listitem').filter({ hasText: 'busybox' })).toContainText(
    /\d(\.\d)? MB in 1 layer.*used just now/,
  );
  await expect(dialog.getByRole('meter')).toHaveAccessibleName(/used of the .* that the browser grants/);
  await dialog.getByRole('button', { name: /^Delete Hello World/ }).click();
  await expect(dialog.getByRole('listitem')).toHaveCount(1);
  await dialog.getByRole('button', { name: 'Delete all' }).click();
  await expect(dialog.getByRole('listitem')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
});

test('layers in use by a running container are not deleted', async ({ page, visitor, context }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  const other = new Visitor(await context.newPage());
  await other.open();
  await other.button('Storage').click();
  await expect(other.page.getByRole('button', { name: /^Delete BusyBox/ })).toBeDisabled();
  await page.close();
  // The browser may release the locks of a closed page a little later.
  await expect(async () => {
    await other.page.reload();
    await other.button('Storage').click();
    const remove = other.page.getByRole('button', { name: /^Delete BusyBox/ });
    await expect(remove).toBeEnabled({ timeout: 5000 });
  }).toPass();
});

test('images are stored, listed and deleted in a browser that does not manage its storage', {
  tag: '@firefox',
}, async ({ page, visitor }) => {
  const site = await serveChanged(page, "Object.defineProperty(navigator, 'storage', { value: undefined });");
  await page.goto(site.url + linkTo({ image: BUSYBOX }));
  await visitor.run();
  await visitor.expectPrompt();
  await visitor.endAndRunAnother();
  await visitor.button('Storage').click();
  const dialog = page.getByRole('dialog', { name: 'Storage' });
  await expect(dialog).toContainText(/MB used\. The browser does not say how much it grants/);
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  await dialog.getByRole('button', { name: /^Delete BusyBox/ }).click();
  await expect(dialog.getByRole('listitem')).toHaveCount(0);
  await site.close();
});

test('the page says that the browser asks whether to keep its storage', async ({ page, visitor }) => {
  await page.addInitScript(() => {
    navigator.storage.persisted = async () => false;
    const answered = new Promise<boolean>((resolve) => {
      Object.assign(globalThis, { answer: () => resolve(false) });
    });
    navigator.storage.persist = () => answered;
  });
  await visitor.open();
  await visitor.button('Storage').click();
  const ask = visitor.button('Ask it to keep it');
  await ask.click();
  await expect(page.getByText(/It asks you whether to keep it/)).toBeVisible();
  await expect(ask).toHaveCount(0);
  await page.evaluate(() => (globalThis as unknown as { answer: () => void }).answer());
  await expect(ask).toBeVisible();
});

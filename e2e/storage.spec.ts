import { expect, test } from './fixtures.ts';
import { BUSYBOX, HELLO_WORLD, Visitor } from './support/visitor.ts';

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

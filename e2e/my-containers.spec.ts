/** Tests that nothing is lost: kept containers, and sessions that go on. */
import { expect, test } from './fixtures.ts';
import { expectAccessible } from './support/care.ts';
import { BUSYBOX, HELLO_WORLD, Visitor } from './support/visitor.ts';

test('a container is kept once somebody types, and another one leaves nothing', async ({ page, visitor }) => {
  const shelf = page.getByRole('region', { name: 'My containers' });
  await test.step('nobody types', async () => {
    await visitor.runLink({ image: HELLO_WORLD });
    await visitor.expectExit(0);
    await visitor.open();
    await expect(visitor.image).toBeVisible();
    await page.waitForFunction(() => performance.getEntriesByName('linuxrun:interactive').length > 0);
    await expect(shelf).toHaveCount(0);
  });
  await test.step('somebody types', async () => {
    await visitor.runLink({ image: BUSYBOX });
    await visitor.expectPrompt();
    await expect(visitor.button('Not kept')).toBeVisible();
    await visitor.command('echo precious > /root/work; sync');
    const name = (await page.locator('.keep-notice strong').textContent()) ?? '';
    expect(name).toMatch(/^[a-z]+-[a-z]+$/);
    await expectAccessible(page);
    await visitor.type('exit');
    await visitor.expectExit(0);
    await visitor.button('Run another').click();
    await expect(shelf.getByRole('listitem').filter({ hasText: name })).toContainText('Stopped');
  });
  await test.step('it starts on its files, under another name', async () => {
    await shelf.getByRole('button', { name: /^More for/ }).click();
    await visitor.button('Rename').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('no spaces');
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await expect(dialog).toContainText('a name has letters, digits');
    await dialog.getByLabel('Name').fill('my-work');
    await page.keyboard.press('Enter');
    await visitor.button('Start my-work').click();
    await visitor.expectPrompt();
    await visitor.command('cat /root/work');
    await visitor.expectScreen(/^precious$/m);
  });
  await test.step('a second tab sees that it runs', async () => {
    const other = new Visitor(await page.context().newPage());
    await other.open();
    const item = other.page.getByRole('region', { name: 'My containers' }).getByRole('listitem').first();
    await expect(item).toContainText('Running in another tab');
    await expect(other.button('Start my-work')).toBeDisabled();
    await other.page.close();
  });
  await test.step('it can be copied and deleted', async () => {
    await visitor.type('exit');
    await visitor.expectExit(0);
    await visitor.button('Run another').click();
    await visitor.button('More for my-work').click();
    await visitor.button('Duplicate').click();
    await expect(visitor.button('Start my-work-2')).toBeVisible();
    await visitor.button('More for my-work').click();
    await visitor.button('Delete').click();
    await expectAccessible(page);
    await visitor.button('Delete it').click();
    await expect(visitor.button('Start my-work')).toHaveCount(0);
    await visitor.button('Start my-work-2').click();
    await visitor.expectPrompt();
    await visitor.command('cat /root/work');
    await visitor.expectScreen(/^precious$/m);
  });
});

test('a container that its user does not keep is gone when it ends', async ({ page, visitor }) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  await visitor.type('echo x > /x');
  await visitor.button('Don’t keep it').click();
  await expect(visitor.button('Not kept')).toBeVisible();
  await visitor.type('exit');
  await visitor.expectExit(0);
  await visitor.button('Run another').click();
  await expect(visitor.image).toBeVisible();
  await expect(page.getByRole('region', { name: 'My containers' })).toHaveCount(0);
});

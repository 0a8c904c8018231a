/** Tests that nothing is lost: kept containers, and sessions that go on. */
import { execFileSync } from 'node:child_process';
import { chromium } from '@playwright/test';
import { CHROMIUM } from './browser.ts';
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

test('what is kept leaves and comes back: as changes and as an image', async ({ page, visitor }) => {
  test.slow();
  const shelf = page.getByRole('region', { name: 'My containers' });
  const [changes, image] = ['changes.tar', 'image.tar'].map((name) => test.info().outputPath(name));
  const cat = async () => {
    await visitor.expectPrompt();
    await visitor.type('clear; cat /root/work');
    await visitor.expectScreen(/^precious\n\/ #$/m);
  };
  const save = async (action: string, path = '') => {
    await shelf.getByRole('button', { name: /^More for/ }).click();
    const download = page.waitForEvent('download');
    await visitor.button(action).click();
    await (await download).saveAs(path);
  };
  await test.step('it is made', async () => {
    await visitor.runLink({ image: BUSYBOX });
    await visitor.expectPrompt();
    await visitor.type('echo precious > /root/work; exit');
    await visitor.expectExit(0);
    await visitor.button('Run another').click();
  });
  await test.step('it is downloaded', async () => {
    await save('Download its changes', changes);
    const names = execFileSync('tar', ['-tf', changes ?? ''], { encoding: 'utf8' }).split('\n');
    expect(names).toContain('root/work');
    await save('Download as an image', image);
  });
  await test.step('changes are imported', async () => {
    await page.getByLabel('Changes of a container').setInputFiles(changes ?? '');
    const dialog = page.getByRole('dialog', { name: 'Import changes' });
    await expect(dialog).toContainText('BusyBox, with the changes in changes.tar');
    await expectAccessible(page);
    await dialog.getByLabel('Name').fill('imported');
    await page.keyboard.press('Enter');
    await visitor.button('Start imported').click();
    await cat();
    await visitor.button('Run another').click();
    await expect(shelf.getByRole('listitem').filter({ hasText: 'imported' })).toContainText('Suspended');
  });
  await test.step('the image runs', async () => {
    await page.getByLabel('Image archive, project or saved session').setInputFiles(image ?? '');
    await expect(visitor.image).toHaveValue('file://image.tar');
    await visitor.run();
    await cat();
  });
});

test('a full store is said, and harms nothing', async ({ serverUrl }) => {
  // Only a browser with a profile limits the size of files.
  const profile = test.info().outputPath('profile');
  const context = await chromium.launchPersistentContext(profile, { ...CHROMIUM, baseURL: serverUrl });
  const page = await context.newPage();
  const visitor = new Visitor(page);
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  await visitor.command('echo precious > /root/work; sync');
  await expect(visitor.button('Kept')).toBeVisible();
  const devTools = await context.newCDPSession(page);
  const { origin } = new URL(page.url());
  const { usage = 0 } = await page.evaluate(() => navigator.storage.estimate());
  await devTools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + (8 << 20) });
  await visitor.type('dd if=/dev/urandom of=/big bs=64k count=320 conv=fsync 2>/dev/null || echo refused');
  await visitor.expectScreen(/^refused$/m);
  const notice = page.getByRole('alert').filter({ hasText: 'The browser does not store what it writes' });
  await expect(notice).toContainText('delete what you do not need');
  await expectAccessible(page);
  await devTools.send('Storage.overrideQuotaForOrigin', { origin });
  await visitor.type(
    'rm /big; dd if=/dev/urandom of=/small bs=64k count=4 conv=fsync && sync && echo stored',
  );
  await visitor.expectScreen(/^stored$/m);
  await expect(notice).toHaveCount(0);
  await context.close();
});

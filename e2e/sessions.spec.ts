/** Tests that saved sessions from strangers open nothing by themselves. */
import { writeFile } from 'node:fs/promises';
import { expect, test } from './fixtures.ts';
import { expectAccessible } from './support/care.ts';
import { BUSYBOX } from './support/visitor.ts';

test('hostile links and files open nothing', async ({ page, visitor }) => {
  const problem = page.getByRole('alert');
  const query = (name: string) => `?LINUXRUN_SNAPSHOT=${encodeURIComponent(name)}`;
  await page.goto(`./${query('https://registry.example/session.linuxrun')}`);
  await expect(problem).toContainText('sessions open only from');
  await page.goto(`./${query('emulator.wasm')}`);
  await expect(problem).toContainText('is no saved session');
  await page.goto(`./${query('javascript:alert(1)')}&LINUXRUN_NAME=amber-otter`);
  await expect(problem).toContainText('sessions open only from');
  await page.goto(`./?LINUXRUN_NAME=amber-otter&LINUXRUN_IMAGE=${BUSYBOX}`);
  await expect(page.getByRole('note')).toContainText('Ignored: LINUXRUN_NAME');
  expect(new URL(page.url()).search).not.toContain('amber-otter');
  const file = test.info().outputPath('broken.linuxrun');
  const magic = [0x89, 0x4c, 0x52, 0x53, 0x0d, 0x0a, 0x1a, 0x0a, 1, 0, 0, 0];
  await writeFile(file, Uint8Array.from([...magic, ...new Uint8Array(4096).fill(0xff)]));
  await page.getByLabel('Image archive or saved session').setInputFiles(file);
  await expect(problem).toContainText('broken.linuxrun cannot be opened');
  await expectAccessible(page);
  await visitor.button('Dismiss').click();
  await expect(problem).toHaveCount(0);
});

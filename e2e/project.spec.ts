/** Tests projects: from an address by a link, and as a file. Starters are tested with the workbench. */
import { gzipSync } from 'node:zlib';
import { BlobWriter, TextReader, ZipWriter } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { PROXY_HEADER } from '../src/oci/proxied-fetch.ts';
import { makeTar } from '../src/oci/testing/image.ts';
import { expect, test } from './fixtures.ts';
import { textsOfZip } from './support/archives.ts';
import { BUSYBOX } from './support/visitor.ts';

const MANIFEST = {
  linuxrun: 1,
  name: 'Greeting',
  settings: { LINUXRUN_IMAGE: BUSYBOX, LINUXRUN_ENTRYPOINT: 'sh greet.sh', LINUXRUN_ENV: 'WHO=you' },
};
const SCRIPT = 'echo "hello $WHO" in "$PWD"\nexec sh\n';

function archive(): Buffer {
  const encode = (text: string) => new TextEncoder().encode(text);
  const files = [
    { path: 'repo-HEAD/linuxrun.json', contents: encode(JSON.stringify(MANIFEST)) },
    { path: 'repo-HEAD/greet.sh', contents: encode(SCRIPT) },
  ];
  return gzipSync(makeTar(files));
}

test('a link to a repository waits for clicks, and its project runs, and is downloaded', async ({
  page,
  visitor,
}) => {
  const asked: string[] = [];
  await page.route('**/archive/**', (route) => {
    asked.push(new URL(route.request().url()).pathname);
    return route.fulfill({ body: archive(), headers: { [PROXY_HEADER]: 'archive' } });
  });
  await page.goto('./?LINUXRUN_PROJECT=https://github.com/owner/repo');
  const notice = page.getByRole('note');
  await expect(notice).toContainText('https://github.com/owner/repo is not fetched before you say so');
  expect(asked).toEqual([]);
  await visitor.button('Get it').click();
  await expect(notice).toContainText('Run makes a container with its 1 file');
  expect(asked).toEqual(['/archive/codeload.github.com/owner/repo/tar.gz/HEAD']);
  await expect(visitor.whatRuns).toContainText('sh greet.sh with WHO=you in /project');
  await visitor.run();
  await visitor.expectScreen(/^hello you in \/project$/m);
  await visitor.type('echo more > new.txt; cat greet.sh');
  await visitor.expectScreen(/^exec sh$/m);

  await visitor.button('Kept').click();
  await expect(page.getByRole('heading', { name: 'Kept as greeting' })).toBeVisible();
  await visitor.button('Download project').click();
  const downloading = page.waitForEvent('download');
  await visitor.button('Download it').click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('greeting.zip');
  const texts = await textsOfZip(await download.path());
  expect(Object.keys(texts).sort()).toEqual([
    'greeting/greet.sh',
    'greeting/linuxrun.json',
    'greeting/new.txt',
  ]);
  // The values of variables stay out of it.
  expect(JSON.parse(texts['greeting/linuxrun.json'] ?? '')).toMatchObject({
    name: 'greeting',
    settings: { LINUXRUN_ENTRYPOINT: 'sh greet.sh', LINUXRUN_ENV: 'WHO=', LINUXRUN_WORKDIR: '/project' },
  });
});

test('a file with a mistake says what is wrong, and one without fills in the form', async ({
  page,
  visitor,
}) => {
  const zipOf = async (manifest: object) => {
    const zip = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
    await zip.add('linuxrun.json', new TextReader(JSON.stringify(manifest)));
    return Buffer.from(await (await zip.close()).arrayBuffer());
  };
  const pick = async (name: string, buffer: Buffer) => {
    const input = page.getByLabel('Image archive, project or saved session');
    await input.setInputFiles({ name, mimeType: '', buffer });
  };
  await visitor.open();
  await pick('bad.zip', await zipOf({ ...MANIFEST, relay: 'wss://x' }));
  await expect(visitor.problem).toContainText('bad.zip cannot be opened');
  await expect(visitor.problem).toContainText('linuxrun.json: "relay" is unknown');
  await pick('repo.tar.gz', archive());
  await expect(page.getByRole('note')).toContainText('The project Greeting');
  await expect(visitor.problem).toHaveCount(0);
  await visitor.button('Leave its files out').click();
  await expect(page.getByRole('note')).toHaveCount(0);
});

test('a project in a folder of the browser outlives its container', async ({ page, visitor }) => {
  await visitor.open();
  const input = page.getByLabel('Image archive, project or saved session');
  await input.setInputFiles({ name: 'repo.tar.gz', mimeType: '', buffer: archive() });
  await visitor.button('Keep its files in a folder').click();
  await expect(page.getByRole('note')).toContainText('has the folder Greeting of this browser at /project');
  await visitor.run();
  await visitor.expectScreen(/^hello you in \/project$/m);
  await visitor.type('clear; echo mine > new.txt; stat -c %a:%n . greet.sh; sync; echo saved');
  await visitor.expectScreen(/^777:\.\n666:greet\.sh\nsaved$/m);

  await test.step('its container has it again when it starts', async () => {
    await visitor.endAndRunAnother();
    await visitor.button('Start greeting').click();
    await visitor.expectScreen(/^hello you in \/project$/m);
    await visitor.type('clear; cat new.txt; echo more >> new.txt; sync; echo saved');
    await visitor.expectScreen(/^mine\nsaved$/m);
  });

  await test.step('another container has it when the first is deleted', async () => {
    await visitor.endAndRunAnother();
    await visitor.button('More for greeting').click();
    await visitor.button('Delete').click();
    await visitor.button('Delete it').click();
    await expect(visitor.button('Start greeting')).toHaveCount(0);
    await page.reload();
    await visitor.openOptions();
    await visitor.button('Use Greeting').click();
    await expect(page.getByRole('note')).toContainText('has the folder Greeting');
    await visitor.run();
    await visitor.expectScreen(/^hello you in \/project$/m);
    await visitor.type('clear; cat new.txt');
    await visitor.expectScreen(/^mine\nmore$/m);
  });
});

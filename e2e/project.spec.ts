/** Tests projects: from an address by a link, and as a file. Starters are tested with the workbench. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import {
  BlobReader,
  BlobWriter,
  TextReader,
  TextWriter,
  ZipReader,
  ZipWriter,
} from '@zip.js/zip.js/lib/zip-core-custom.js';
import { PROXY_HEADER } from '../src/oci/proxied-fetch.ts';
import { makeTar } from '../src/oci/testing/image.ts';
import { expect, test } from './fixtures.ts';
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
  const zip = new ZipReader(new BlobReader(new Blob([await readFile(await download.path())])));
  const texts = new Map<string, string>();
  for (const entry of await zip.getEntries())
    if (!entry.directory) texts.set(entry.filename, await entry.getData(new TextWriter()));
  expect([...texts.keys()].sort()).toEqual([
    'greeting/greet.sh',
    'greeting/linuxrun.json',
    'greeting/new.txt',
  ]);
  // The values of variables stay out of it.
  expect(JSON.parse(texts.get('greeting/linuxrun.json') ?? '')).toMatchObject({
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

import { BlobReader, type Entry, TextWriter, ZipReader } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { expect, test } from 'vitest';
import { FileError } from '../../api/errors.ts';
import type { FolderEntry } from '../../api/public.ts';
import { zipFolder } from './zip.ts';

const entry = (name: string, changes: Partial<FolderEntry> = {}): FolderEntry => ({
  ...{ name, type: 'file', mode: 0o4640, size: 1, mtime: new Date('2026-05-06T07:08:10Z') },
  ...{ uid: 0, gid: 0, isMountPoint: false, ...changes },
});
const folder = (name: string, isMountPoint = false) => entry(name, { type: 'directory', isMountPoint });

/** A container with these folders; the content of a file is its path. */
function containerOf(folders: Readonly<Record<string, readonly FolderEntry[]>>) {
  const gone = (path: string) => new FileError(`cannot read ${path}: no such file`, 'ENOENT');
  return {
    async *opendir(path: string) {
      if (!folders[path]) throw gone(path);
      yield* folders[path];
    },
    createReadStream(path: string) {
      if (!path.endsWith('gone')) return new Blob([path]).stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
      return new ReadableStream<never>({ pull: (controller) => controller.error(gone(path)) });
    },
  };
}

const options = () => ({
  signal: new AbortController().signal,
  meter: (content: ReadableStream<Uint8Array>) => content,
});

async function entriesOf(blob: Blob): Promise<Record<string, Entry>> {
  const entries = await new ZipReader(new BlobReader(blob)).getEntries();
  return Object.fromEntries(entries.map((each) => [each.filename, each]));
}

const textOf = (found: Entry | undefined) =>
  found?.directory === false ? found.getData(new TextWriter()) : undefined;

test('a folder is packed with its files, folders and links, and their permissions and times', async () => {
  const link = entry('link', { type: 'symlink', mode: 0o777, target: { path: '../x', type: undefined } });
  const old = entry('old', { mtime: new Date('1901-01-01') });
  const container = containerOf({
    '/srv': [entry('a'), folder('sub'), link, old],
    '/srv/sub': [entry('b'), folder('empty')],
    '/srv/sub/empty': [],
  });
  const { blob, files, skipped } = await zipFolder(container, '/srv', 'srv', options());
  expect([files, skipped]).toEqual([4, 0]);
  const entries = await entriesOf(blob);
  expect(Object.keys(entries).sort()).toEqual([
    ...['srv/', 'srv/a', 'srv/link', 'srv/old', 'srv/sub/', 'srv/sub/b', 'srv/sub/empty/'],
  ]);
  expect(await textOf(entries['srv/sub/b'])).toBe('/srv/sub/b');
  expect(entries['srv/a']).toMatchObject({
    unixMode: 0o100640,
    lastModDate: new Date('2026-05-06T07:08:10Z'),
  });
  expect(entries['srv/link']).toMatchObject({ unixMode: 0o120777, symlink: true });
  expect(await textOf(entries['srv/link'])).toBe('../x');
});

test('what is no file, is mounted or cannot be read is left out and counted', async () => {
  const container = containerOf({
    '/': [entry('fifo', { type: 'fifo' }), folder('proc', true), entry('gone'), folder('closed'), entry('a')],
  });
  const { blob, files, skipped } = await zipFolder(container, '/', 'container', options());
  expect([files, skipped]).toEqual([1, 4]);
  expect(Object.keys(await entriesOf(blob)).sort()).toEqual([
    'container/',
    'container/a',
    'container/closed/',
  ]);
  await expect(zipFolder(container, '/none', 'none', options())).rejects.toThrow(/no such file/);
});

test('no name leads out of the archive, and none replaces another', async () => {
  const container = containerOf({
    '/d': [entry('..\\..\\evil'), entry('a\\b'), entry('a_b'), entry('C:\n'), entry('\udcff')],
  });
  const { blob } = await zipFolder(container, '/d', '..\\d', options());
  expect(Object.keys(await entriesOf(blob)).sort()).toEqual([
    ...['.._d/', '.._d/.._.._evil', '.._d/C:_n', '.._d/_xff', '.._d/a_b', '.._d/a_b (2)'],
  ]);
});

test('its signal ends it', async () => {
  const abort = new AbortController();
  const container = {
    ...containerOf({ '/d': [] }),
    async *opendir() {
      for (let n = 0; ; n++) {
        if (n === 100) abort.abort(new Error('enough'));
        yield entry(`${n}`);
      }
    },
  };
  const packing = zipFolder(container, '/d', 'd', { ...options(), signal: abort.signal });
  await expect(packing).rejects.toThrow('enough');
});

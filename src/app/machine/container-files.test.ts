import { expect, test } from 'vitest';
import { FileError } from '../../api/errors.ts';
import type { RunningContainer } from '../../api/public.ts';
import { LARGEST_TEXT } from '../model/text-file.ts';
import { ContainerFiles } from './container-files.ts';

const filesOf = (fs: object) => new ContainerFiles(() => ({ fs }) as RunningContainer);

test('of a folder without end, the first files are listed', async () => {
  let hasLeft = false;
  const files = filesOf({
    async *opendir() {
      try {
        for (let n = 0; ; n++) yield { name: `${n}` };
      } finally {
        hasLeft = true;
      }
    },
  });
  const { entries, hasMore } = await files.list('/', 3);
  expect([entries.length, hasMore, hasLeft]).toEqual([3, true, true]);
});

test('a folder with as many files as are asked for has no more', async () => {
  const files = filesOf({
    async *opendir() {
      yield* [{ name: 'a' }, { name: 'b' }];
    },
  });
  expect(await files.list('/', 2)).toMatchObject({ entries: [{}, {}], hasMore: false });
});

test('only a file that is not there does not exist', async () => {
  const files = filesOf({
    lstat: async (path: string) => {
      if (path !== '/there') throw new FileError('no', path === '/none' ? 'ENOENT' : 'EACCES');
    },
  });
  expect([await files.exists('/there'), await files.exists('/none')]).toEqual([true, false]);
  await expect(files.exists('/secret')).rejects.toThrow('no');
});

test('an upload reports its bytes', async () => {
  const received: Uint8Array[] = [];
  const files = filesOf({
    writeFile: (_: string, content: ReadableStream<Uint8Array>) =>
      content.pipeTo(new WritableStream({ write: (part) => void received.push(part) })),
  });
  const reports: number[] = [];
  await files.upload(1, '/a', new File([new Uint8Array(200_000)], 'a'), (bytes) => reports.push(bytes));
  expect(Buffer.concat(received).length).toBe(200_000);
  expect(reports.at(-1)).toBe(200_000);
});

test('a job is cancelled by its number, and no other', async () => {
  const files = filesOf({
    rm: (_: string, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const removal = files.remove(1, '/a');
  files.cancel(2);
  files.cancel(1);
  await expect(removal).rejects.toMatchObject({ name: 'AbortError' });
});

test('a download has a type of its own, so that its name stays', async () => {
  const files = filesOf({ createReadStream: () => new Blob(['text']).stream() });
  const blob = await files.download(1, '/etc/passwd', () => {});
  expect([blob.type, await blob.text()]).toEqual(['application/octet-stream', 'text']);
});

const bytes = (text: string) => new TextEncoder().encode(text);

/** A file to which links lead. */
function fsWith(content: Uint8Array<ArrayBuffer>, links: Record<string, string> = {}) {
  const written: string[] = [];
  const fs = {
    stat: async () => ({ type: 'file', size: content.length }),
    lstat: async (path: string) => (path in links ? { target: { path: links[path] } } : {}),
    createReadStream: () => new Blob([content]).stream(),
    writeFile: async (path: string, text: string) => {
      written.push(`${path}: ${text}`);
    },
  };
  return { files: filesOf(fs), written };
}

test('a text is told from bytes, from a large file and from a missing one', async () => {
  expect(await fsWith(bytes('é')).files.readText('/a')).toEqual({ kind: 'text', text: 'é' });
  expect(await fsWith(Uint8Array.of(0)).files.readText('/a')).toEqual({ kind: 'binary' });
  expect(await fsWith(new Uint8Array(LARGEST_TEXT + 1)).files.readText('/a')).toEqual({ kind: 'large' });
  const missing = filesOf({
    stat: async () => {
      throw new FileError('no', 'ENOENT');
    },
  });
  expect(await missing.readText('/a')).toEqual({ kind: 'missing' });
});

test('a text is written only over the one that was read, and beyond links', async () => {
  const links = { '/a/link': '../b/next', '/a/../b/next': '/c/file' };
  const { files, written } = fsWith(bytes('old'), links);
  expect(await files.writeText('/a/link', 'new', 'other')).toEqual({ kind: 'text', text: 'old' });
  expect(await files.writeText('/a/link', 'new', null)).toEqual({ kind: 'text', text: 'old' });
  expect(written).toEqual([]);
  expect(await files.writeText('/a/link', 'new', 'old')).toBeUndefined();
  expect(written).toEqual(['/c/file: new']);
});

test('a new file replaces none', async () => {
  await expect(fsWith(bytes('')).files.makeFile('/a')).rejects.toThrow('already');
});

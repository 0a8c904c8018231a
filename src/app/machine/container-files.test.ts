import { expect, test } from 'vitest';
import { FileError } from '../../api/errors.ts';
import type { RunningContainer } from '../../api/public.ts';
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

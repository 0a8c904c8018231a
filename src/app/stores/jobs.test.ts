import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { deferred } from '../../machine/deferred.ts';
import type { Connection } from '../machine/connection.ts';
import type { OnBytes } from '../machine/container-files.ts';
import { current } from './connection.ts';
import { useJobs } from './jobs.ts';

const upload = vi.fn<(job: number, path: string, file: File, onBytes: OnBytes) => Promise<void>>();
const makeFolder = vi.fn<(path: string, recursive: boolean) => Promise<void>>();
const download = vi.fn<(job: number, path: string, onBytes: OnBytes) => Promise<Blob>>();
const cancel = vi.fn<(job: number) => void>();
const remove = vi.fn<(job: number, path: string) => Promise<void>>();

const state = () => useJobs.getState();
const file = (name: string, size = 1) => new File([new Uint8Array(size)], name);

beforeEach(() => {
  upload.mockReset().mockResolvedValue();
  makeFolder.mockReset().mockResolvedValue();
  download.mockReset();
  cancel.mockReset();
  remove.mockReset().mockResolvedValue();
  const files = { upload, makeFolder, download, cancel, remove };
  current.connection = { session: { files } } as unknown as Connection;
  state().reset();
});
afterEach(() => {
  current.connection = undefined;
});

it('uploads files into their folders, which it makes first', async () => {
  const picked = [
    { path: 'a.txt', file: file('a.txt', 3) },
    { path: 'empty', file: undefined },
    { path: 'app/sub/b', file: file('b', 4) },
  ];
  await state().upload(picked, '/');
  expect(makeFolder.mock.calls).toEqual([
    ['/empty', true],
    ['/app', true],
    ['/app/sub', true],
  ]);
  expect(upload.mock.calls.map(([, path]) => path)).toEqual(['/a.txt', '/app/sub/b']);
  expect(state().jobs).toMatchObject([{ title: 'Uploaded 2 files to /', state: 'done', total: 7 }]);
});

it('counts the bytes of all files', async () => {
  const seen: (number | undefined)[] = [];
  upload.mockImplementation(async (_, __, { size }, onBytes) => {
    onBytes(size);
    seen.push(state().jobs[0]?.bytes);
  });
  const picked = [3, 4].map((size) => ({ path: `${size}`, file: file(`${size}`, size) }));
  await state().upload(picked, '/tmp');
  expect(seen).toEqual([3, 7]);
});

it('stops at the first file that cannot be written, and reports the reason', async () => {
  upload.mockRejectedValueOnce(new Error('cannot write /a: no space left'));
  await state().upload(
    [
      { path: 'a', file: file('a') },
      { path: 'b', file: file('b') },
    ],
    '/',
  );
  expect(upload).toHaveBeenCalledOnce();
  expect(state().jobs).toMatchObject([{ state: 'failed', note: 'cannot write /a: no space left' }]);
});

it('cancels a transfer, whose error is no failure, and starts no further file', async () => {
  const failing = deferred<void>();
  upload.mockReturnValueOnce(failing.promise);
  const uploading = state().upload(
    [
      { path: 'a', file: file('a') },
      { path: 'b', file: file('b') },
    ],
    '/',
  );
  await expect.poll(() => upload).toHaveBeenCalled();
  const [{ id } = { id: 0 }] = state().jobs;
  state().cancel(id);
  expect(cancel).toHaveBeenCalledWith(id);
  failing.reject(new DOMException('cancelled', 'AbortError'));
  await uploading;
  expect(upload).toHaveBeenCalledOnce();
  expect(state().jobs).toMatchObject([{ state: 'cancelled' }]);
});

it('keeps failures until the user has seen them, and forgets results when something starts', async () => {
  download.mockRejectedValueOnce(new Error('cannot read /none: no such file'));
  await state().download('/none', 3);
  await state().remove('/tmp/x');
  await state().remove('/tmp/y');
  expect(state().jobs.map(({ title, note }) => [title, note])).toEqual([
    ['Downloading none', 'cannot read /none: no such file'],
    ['Deleted y from /tmp', ''],
  ]);
  state().dismiss(state().jobs[0]?.id ?? 0);
  expect(state().jobs.length).toBe(1);
});

it('forgets the jobs of a container that has ended', () => {
  upload.mockReturnValue(new Promise(() => {}));
  void state().upload([{ path: 'a', file: file('a') }], '/');
  expect(state().jobs.length).toBe(1);
  state().reset();
  expect(state().jobs).toEqual([]);
});

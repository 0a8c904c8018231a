import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import { current } from './connection.ts';
import { useTransfers } from './transfers.ts';

const upload = vi.fn<(path: string, file: File) => Promise<void>>();
const download = vi.fn<(path: string) => Promise<Blob>>();

const state = () => useTransfers.getState();

beforeEach(() => {
  upload.mockReset().mockResolvedValue();
  download.mockReset();
  current.connection = { session: { upload, download } } as unknown as Connection;
  state().reset();
});
afterEach(() => {
  current.connection = undefined;
});

it.each([
  ['/', '/a.txt'],
  ['/tmp/', '/tmp/a.txt'],
  ['/var/lib', '/var/lib/a.txt'],
])('puts files into %s', async (folder, path) => {
  const file = new File(['a'], 'a.txt');
  state().goTo(folder);
  await state().upload([file]);
  expect(upload).toHaveBeenCalledWith(path, file);
  expect(state()).toMatchObject({ note: `${path} is in the container`, isBusy: false, hasFailed: false });
});

it('stops at the first file that cannot be written, and reports the reason', async () => {
  upload.mockRejectedValueOnce(new Error('cannot write /a: no space left'));
  await state().upload([new File([], 'a'), new File([], 'b')]);
  expect(upload).toHaveBeenCalledOnce();
  expect(state()).toMatchObject({ note: 'cannot write /a: no space left', isBusy: false, hasFailed: true });
});

it('reports why a file cannot be read', async () => {
  download.mockRejectedValue(new Error('cannot read /none: no such file'));
  await state().download('/none');
  expect(state()).toMatchObject({ note: 'cannot read /none: no such file', hasFailed: true });
});

it('is ready again after the container ended during a transfer', () => {
  upload.mockReturnValue(new Promise(() => {}));
  void state().upload([new File([], 'a')]);
  expect(state().isBusy).toBe(true);
  state().reset();
  expect(state()).toMatchObject({ isBusy: false, note: '' });
});

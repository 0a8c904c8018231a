import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { FolderEntry } from '../../api/public.ts';
import type { Connection } from '../machine/connection.ts';
import type { Listing } from '../machine/container-files.ts';
import { current } from './connection.ts';
import { useEditor } from './editor.ts';
import { destination, filesRows, useFiles } from './files.ts';
import { useJobs } from './jobs.ts';

const folder = (name: string): FolderEntry => ({
  ...{
    name,
    type: 'directory',
    mode: 0o755,
    size: 0,
    mtime: new Date(0),
    uid: 0,
    gid: 0,
    isMountPoint: false,
  },
});

const list = vi.fn<(path: string, limit: number) => Promise<Listing>>();
const exists = vi.fn<(path: string) => Promise<boolean>>();
const rename = vi.fn<(path: string, newPath: string) => Promise<void>>();
const makeFolder = vi.fn<(path: string, recursive: boolean) => Promise<void>>();
const makeFile = vi.fn<(path: string) => Promise<void>>();
const upload = vi.fn<(job: number, path: string) => Promise<void>>();
const remove = vi.fn<(job: number, path: string) => Promise<void>>();

const state = () => useFiles.getState();
const paths = () => filesRows(state()).map(({ path }) => path);

beforeEach(() => {
  list.mockReset().mockImplementation(async (path) => ({
    entries: path === '/' ? [folder('srv'), folder('etc')] : path === '/srv' ? [folder('app')] : [],
    hasMore: false,
  }));
  exists.mockReset().mockResolvedValue(false);
  for (const action of [rename, makeFolder, makeFile, upload, remove]) action.mockReset().mockResolvedValue();
  const files = {
    ...{ list, exists, rename, makeFolder, makeFile, upload, remove, currentDir: async () => '/srv/app' },
    ...{
      readText: async () => ({ kind: 'text', text: '' }),
      watch: () => new Promise(() => {}),
      cancel: vi.fn(),
    },
  };
  current.connection = { session: { files } } as unknown as Connection;
  state().reset();
  useJobs.getState().reset();
  useEditor.getState().reset();
});
afterEach(() => {
  current.connection = undefined;
});

it('starts in the working directory, and reads the folders again when it is opened again', async () => {
  await state().show();
  expect(paths()).toEqual(['/', '/etc', '/srv', '/srv/app', '/srv/app']);
  expect(state().selected).toBe('/srv/app');
  expect(destination()).toBe('/srv/app');
  state().hide();
  list.mockClear();
  state().select('/etc');
  await state().show();
  expect(list.mock.calls.map(([path]) => path)).toEqual(['/', '/srv', '/srv/app']);
  expect(state().selected).toBe('/etc');
});

it('shows why a folder cannot be listed, and more of a large one on request', async () => {
  await state().show();
  list.mockRejectedValueOnce(new Error('cannot list /etc: not a directory'));
  await state().expand('/etc');
  expect(state().folders.get('/etc')?.problem).toBe('cannot list /etc: not a directory');
  const many = Array.from({ length: 1000 }, (_, n) => folder(`${n}`));
  list.mockResolvedValueOnce({ entries: many, hasMore: true });
  await state().expand('/etc');
  await state().showMore('/etc');
  expect(list.mock.calls.slice(-2)).toEqual([
    ['/etc', 1000],
    ['/etc', 2000],
  ]);
});

it('ignores a listing of a container that has ended', async () => {
  const listing = state().expand('/');
  current.connection = undefined;
  await listing;
  expect(state().folders.size).toBe(0);
});

it('asks before it replaces anything', async () => {
  const picked = ['app/a', 'app/b', 'new'].map((path) => ({ path, file: new File([], path) }));
  exists.mockImplementation(async (path) => path === '/srv/app');
  await state().offer(picked, '/srv');
  expect(state().question).toMatchObject({ kind: 'replace', folder: '/srv', taken: ['app'] });
  expect(exists).toHaveBeenCalledTimes(2);
  expect(upload).not.toHaveBeenCalled();
  exists.mockResolvedValue(false);
  await state().offer(picked, '/srv');
  expect(upload.mock.calls.map(([, path]) => path)).toEqual(['/srv/app/a', '/srv/app/b', '/srv/new']);
});

it('selects what it has made and renamed, and the folder of what it has removed', async () => {
  await state().makeFolder('/srv/made');
  expect(makeFolder).toHaveBeenCalledWith('/srv/made', false);
  expect(state().selected).toBe('/srv/made');
  await state().rename('/srv/made', 'other');
  expect(rename).toHaveBeenCalledWith('/srv/made', '/srv/other');
  expect(state().selected).toBe('/srv/other');
  await state().rename('/srv/other', 'other');
  expect(rename).toHaveBeenCalledOnce();
  await state().remove('/srv/other');
  expect(remove).toHaveBeenCalledWith(expect.any(Number), '/srv/other');
  expect(state().selected).toBe('/srv');
  expect(list).toHaveBeenLastCalledWith('/srv', 1000);
});

it('moves what is dragged, and asks again where it could not', async () => {
  state().drop('/srv/app', '/srv');
  state().drop('/srv/app', '/srv/app');
  expect(rename).not.toHaveBeenCalled();
  state().drop('/srv/app', '/etc');
  await expect.poll(() => state().selected).toBe('/etc/app');
  expect(rename).toHaveBeenCalledWith('/srv/app', '/etc/app');
  expect(state().expanded.has('/etc')).toBe(true);
  rename.mockRejectedValueOnce(new Error('there is a file of that name already'));
  state().drop('/srv/app', '/etc');
  await expect.poll(() => state().question).toMatchObject({ kind: 'move', failed: { folder: '/etc' } });
});

it('makes a file and opens it in the editor', async () => {
  await state().makeFile('/srv/new');
  expect(makeFile).toHaveBeenCalledWith('/srv/new');
  expect(state().selected).toBe('/srv/new');
  expect(useEditor.getState().active).toBe('/srv/new');
  await state().remove('/srv/new');
  expect(useEditor.getState().files).toEqual([]);
});

import { expect, it, test } from 'vitest';
import type { FolderEntry } from '../../api/public.ts';
import {
  destinationOf,
  type Folder,
  formatMode,
  join,
  nameProblem,
  parentOf,
  rowAt,
  rowsOf,
  savedName,
  sortEntries,
  wayTo,
} from './tree.ts';

const file = (name: string, changes: Partial<FolderEntry> = {}): FolderEntry => ({
  ...{ name, type: 'file', mode: 0o644, size: 1, mtime: new Date(0), uid: 0, gid: 0, isMountPoint: false },
  ...changes,
});
const folder = (name: string) => file(name, { type: 'directory' });
const link = (name: string, type?: 'file' | 'directory') =>
  file(name, { type: 'symlink', target: { path: 'x', type } });
const listed = (...entries: FolderEntry[]): Folder => ({ entries, hasMore: false });

test('folders, and links to folders, come first, and numbers count', () => {
  const sorted = sortEntries([
    file('b'),
    file('10'),
    link('z', 'directory'),
    link('a'),
    file('9'),
    folder('y'),
  ]);
  expect(sorted.map(({ name }) => name)).toEqual(['y', 'z', '9', '10', 'a', 'b']);
});

const FOLDERS = new Map([
  ['/', listed(folder('etc'), folder('tmp'), link('way', 'directory'), file('x'))],
  ['/etc', listed(file('passwd'))],
  ['/tmp', { entries: [file('1')], hasMore: true }],
  ['/way', { entries: [], hasMore: false, problem: 'no permission' }],
]);

test('rows are what is expanded, with places for screen readers', () => {
  const rows = rowsOf(FOLDERS, new Set(['/', '/tmp', '/way', '/none']));
  expect(rows.map(({ id, level, position, siblings }) => [id, level, position, siblings])).toEqual([
    ['/', 1, 1, 1],
    ['/etc', 2, 1, 4],
    ['/tmp', 2, 2, 4],
    ['/tmp/1', 3, 1, 2],
    ['/tmp\0', 3, 2, 2],
    ['/way', 2, 3, 4],
    ['/way\0', 3, 1, 1],
    ['/x', 2, 4, 4],
  ]);
  expect(rows[4]).toMatchObject({ kind: 'more', path: '/tmp' });
  expect(rows[6]).toMatchObject({ kind: 'problem', text: 'no permission' });
  expect(rows[1]).toMatchObject({ isExpanded: false });
  expect(rows[7]).toMatchObject({ isExpanded: undefined });
});

test('a folder that is not listed yet, or is empty, has a row that says so', () => {
  expect(rowsOf(new Map(), new Set(['/']))[1]).toMatchObject({ kind: 'loading' });
  expect(rowsOf(new Map([['/', listed()]]), new Set(['/']))[1]).toMatchObject({ kind: 'empty' });
});

test('a selected row that is gone gives way to the nearest folder', () => {
  const rows = rowsOf(FOLDERS, new Set(['/', '/tmp']));
  for (const [id, found] of [
    ['/tmp/1', '/tmp/1'],
    ['/tmp\0', '/tmp\0'],
    ['/etc\0', '/etc'],
    ['/tmp/gone/deeper', '/tmp'],
    ['/gone', '/'],
    ['/\0', '/'],
    ['/', '/'],
  ] as const)
    expect(rowAt(rows, id).id).toBe(found);
});

test('new files go to the selected folder, or to that of the selected file', () => {
  const rows = rowsOf(FOLDERS, new Set(['/', '/tmp']));
  const destination = (id: string) => destinationOf(rowAt(rows, id));
  expect(['/', '/etc', '/tmp/1', '/tmp\0', '/way', '/x'].map(destination)).toEqual([
    ...['/', '/etc', '/tmp', '/tmp', '/way', '/'],
  ]);
});

it.each([
  ['/', ['/']],
  ['/usr/src/app', ['/', '/usr', '/usr/src', '/usr/src/app']],
  ['//a/./b/../c/', ['/', '/a', '/a/c']],
  ['/../..', ['/']],
])('%s is reached through %j', (path, way) => {
  expect(wayTo(path)).toEqual(way);
});

test('paths are joined and cut at slashes', () => {
  expect([join('/', 'a'), join('/a', 'b'), parentOf('/a'), parentOf('/a/b'), parentOf('/')]).toEqual([
    ...['/a', '/a/b', '/', '/a', '/'],
  ]);
});

it.each(['', '.', '..', 'a/b', 'a\0'])('%j is no name', (name) => {
  expect(nameProblem(name)).toMatch(/name/);
});
test('other names are', () => {
  for (const name of ['a', '...', ' ', '-rf *', 'ä\n']) expect(nameProblem(name)).toBeUndefined();
});

it.each([
  [0o644, 'rw-r--r--'],
  [0o4755, 'rwsr-xr-x'],
  [0o2644, 'rw-r-Sr--'],
  [0o1777, 'rwxrwxrwt'],
  [0, '---------'],
])('mode %i is %s', (mode, text) => {
  expect(formatMode(mode)).toBe(text);
});

it.each([
  ['passwd', 'passwd'],
  ['a\\x1b:b.txt', 'a_x1b_b.txt'],
  ['/', '_'],
  ['', '_'],
])('%j is saved as %j', (name, saved) => {
  expect(savedName(name)).toBe(saved);
});

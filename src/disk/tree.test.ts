import { describe, expect, test } from 'vitest';
import { ImageError } from '../oci/errors.ts';
import type { TarEntry, TarIndex } from './tar-entry.ts';
import { type Directory, type Inode, isDirectory, mergeLayers } from './tree.ts';

const COMMON = { mode: 0o644, uid: 0, gid: 0, mtime: 1, mtimeNs: 0, xattrs: [] };
const file = (path: string, size = 0): TarEntry => ({ ...COMMON, path, type: 'file', size, offset: 512 });
const directory = (path: string, mode = 0o700): TarEntry => ({ ...COMMON, path, type: 'directory', mode });
const symlink = (path: string, target: string): TarEntry => ({ ...COMMON, path, type: 'symlink', target });
const hardlink = (path: string, target: string): TarEntry => ({ ...COMMON, path, type: 'hardlink', target });

const merge = (...layers: TarEntry[][]) =>
  mergeLayers(layers.map((entries): TarIndex => ({ size: 1024, entries })));

/** Returns all paths, directories with a slash and links with their target. */
function paths(inode: Inode, path = ''): string[] {
  if (!isDirectory(inode))
    return [inode.entry.type === 'symlink' ? `${path} -> ${inode.entry.target}` : path];
  const below = [...inode.children].flatMap(([name, child]) => paths(child.inode, `${path}/${name}`));
  return [...(path === '' ? [] : [`${path}/`]), ...below].sort();
}

function find(root: Directory, path: string): Inode {
  let inode: Inode = root;
  for (const name of path.split('/')) {
    const next: Inode | undefined = isDirectory(inode) ? inode.children.get(name)?.inode : undefined;
    if (next === undefined) throw new Error(`no ${path}`);
    inode = next;
  }
  return inode;
}

test('no layers make an empty root', () => {
  expect(paths(merge())).toEqual([]);
  expect(merge().entry).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
});

test('parents that no layer mentions belong to root, until one does', () => {
  const lower = [file('a/b/c')];
  expect(find(merge(lower), 'a/b').entry).toMatchObject({ type: 'directory', mode: 0o755, uid: 0, mtime: 0 });
  expect(find(merge(lower, [directory('a/b', 0o711)]), 'a/b').entry).toMatchObject({ mode: 0o711, mtime: 1 });
  expect(paths(merge(lower, [directory('a/b')]))).toEqual(['/a/', '/a/b/', '/a/b/c']);
});

describe('a later entry', () => {
  test('replaces a file', () => {
    expect(find(merge([file('f', 1)], [file('f', 2)]), 'f')).toMatchObject({ entry: { size: 2 }, layer: 1 });
    expect(find(merge([file('f', 1), file('f', 2)]), 'f')).toMatchObject({ entry: { size: 2 }, layer: 0 });
  });

  test('of a directory keeps its children', () => {
    const root = merge([directory('d'), file('d/f')], [directory('d', 0o755)]);
    expect(paths(root)).toEqual(['/d/', '/d/f']);
    expect(find(root, 'd').entry.mode).toBe(0o755);
  });

  test('of the root changes the root', () => {
    expect(merge([directory('', 0o711), file('f')]).entry.mode).toBe(0o711);
    expect(paths(merge([file('f')], [directory('')]))).toEqual(['/f']);
  });

  test('of a file replaces a directory with all its contents', () => {
    expect(paths(merge([file('d/e/f')], [file('d')]))).toEqual(['/d']);
    expect(paths(merge([file('d/e/f')], [file('d')], [directory('d')]))).toEqual(['/d/']);
  });
});

describe('whiteouts', () => {
  const lower = [directory('d'), file('d/a'), file('d/b'), file('d/e/f'), symlink('l', 'd')];

  test('of files and directories', () => {
    expect(paths(merge(lower, [file('d/.wh.a'), file('d/.wh.e')]))).toEqual(['/d/', '/d/b', '/l -> d']);
    expect(paths(merge(lower, [file('.wh.d')]))).toEqual(['/l -> d']);
    expect(paths(merge(lower, [file('.wh.l')]))).toEqual(paths(merge(lower.slice(0, 4))));
  });

  test('of missing entries', () => {
    expect(paths(merge(lower, [file('.wh.x'), file('d/.wh.x')]))).toEqual(paths(merge(lower)));
  });

  test('may be directories themselves', () => {
    expect(paths(merge(lower, [directory('.wh.d')]))).toEqual(['/l -> d']);
  });

  test('keep the entries of their own layer, before or after them', () => {
    expect(paths(merge(lower, [file('d/.wh.a'), file('d/a')]))).toContain('/d/a');
    expect(paths(merge(lower, [file('d/a'), file('d/.wh.a')]))).toContain('/d/a');
    expect(paths(merge(lower, [file('d/e/new'), file('.wh.d')]))).toEqual([
      '/d/',
      '/d/e/',
      '/d/e/new',
      '/l -> d',
    ]);
  });

  test('stay in effect for later layers', () => {
    expect(paths(merge(lower, [file('.wh.d')], [file('d/new')]))).toEqual(['/d/', '/d/new', '/l -> d']);
  });

  test('never become files', () => {
    expect(paths(merge([file('.wh.x'), file('.wh..wh..opq'), file('.wh..wh.plnk')]))).toEqual([]);
  });

  test.each(['.wh.', '.wh..', '.wh...'])('of the name %s are refused', (name) => {
    expect(() => merge(lower, [file(`d/${name}`)])).toThrow('whiteout of the name');
  });
});

describe('opaque directories', () => {
  const lower = [directory('d', 0o711), file('d/a'), file('d/e/f'), file('g')];

  test('hide all contents of lower layers', () => {
    const root = merge(lower, [file('d/.wh..wh..opq')]);
    expect(paths(root)).toEqual(['/d/', '/g']);
    expect(find(root, 'd').entry.mode).toBe(0o711);
    expect(paths(merge(lower, [file('.wh..wh..opq')]))).toEqual([]);
  });

  test('keep the entries of their own layer, before or after them', () => {
    const upper = [file('d/a', 5), file('d/.wh..wh..opq'), file('d/new')];
    const root = merge(lower, upper);
    expect(paths(root)).toEqual(['/d/', '/d/a', '/d/new', '/g']);
    expect(find(root, 'd/a')).toMatchObject({ layer: 1 });
    expect(paths(merge(lower, [file('d/e/new'), file('d/.wh..wh..opq')]))).toEqual([
      '/d/',
      '/d/e/',
      '/d/e/new',
      '/g',
    ]);
  });
});

describe('links as parents', () => {
  const lower = [file('target/f'), symlink('l', 'target'), symlink('m', '/target')];

  test('are replaced by directories for written entries', () => {
    expect(paths(merge(lower, [file('l/new')]))).toEqual([
      '/l/',
      '/l/new',
      '/m -> /target',
      '/target/',
      '/target/f',
    ]);
    expect(paths(merge([symlink('l', '/etc'), file('l/passwd'), file('etc/passwd')]))).toEqual([
      '/etc/',
      '/etc/passwd',
      '/l/',
      '/l/passwd',
    ]);
  });

  test('are replaced by directories for whiteouts, and the target stays', () => {
    expect(paths(merge(lower, [file('l/.wh.f')]))).toEqual(['/l/', '/m -> /target', '/target/', '/target/f']);
    expect(paths(merge(lower, [file('m/.wh..wh..opq')]))).toEqual([
      '/l -> target',
      '/m/',
      '/target/',
      '/target/f',
    ]);
  });

  test('are replaced by directories with their name', () => {
    expect(paths(merge(lower, [directory('l')]))).toEqual(['/l/', '/m -> /target', '/target/', '/target/f']);
  });

  test('in a circle need no special treatment', () => {
    const circle = [symlink('a', 'b'), symlink('b', 'a')];
    expect(paths(merge(circle, [file('a/.wh.x'), file('b/x')]))).toEqual(['/a/', '/b/', '/b/x']);
  });
});

describe('hard links', () => {
  test('share an inode, across layers too', () => {
    const root = merge([file('a', 7)], [hardlink('d/b', 'a')], [hardlink('c', 'd/b')]);
    expect(find(root, 'd/b')).toBe(find(root, 'a'));
    expect(find(root, 'c')).toBe(find(root, 'a'));
    expect(find(root, 'c')).toMatchObject({ entry: { size: 7 }, layer: 0 });
  });

  test('outlive the earlier names', () => {
    const root = merge([file('a', 7)], [hardlink('b', 'a'), file('.wh.a')]);
    expect(paths(root)).toEqual(['/b']);
    expect(paths(merge([file('a', 7)], [hardlink('b', 'a')], [file('a', 8)]))).toEqual(['/a', '/b']);
    expect(find(merge([file('a', 7)], [hardlink('b', 'a')], [file('a', 8)]), 'b')).toMatchObject({
      entry: { size: 7 },
    });
  });

  test('may name symbolic links, devices, and themselves', () => {
    const root = merge([symlink('l', 'x'), hardlink('m', 'l'), hardlink('m', 'm')]);
    expect(paths(root)).toEqual(['/l -> x', '/m -> x']);
  });

  test.each<[string, TarEntry[][], string]>([
    ['nothing', [[hardlink('b', 'a')]], 'hard link "b" to "a": there is no such file'],
    ['what comes later', [[hardlink('b', 'a'), file('a')]], 'no such file'],
    ['what was whited out', [[file('a')], [file('.wh.a'), hardlink('b', 'a')]], 'no such file'],
    [
      'what is only there through a link',
      [[file('d/a'), symlink('l', 'd'), hardlink('b', 'l/a')]],
      'no such file',
    ],
    ['a directory', [[directory('a'), hardlink('b', 'a')]], 'it is a directory'],
  ])('to %s are refused', (_, layers, message) => {
    expect(() => merge(...layers)).toThrow(message);
    expect(() => merge(...layers)).toThrow(ImageError);
  });
});

test('many whiteouts take linear time', () => {
  const files = Array.from({ length: 50_000 }, (_, i) => file(`d/e/${i}`));
  const markers = Array.from({ length: 50_000 }, (_, i) =>
    file(['d/.wh..wh..opq', 'd/e/.wh..wh..opq', '.wh.d'][i % 3] ?? ''),
  );
  const start = performance.now();
  const root = merge([file('d/e/lower')], [...files, ...markers]);
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(paths(find(root, 'd/e'))).toHaveLength(50_000);
});

test('an image with endless directories is refused before memory runs out', () => {
  const deep = Array.from({ length: 1100 }, (_, i) => file(`${i}${'/d'.repeat(2000)}`));
  expect(() => merge(deep)).toThrow(/more than \d+ files and directories/);
});

import { describe, expect, test } from 'vitest';
import { processorTime } from '../../scripts/testing/processor-time.mjs';
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
    expect(paths(merge([symlink('l', '/etc')], [file('l/passwd'), file('etc/passwd')]))).toEqual([
      '/etc/',
      '/etc/passwd',
      '/l/',
      '/l/passwd',
    ]);
  });

  test('are not followed by whiteouts, which change nothing', () => {
    const upper = [file('l/.wh.f'), file('m/.wh..wh..opq'), file('target/f/.wh.x'), file('no/such/.wh.x')];
    expect(paths(merge(lower, upper))).toEqual(paths(merge(lower)));
  });

  test('are replaced by directories with their name', () => {
    expect(paths(merge(lower, [directory('l')]))).toEqual(['/l/', '/m -> /target', '/target/', '/target/f']);
  });

  test('in a circle are replaced, too', () => {
    const circle = [symlink('a', 'b'), symlink('b', 'a')];
    expect(paths(merge(circle, [file('a/.wh.x'), file('b/x')]))).toEqual(['/a -> b', '/b/', '/b/x']);
  });
});

describe('links of the same layer as parents', () => {
  const merged = [directory('usr/lib'), file('usr/lib/a'), symlink('lib', 'usr/lib')];

  test.each<[string, TarEntry[], string[]]>([
    [
      'relative',
      [...merged, file('lib/b')],
      ['/lib -> usr/lib', '/usr/', '/usr/lib/', '/usr/lib/a', '/usr/lib/b'],
    ],
    ['absolute', [symlink('l', '/d'), file('l/f')], ['/d/', '/d/f', '/l -> /d']],
    [
      'dangling',
      [symlink('l', 'no/where'), file('l/f')],
      ['/l -> no/where', '/no/', '/no/where/', '/no/where/f'],
    ],
    [
      'with dots',
      [symlink('a/l', './../b//c/.'), file('a/l/f')],
      ['/a/', '/a/l -> ./../b//c/.', '/b/', '/b/c/', '/b/c/f'],
    ],
    [
      'above the root',
      [symlink('a/l', '../../../../b'), file('a/l/f')],
      ['/a/', '/a/l -> ../../../../b', '/b/', '/b/f'],
    ],
    ['to the root', [symlink('a/l', '/'), file('a/l/f')], ['/a/', '/a/l -> /', '/f']],
    [
      'to links',
      [symlink('l', 'm'), symlink('m', 'd'), directory('l/e')],
      ['/d/', '/d/e/', '/l -> m', '/m -> d'],
    ],
    [
      'hard links',
      [symlink('l', 'd'), hardlink('m', 'l'), file('m/f')],
      ['/d/', '/d/f', '/l -> d', '/m -> d'],
    ],
  ])('are followed: %s', (_, entries, expected) => {
    expect(paths(merge(entries))).toEqual(expected);
  });

  test('lead into directories of lower layers, which whiteouts of the layer then keep', () => {
    const lower = [file('d/old'), file('d/e/f')];
    const upper = [symlink('l', 'd'), file('l/new'), file('.wh.d')];
    expect(paths(merge(lower, upper))).toEqual(['/d/', '/d/new', '/l -> d']);
  });

  test('are themselves replaced by a directory with their name', () => {
    expect(paths(merge([...merged, directory('lib')]))).toEqual([
      '/lib/',
      '/usr/',
      '/usr/lib/',
      '/usr/lib/a',
    ]);
  });

  test('are followed to the targets of hard links, from any layer', () => {
    expect(paths(merge([...merged, hardlink('b', 'lib/a')]))).toContain('/b');
    expect(paths(merge(merged, [hardlink('b', 'lib/a')]))).toContain('/b');
  });

  test('in a circle are refused', () => {
    for (const last of [file('a/x'), file('a/.wh.x'), hardlink('x', 'a/x')])
      expect(() => merge([symlink('a', 'b'), symlink('b', 'a'), last])).toThrow(
        'path "a" leads through too many symbolic links',
      );
  });

  test('cannot take forever', () => {
    const chain = Array.from({ length: 30 }, (_, i) => symlink(`l${i}`, `${'./d/../'.repeat(500)}l${i + 1}`));
    const files = Array.from({ length: 50_000 }, (_, i) => file(`l0/${i}`));
    const time = processorTime(() =>
      expect(() => merge([directory('d'), ...chain, ...files])).toThrow(
        'lead through too many symbolic links',
      ),
    );
    expect(time).toBeLessThan(10_000);
  });
});

test('a file of the same layer as a parent is refused', () => {
  for (const layer of [
    [file('f'), file('f/x')],
    [file('f'), symlink('l', 'f'), file('l/x')],
  ])
    expect(() => merge(layer)).toThrow(/"f" is a file of the same layer/);
  expect(paths(merge([file('f')], [file('f/x')]))).toEqual(['/f/', '/f/x']);
});

describe('a whiteout in a folder that its layer replaced before', () => {
  const lower = [file('a/old'), file('b/old'), file('b/new')];

  test('by a link hides entries of lower layers at its target', () => {
    expect(paths(merge(lower, [symlink('a', 'b'), file('a/.wh.gone')]))).toEqual([
      '/a -> b',
      '/b/',
      '/b/new',
      '/b/old',
    ]);
    expect(paths(merge(lower, [symlink('a', 'b'), file('a/.wh.old')]))).toEqual(['/a -> b', '/b/', '/b/new']);
    expect(paths(merge(lower, [symlink('a', 'b'), file('a/mine'), file('a/.wh..wh..opq')]))).toEqual([
      '/a -> b',
      '/b/',
      '/b/mine',
    ]);
  });

  test('by a dangling link changes nothing', () => {
    const upper = [symlink('a', 'nowhere'), file('a/.wh.old'), file('a/.wh..wh..opq')];
    expect(paths(merge(lower, upper))).toEqual(['/a -> nowhere', '/b/', '/b/new', '/b/old']);
  });

  test('by a file changes nothing', () => {
    const upper = [file('a'), file('a/.wh.old'), file('a/.wh..wh..opq'), file('a/deep/.wh.x')];
    expect(paths(merge(lower, upper))).toEqual(['/a', '/b/', '/b/new', '/b/old']);
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
    ['what a file is on the way to', [[file('d'), hardlink('b', 'd/a')]], 'no such file'],
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
  const time = processorTime(() => {
    const root = merge([file('d/e/lower')], [...files, ...markers]);
    expect(paths(find(root, 'd/e'))).toHaveLength(50_000);
  });
  expect(time).toBeLessThan(10_000);
});

test('an image with endless directories is refused before memory runs out', () => {
  const deep = Array.from({ length: 1100 }, (_, i) => file(`${i}${'/d'.repeat(2000)}`));
  expect(() => merge(deep)).toThrow(/more than \d+ files and directories/);
});

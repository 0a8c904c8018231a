import { expect, it } from 'vitest';
import { FileError } from '../../api/errors.ts';
import type { RunningContainer } from '../../api/public.ts';
import { type Hit, searchFiles } from './search.ts';

type Tree = { readonly [name: string]: string | Tree };

const TREE: Tree = {
  src: { 'main.c': 'int needle;\n', 'a:7:b': 'first\nthe Needle\n' },
  needles: { deep: { 'x.txt': 'nothing' } },
  proc: { kmsg: 'needle' },
  bytes: 'needle\0',
};

/** A container with these files. */
function container(tree: Tree, grep?: (args: readonly string[]) => string) {
  const at = (path: string) =>
    path
      .split('/')
      .filter((name) => name)
      .reduce((tree, name) => (tree as Tree)[name] as Tree, tree as string | Tree);
  const fs = {
    async *opendir(path: string) {
      const folder = at(path);
      if (typeof folder !== 'object') throw new FileError('no folder', 'ENOTDIR');
      for (const [name, file] of Object.entries(folder)) {
        const type = typeof file === 'string' ? 'file' : 'directory';
        yield { name, type, size: file.length, isMountPoint: name === 'proc' };
      }
    },
    readFile: async (path: string) => new TextEncoder().encode(at(path) as string),
  };
  const exec = (args: readonly string[]) => ({
    stdout: new Blob([grep?.(args) ?? '']).stream(),
    wait: async () => (grep ? 0 : 127),
  });
  return { fs, exec } as unknown as RunningContainer;
}

async function search(where: RunningContainer, text: string, matchesCase = false, folder = '/') {
  const hits: Hit[] = [];
  const signal = new AbortController().signal;
  const result = await searchFiles(where, { folder, text, matchesCase }, signal, (some) =>
    hits.push(...some),
  );
  return { result, places: hits.map(({ path, line, column }) => `${path} ${line}:${column}`).sort() };
}

it('finds names and lines, but not in bytes and mounted file systems', async () => {
  const { places, result } = await search(container(TREE), 'needle');
  expect(places).toEqual(['/needles 0:0', '/src/a:7:b 2:4', '/src/main.c 1:4']);
  expect(result).toEqual({ isCut: false, skipped: 0 });
});

it('tells small letters from capitals when it is asked to', async () => {
  expect((await search(container(TREE), 'Needle', true, '/src')).places).toEqual(['/src/a:7:b 2:4']);
});

it('lets the program of the container search, and reads its lines', async () => {
  let asked: readonly string[] = [];
  const grep = (args: readonly string[]) => {
    asked = args;
    return '/src/a:7:b:2:the Needle\n/src/main.c:1:int needle;\n/elsewhere:1:needle\nBinary file matches\n';
  };
  const { places } = await search(container(TREE, grep), 'needle', false, '/src');
  expect(places).toEqual(['/src/a:7:b 2:4', '/src/main.c 1:4']);
  expect(asked.slice(0, 6)).toEqual(['grep', '-nHFi', '-m', '100', '-e', 'needle']);
  expect(asked.slice(6)).toEqual(['--', '/src/main.c', '/src/a:7:b']);
});

it('stops when there is too much', async () => {
  const many = Object.fromEntries(Array.from({ length: 1200 }, (_, n) => [`needle-${n}`, '']));
  const { places, result } = await search(container({ many }), 'needle');
  expect(places).toHaveLength(1000);
  expect(result.isCut).toBe(true);
});

it('counts what cannot be read, unless it is the folder itself', async () => {
  const broken = { in: { a: 'needle' }, out: { b: 'c' } };
  const where = container(broken);
  const { opendir } = where.fs;
  Object.assign(where.fs, {
    opendir: (path: string) => {
      if (path === '/out') throw new FileError('denied', 'EACCES');
      return opendir(path);
    },
  });
  expect((await search(where, 'needle')).result.skipped).toBe(1);
  await expect(search(where, 'needle', false, '/out')).rejects.toThrow('denied');
});

it('ends when it is cancelled', async () => {
  const abort = new AbortController();
  const tree = { a: { b: 'needle' }, needle: '' };
  const searching = searchFiles(
    container(tree),
    { folder: '/', text: 'needle', matchesCase: false },
    abort.signal,
    () => abort.abort(new DOMException('cancelled', 'AbortError')),
  );
  await expect(searching).rejects.toThrow('cancelled');
});

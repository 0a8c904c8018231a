import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileCache } from './cache.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function add(cache: FileCache, key: string, content: string): Promise<boolean> {
  const writer = await cache.create(key, content.length);
  await writer?.write(Buffer.from(content));
  await writer?.commit();
  return writer !== undefined;
}

async function get(cache: FileCache, key: string): Promise<string | undefined> {
  const file = await cache.find(key);
  if (!file) return undefined;
  const content = await file.handle.readFile('utf8').finally(() => file.handle.close());
  expect(file.size).toBe(content.length);
  return content;
}

describe('FileCache', () => {
  it('keeps committed files, also for later servers', async () => {
    const cache = await FileCache.open(join(folder, 'new'), 100);
    await add(cache, 'a', 'alpha');
    expect(await get(cache, 'a')).toBe('alpha');
    expect(await get(cache, 'b')).toBeUndefined();
    expect(await get(await FileCache.open(join(folder, 'new'), 100), 'a')).toBe('alpha');
  });

  it('keeps nothing of aborted files', async () => {
    const cache = await FileCache.open(folder, 10);
    const writer = await cache.create('a', 10);
    await writer?.write(Buffer.from('alpha'));
    expect(await get(cache, 'a')).toBeUndefined();
    await writer?.abort();
    await writer?.commit();
    expect(await get(cache, 'a')).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
    expect(await add(cache, 'b', '0123456789')).toBe(true);
  });

  it('drops the least recently used files', async () => {
    const cache = await FileCache.open(folder, 30);
    for (const key of ['a', 'b', 'c']) await add(cache, key, key.repeat(10));
    await get(cache, 'a');
    await add(cache, 'd', 'd'.repeat(10));
    expect((await readdir(folder)).sort()).toEqual(['a', 'c', 'd']);
    expect(await get(cache, 'b')).toBeUndefined();
  });

  it('counts files that are being written, and frees their space', async () => {
    const cache = await FileCache.open(folder, 30);
    await add(cache, 'a', 'a'.repeat(10));
    const first = await cache.create('b', 15);
    const second = await cache.create('c', 15);
    expect(await readdir(folder)).not.toContain('a');
    expect(await cache.create('d', 1)).toBeUndefined();
    await first?.abort();
    await second?.abort();
    expect(await add(cache, 'd', 'd'.repeat(30))).toBe(true);
  });

  it('refuses files that are too large, present, or already being written', async () => {
    const cache = await FileCache.open(folder, 10);
    expect(await cache.create('a', 11)).toBeUndefined();
    const writer = await cache.create('a', 5);
    expect(await cache.create('a', 5)).toBeUndefined();
    await writer?.write(Buffer.from('alpha'));
    await writer?.commit();
    expect(await cache.create('a', 5)).toBeUndefined();
  });

  it('remembers the order of use, and its bound, when it is opened again', async () => {
    const cache = await FileCache.open(folder, 30);
    for (const [index, key] of ['a', 'b', 'c'].entries()) {
      await add(cache, key, key.repeat(10));
      await utimes(join(folder, key), 1000 + index, 1000 + index);
    }
    await get(cache, 'a');
    await FileCache.open(folder, 20);
    expect((await readdir(folder)).sort()).toEqual(['a', 'c']);
  });

  it('sweeps leftovers of a killed server, but no file that may still be written', async () => {
    await writeFile(join(folder, 'old.1.part'), 'x');
    await utimes(join(folder, 'old.1.part'), 1000, 1000);
    await writeFile(join(folder, 'new.1.part'), 'x');
    const cache = await FileCache.open(folder, 10);
    expect(await readdir(folder)).toEqual(['new.1.part']);
    expect(await get(cache, 'new.1.part')).toBeUndefined();
  });

  it('continues when files vanish, and when nothing can be written', async () => {
    const cache = await FileCache.open(folder, 10);
    await add(cache, 'a', 'alpha');
    const writer = await cache.create('b', 5);
    await writer?.write(Buffer.from('beta!'));
    await rm(folder, { recursive: true });
    expect(await get(cache, 'a')).toBeUndefined();
    await writer?.commit();
    expect(await get(cache, 'b')).toBeUndefined();
    expect(await cache.create('c', 10)).toBeUndefined();
  });
});

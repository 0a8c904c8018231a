import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { pattern } from '../machine/devices/testing/guest-driver.ts';
import { StorageError } from '../storage/errors.ts';
import { MemoryDiskFiles } from '../storage/memory.ts';
import { CHUNK } from './block-backend.ts';
import { KeptDisk } from './kept-disk.ts';
import { type Chunk, readKeptDisk, writeKeptDisk } from './kept-disk-file.ts';

const SIZE = 6 << 20;
const PLACE = 5 << 20;

/** Chunks in a form that is compared quickly. */
function summary(chunks: Iterable<Chunk>): [number, string][] {
  return [...chunks].map(([chunk, bytes]) => [chunk, createHash('sha256').update(bytes).digest('hex')]);
}

async function collect(chunks: AsyncIterable<Chunk>): Promise<[number, string][]> {
  const all: Chunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return summary(all);
}

test('a disk is exported as it is, or as it was at a checkpoint, and imported', async () => {
  const files = new MemoryDiskFiles();
  const disk = await KeptDisk.open(await files.open('a'), { sizeBytes: SIZE });
  disk.write(PLACE, [pattern(CHUNK + 512, 1)]);
  const checkpoint = await disk.checkpoint();
  const before = summary(disk.chunks());
  disk.write(PLACE, [pattern(CHUNK, 2)]);
  disk.write(PLACE + (512 << 10), [pattern(512, 3)]);
  await disk.flush();
  expect(await collect(readKeptDisk(files, 'a'))).toEqual(summary(disk.chunks()));
  expect(await collect(readKeptDisk(files, 'a', checkpoint))).toEqual(before);
  await writeKeptDisk(files, 'b', SIZE, readKeptDisk(files, 'a', checkpoint));
  const copy = await KeptDisk.open(await files.open('b'), { sizeBytes: SIZE });
  expect(summary(copy.chunks())).toEqual(before);
  await expect(collect(readKeptDisk(files, 'none'))).rejects.toThrow(StorageError);
  await expect(collect(readKeptDisk(files, 'a', 99))).rejects.toThrow(/saved session/);
});

test('a disk without content gets a file system', async () => {
  const files = new MemoryDiskFiles();
  await writeKeptDisk(files, 'a', SIZE, []);
  expect(await collect(readKeptDisk(files, 'a'))).toEqual([]);
  const disk = await KeptDisk.open(await files.open('a'), { sizeBytes: SIZE });
  expect([...disk.chunks()].length).toBeGreaterThan(0);
});

test('hostile chunks are refused, and replace nothing', async () => {
  const files = new MemoryDiskFiles();
  const good: Chunk = [3, pattern(CHUNK)];
  await writeKeptDisk(files, 'a', SIZE, [good]);
  const bytes = new Uint8Array(CHUNK);
  const hostile: Chunk[][] = [
    [[SIZE / CHUNK, bytes]],
    [[-1, bytes]],
    [[0.5, bytes]],
    [[1, new Uint8Array(CHUNK - 1)]],
    [
      [2, bytes],
      [2, bytes],
    ],
    [
      [2, bytes],
      [1, bytes],
    ],
  ];
  for (const chunks of hostile)
    await expect(writeKeptDisk(files, 'a', SIZE, chunks)).rejects.toThrow(StorageError);
  expect(await collect(readKeptDisk(files, 'a'))).toEqual(summary([good]));
});

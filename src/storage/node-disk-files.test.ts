import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StorageError, StorageFullError } from './errors.ts';
import { NodeDiskFiles } from './node-disk-files.ts';
import { processMark } from './process-mark.ts';

const MIB = 1 << 20;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-disks-'));
});
afterEach(() => rm(folder, { recursive: true }));

function bytes(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}

it('opens, grows, cuts, lists and removes files', async () => {
  const files = new NodeDiskFiles(join(folder, 'disks'));
  expect(await files.list()).toEqual([]);
  expect(await files.openReadOnly('a')).toBeUndefined();
  const file = await files.open('a');
  file.resize(3 * MIB);
  file.write(MIB, bytes(1000, 1));
  file.write(3 * MIB, bytes(1000, 2));
  await file.flush();
  expect([file.size, await files.size('a')]).toEqual([3 * MIB + 1000, 3 * MIB + 1000]);
  const into = bytes(1002, 9);
  file.read(MIB - 1, into);
  expect([into[0], into[1], into[1000], into[1001]]).toEqual([0, 1, 1, 0]);
  file.resize(MIB);
  file.resize(2 * MIB);
  file.read(MIB, into);
  expect(into).toEqual(bytes(1002, 0));
  const reading = await files.openReadOnly('a');
  expect([reading?.size, (await reading?.read(2 * MIB - 10, 100))?.length]).toEqual([2 * MIB, 10]);
  await reading?.close();
  file.close();
  expect(await files.list()).toEqual(['a']);
  await files.remove('a');
  await files.remove('a');
  expect([await files.list(), await files.size('a')]).toEqual([[], 0]);
});

it('makes whole files or none', async () => {
  const files = new NodeDiskFiles(folder);
  await files.create('a', (write) => write(5, bytes(5, 1)));
  const failing = files.create('a', async (write) => {
    await write(0, bytes(1000, 2));
    throw new Error('enough');
  });
  await expect(failing).rejects.toThrow('enough');
  expect(await files.size('a')).toBe(10);
  expect(await readdir(folder)).toEqual(['a']);
});

it('removes the unfinished files of killed processes', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const [dead, living] = [processMark().replace(/^\d+/, String(pid)), processMark()];
  for (const mark of [dead, living]) await writeFile(join(folder, `a=${mark}`), '');
  const files = new NodeDiskFiles(folder);
  expect(await files.list()).toEqual([]);
  expect(await readdir(folder)).toEqual([`a=${living}`]);
});

it('explains failures of the file system', async () => {
  await writeFile(join(folder, 'file'), '');
  const files = new NodeDiskFiles(join(folder, 'file'));
  await expect(files.open('a')).rejects.toThrow(StorageError);
  await expect(files.create('a', async () => {})).rejects.toThrow(/cannot use .*file/);
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0;

it.skipIf(!canMount)('keeps its size and content on a full disk', async () => {
  const small = join(folder, 'small');
  spawnSync('mkdir', [small]);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', small]).status !== 0) return;
  try {
    const files = new NodeDiskFiles(small);
    const file = await files.open('a');
    file.resize(6 * MIB);
    file.write(0, bytes(6 * MIB, 1));
    expect(() => file.resize(12 * MIB)).toThrow(StorageFullError);
    expect(file.size).toBe(6 * MIB);
    file.write(5 * MIB, bytes(MIB, 2));
    file.resize(7 * MIB);
    const into = bytes(MIB, 9);
    file.read(6 * MIB, into);
    expect(into.every((byte) => byte === 0)).toBe(true);
    await expect(files.create('b', (write) => write(0, bytes(4 * MIB, 1)))).rejects.toThrow(StorageFullError);
    expect(await readdir(small)).toEqual(['a']);
    file.close();
  } finally {
    spawnSync('umount', [small]);
  }
});

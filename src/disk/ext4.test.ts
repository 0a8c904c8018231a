import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryBlockBackend } from './block-backend.ts';
import { formatExt4 } from './ext4.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-ext4-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A sparse file with the size and the contents of the disk. */
function formatFile(sizeBytes: number, hasJournal: boolean): string {
  const file = join(folder, `${sizeBytes}.ext4`);
  const fd = openSync(file, 'w');
  ftruncateSync(fd, sizeBytes);
  const disk = {
    sizeBytes,
    readOnly: false,
    read: () => {},
    write(offset: number, [bytes]: Uint8Array[]) {
      writeSync(fd, bytes as Uint8Array, 0, bytes?.length, offset);
    },
    flush: () => {},
  };
  formatExt4(disk, { hasJournal });
  closeSync(fd);
  return file;
}

const SIZES = [
  ...[1, 16, 100, 127, 128, 129, 130, 512].map((size) => size * MIB),
  ...[1, 2, 8].map((size) => size * GIB),
  GIB + 5 * 512,
];

describe('e2fsck finds nothing wrong', () => {
  const cases = SIZES.flatMap((size) => [false, true].map((hasJournal) => ({ size, hasJournal })));
  test.each(cases.filter(({ size, hasJournal }) => !hasJournal || size >= 16 * MIB))('%o', (each) => {
    const file = formatFile(each.size, each.hasJournal);
    const { status, stdout } = spawnSync('/usr/sbin/e2fsck', ['-fn', file], { encoding: 'utf8' });
    expect(stdout).toMatch(/11\/\d+ files/);
    expect([status, stdout]).toEqual([0, stdout]);
  });
});

test('dumpe2fs sees the features and sizes', () => {
  const text = execFileSync('/usr/sbin/dumpe2fs', ['-h', formatFile(GIB, true)], { encoding: 'utf8' });
  const field = (name: string) => new RegExp(`^${name}: +(.*)$`, 'm').exec(text)?.[1];
  expect(field('Filesystem features')?.split(' ').sort()).toEqual([
    'dir_index',
    'dir_nlink',
    'ext_attr',
    'extent',
    'extra_isize',
    'filetype',
    'has_journal',
    'huge_file',
    'large_file',
    'sparse_super',
  ]);
  expect(field('Block count')).toBe(String(GIB / 4096));
  expect(field('Reserved block count')).toBe('0');
  expect(field('Inode count')).toBe(String(GIB / 8192));
  expect(field('Filesystem state')).toBe('clean');
  expect(field('Journal inode')).toBe('8');
  expect(field('Total journal size')).toBe('8M');
  expect(field('Journal backup')).toBe('inode blocks');
});

test('uses little memory', () => {
  const disk = new MemoryBlockBackend(GIB);
  formatExt4(disk);
  expect(disk.allocatedBytes).toBeLessThanOrEqual(2 * MIB);
});

test('refuses a disk that is too small', () => {
  expect(() => formatExt4(new MemoryBlockBackend(64 << 10))).toThrow(RangeError);
});

import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { indexTar } from '../../../src/disk/testing/images.ts';

const INIT = join(import.meta.dirname, '..');
const FLAGS = ['-std=gnu11', '-g', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined'];
const HEADERS = [
  'errno.h',
  'stdint.h',
  'stdlib.h',
  'string.h',
  'unistd.h',
  join(INIT, 'test/host.h'),
].flatMap((file) => ['-include', file]);
const PATH = `${'p'.repeat(150)}/${'p'.repeat(149)}`;

let folder: string;
let program: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-tar-'));
  program = join(folder, 'archive');
  const sources = ['test/archive.c', 'tar.c'].map((file) => join(INIT, file));
  execFileSync('gcc', [...FLAGS, ...HEADERS, ...sources, '-o', program]);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('what the old fields cannot hold is in extended headers', () => {
  const { entries } = indexTar(execFileSync(program));
  const [file, link] = entries;
  expect(entries).toHaveLength(2);
  expect(file).toMatchObject({
    ...{ type: 'file', path: PATH, mode: 0o640, uid: 4_000_000_000, gid: 2_097_152, size: 0 },
    ...{ mtime: -2, mtimeNs: 750_000_000 },
    xattrs: [{ name: 'user.name', value: Uint8Array.of(97, 0, 10) }],
  });
  expect(link).toMatchObject({ type: 'hardlink', path: 'link', target: PATH, mtime: 2 ** 33, mtimeNs: 0 });
});

test('a file of more than 8 GiB is what GNU tar expects', () => {
  const size = 9 * 2 ** 30 + 1;
  const head = execFileSync(program, [`${size}`]).subarray(0, -1024);
  const archive = openSync(join(folder, 'tar'), 'w');
  writeSync(archive, head);
  ftruncateSync(archive, head.length + Math.ceil(size / 512) * 512 + 1024);
  closeSync(archive);
  const listed = execFileSync('tar', ['--numeric-owner', '-tvf', join(folder, 'tar')], { encoding: 'utf8' });
  expect(listed).toMatch(new RegExp(`^-rw-r----- 4000000000/2097152 +${size} 1969-12-3\\S+ \\S+ ${PATH}\n$`));
});

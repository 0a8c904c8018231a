import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { appletsOf } from './images.mjs';
import { writeTar } from './tar.mjs';

test('writes archives that tar reads', () => {
  const archive = writeTar([
    { path: 'folder/', type: 'directory', mode: 0o1777 },
    { path: 'folder/file', type: 'file', mode: 0o644, data: Buffer.from('contents') },
    { path: 'link', type: 'symlink', target: 'folder/file' },
  ]);
  const options = {
    input: archive,
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
  } as const;
  expect(execFileSync('tar', ['-tv', '--numeric-owner'], options).split('\n')).toEqual([
    'drwxrwxrwt 0/0               0 1970-01-01 00:00 folder/',
    '-rw-r--r-- 0/0               8 1970-01-01 00:00 folder/file',
    'lrwxr-xr-x 0/0               0 1970-01-01 00:00 link -> folder/file',
    '',
  ]);
  expect(execFileSync('tar', ['-xO', 'folder/file'], options)).toBe('contents');
});

test('refuses names that do not fit', () => {
  expect(() => writeTar([{ path: 'x'.repeat(101), type: 'directory' }])).toThrow(RangeError);
});

test('finds the applets of BusyBox, and nothing else', () => {
  const applets = appletsOf(readFileSync('dist/busybox'));
  expect(applets.slice(0, 2)).toEqual(['[', '[[']);
  expect(applets.at(-1)).toBe('zcat');
  expect(new Set(applets).size).toBe(applets.length);
  expect(() => appletsOf(Buffer.from('[\0[[\0ash\0'))).toThrow(/applets/);
});

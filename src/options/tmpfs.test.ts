import { expect, test } from 'vitest';
import { OptionError } from './option-error.mjs';
import { parseAllTmpfs, parseTmpfs } from './tmpfs.mjs';

const NOSUID = 2;
const NODEV = 4;
const NOEXEC = 8;

test.each([
  ['/run', { path: '/run', flags: NOSUID | NODEV | NOEXEC, options: '' }],
  ['/run:', undefined],
  ['/run:defaults', { path: '/run', flags: NOSUID | NODEV | NOEXEC, options: '' }],
  ['//a/./b/', { path: '/a/b', flags: NOSUID | NODEV | NOEXEC, options: '' }],
  ['/x:exec,suid,size=64m,mode=0750', { path: '/x', flags: NODEV, options: 'size=64m,mode=0750' }],
  ['/x:ro,noatime', { path: '/x', flags: 1 | 1024 | NOSUID | NODEV | NOEXEC, options: '' }],
  ['/x:ro,rw', { path: '/x', flags: NOSUID | NODEV | NOEXEC, options: '' }],
  ['/x:size=50%,uid=1000,gid=0', { path: '/x', flags: 14, options: 'size=50%,uid=1000,gid=0' }],
  ['/dev/shm:size=1g', { path: '/dev/shm', flags: 14, options: 'size=1g' }],
])('%s', (text, mount) => {
  if (mount) expect(parseTmpfs(text)).toEqual(mount);
  else expect(() => parseTmpfs(text)).toThrow(OptionError);
});

test.each([
  ...['', 'x', '/', '/.', '/..', '/a/../b', '/x\0', ':size=1m'],
  ...['/x:dev', '/x:size', '/x:size=', '/x:size=1x', '/x:size=-1', '/x:mode=9', '/x:bind', '/x:remount'],
  ...['/x:size=1m,,', '/x:uid=1,lowerdir=/', '/x:mode=1:2', '/x:SIZE=1m'],
])('refuses %j with a reason', (text) => {
  expect(() => parseTmpfs(text)).toThrow(OptionError);
});

test.each(['/proc', '/proc/sys', '/sys', '/dev', '/dev/pts', '/run/linuxrun', '/run//linuxrun/x'])(
  'leaves %s to the container',
  (path) => {
    expect(() => parseTmpfs(path)).toThrow(/which the container needs/);
  },
);

test('mounts the outer ones first, and each once', () => {
  const mounts = parseAllTmpfs(['/run/a/b:size=1m', '/run', '/run/a', '/run:size=2m']);
  expect(mounts.map(({ path, options }) => [path, options])).toEqual([
    ['/run', 'size=2m'],
    ['/run/a', ''],
    ['/run/a/b', 'size=1m'],
  ]);
});

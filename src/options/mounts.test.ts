import { describe, expect, test } from 'vitest';
import { parseMount, parseMounts } from './mounts.mjs';

describe('a shared folder', () => {
  test.each([
    ['./a:/b', './a', '/b', false],
    ['/a b:/b//c/./:ro', '/a b', '/b/c', true],
    ['/a:/b:rw', '/a', '/b', false],
    ['/with:colon:/b', '/with:colon', '/b', false],
    ['C:/Users/me:/me:ro', 'C:/Users/me', '/me', true],
    ['C:\\Users:/me', 'C:\\Users', '/me', false],
    ['.:/src', '.', '/src', false],
    ['~/x:/dev/shm', '~/x', '/dev/shm', false],
  ])('%s', (text, source, path, readOnly) => {
    expect(parseMount(text)).toEqual({ source, path, readOnly });
  });

  test.each([
    ['/a', 'write DIR:/path'],
    [':/b', 'write DIR:/path'],
    ['/a:b', 'with an absolute path in the container'],
    ['data:/b', 'write ./data instead of data'],
    ['/a:/b:z', '"z" is no option of a shared folder'],
    ['/a:/', 'not the root'],
    ['/a:/b/../c', 'the path must be absolute'],
    ['/a:/proc/x', 'choose another path'],
    ['/a:/dev', 'choose another path'],
  ])('%s is refused', (text, message) => {
    expect(() => parseMount(text)).toThrow(message);
  });

  test('is one of several, whose names may have commas', () => {
    expect(parseMounts('./a\\,b:/x,/c\\\\d:/y:ro')).toEqual([
      { source: './a,b', path: '/x', readOnly: false },
      { source: '/c\\d', path: '/y', readOnly: true },
    ]);
  });
});

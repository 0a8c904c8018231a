import { expect, it } from 'vitest';
import { archiveUrl, isArchiveAddress } from './archive-address.ts';

const PAGE = 'https://run.example/';

it.each([
  ['https://github.com/o/r', 'https://codeload.github.com/o/r/tar.gz/HEAD'],
  ['https://github.com/o/r.git/', 'https://codeload.github.com/o/r/tar.gz/HEAD'],
  ['https://github.com/o/r.js/tree/feature/x', 'https://codeload.github.com/o/r.js/tar.gz/feature/x'],
  [
    'https://github.com/o/r/archive/refs/heads/main.zip',
    'https://codeload.github.com/o/r/zip/refs/heads/main',
  ],
  ['https://gitlab.com/g/r/-/archive/v1/r-v1.tar.gz', 'https://gitlab.com/g/r/-/archive/v1/r-v1.tar.gz'],
  ['projects/a.zip', 'https://run.example/projects/a.zip'],
])('%s is fetched from %s', (address, url) => {
  expect(archiveUrl(address, PAGE).href).toBe(url);
});

it.each([
  ...['http://github.com/o/r', 'https://user:password@github.com/o/r', 'javascript:alert(1)', 'data:,x'],
  ...['blob:https://run.example/1', 'ftp://github.com/o/r', 'https://'],
])('%s is refused', (address) => {
  expect(() => archiveUrl(address, PAGE)).toThrow(/https address/);
});

it.each([
  ['https://github.com/o/r', true],
  ['https://codeberg.org/o/r/archive/main.zip', true],
  ['https://github.com/o', false],
  ['https://gitlab.com/g/r', false],
  ['https://hub.docker.com/_/alpine', false],
  ['ghcr.io/o/r', false],
  ['https://github.com/o/r and more', false],
])('%s is pasted as a project: %s', (text, expected) => {
  expect(isArchiveAddress(text)).toBe(expected);
});

import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const places = vi.hoisted(() => ({ PROJECT: '' }));
vi.mock('./places.mjs', async (original) => ({
  ...(await original<typeof import('./places.mjs')>()),
  inProject: (path: string) => join(places.PROJECT, path),
}));

import { looksUnchanged, noteLook } from './glance.mjs';

const project = (path: string) => join(places.PROJECT, path);

beforeEach(async () => {
  places.PROJECT = await mkdtemp(join(tmpdir(), 'linuxrun-glance-'));
  await mkdir(project('source/deep'), { recursive: true });
  await writeFile(project('source/deep/text'), 'one');
  await writeFile(project('output'), '');
  noteLook('run', ['source', 'more', '/etc/passwd'], ['output']);
});
afterEach(() => rm(places.PROJECT, { recursive: true }));

test('finds an unchanged set-up unchanged', () => {
  expect(looksUnchanged('run')).toBe(true);
});

test('ignores tests', async () => {
  await mkdir(project('source/testing'));
  await writeFile(project('source/testing/helper.ts'), '');
  await writeFile(project('source/deep/text.test.ts'), '');
  expect(looksUnchanged('run')).toBe(true);
});

test('does not know a purpose that was never noted', () => {
  expect(looksUnchanged('other')).toBe(false);
});

test.each<[string, () => Promise<unknown>]>([
  ['a file was added', () => writeFile(project('source/more'), '')],
  ['a file was removed', () => rm(project('source/deep/text'))],
  ['what was absent is there', () => writeFile(project('more'), '')],
  ['what was built is gone', () => rm(project('output'))],
  ['the note is damaged', () => writeFile(project('dist/.setup/glance-run'), '{')],
  [
    'a file was rewritten, of the same size and with its old time',
    async () => {
      await writeFile(project('source/deep/text'), 'two');
      await utimes(project('source/deep/text'), new Date(0), new Date(0));
    },
  ],
])('%s', async (_, change) => {
  await utimes(project('source/deep/text'), new Date(0), new Date(0));
  noteLook('run', ['source', 'more'], ['output']);
  expect(looksUnchanged('run')).toBe(true);
  await change();
  expect(looksUnchanged('run')).toBe(false);
});

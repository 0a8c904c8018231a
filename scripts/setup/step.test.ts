import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const places = vi.hoisted(() => ({ PROJECT: '', CACHE: '' }));
vi.mock('./places.mjs', async (original) => ({
  ...(await original<typeof import('./places.mjs')>()),
  get CACHE() {
    return places.CACHE;
  },
  inProject: (path: string) => join(places.PROJECT, path),
}));

import { ensure, isInPlace, type Step } from './step.mjs';

let folder: string;
let builds: number;

/** Another clone that shares the cache with the ones before. */
async function enterClone(name: string) {
  places.PROJECT = join(folder, name);
  await mkdir(join(places.PROJECT, 'source'), { recursive: true });
  await writeFile(join(places.PROJECT, 'source/text'), 'one');
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-step-'));
  places.CACHE = join(folder, 'cache');
  builds = 0;
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await enterClone('clone');
});
afterEach(() => {
  vi.restoreAllMocks();
  return rm(folder, { recursive: true });
});

const project = (path: string) => join(places.PROJECT, path);
const output = () => readFile(project('out/result'), 'utf8');

const step: Step = {
  name: 'upper',
  title: 'upper case',
  sources: ['source'],
  versions: () => ['1'],
  outputs: { result: 'out/result', folder: 'out/folder' },
  async run(work) {
    builds++;
    await writeFile(join(work, 'result'), (await readFile(project('source/text'), 'utf8')).toUpperCase());
    await mkdir(join(work, 'folder'));
    await writeFile(join(work, 'folder/count'), String(builds));
  },
};

test('builds once for the same inputs, and again for others', async () => {
  await ensure(step);
  await ensure(step);
  expect([await output(), builds]).toEqual(['ONE', 1]);

  await writeFile(project('source/text'), 'two');
  expect(await isInPlace(step)).toBe(false);
  await ensure(step);
  expect([await output(), builds]).toEqual(['TWO', 2]);
  expect(await readFile(project('out/folder/count'), 'utf8')).toBe('2');

  await ensure({ ...step, versions: () => ['2'] });
  expect(builds).toBe(3);
});

test('inputs seen before come from the cache, and so do lost outputs', async () => {
  await ensure(step);
  await writeFile(project('source/text'), 'two');
  await ensure(step);
  await writeFile(project('source/text'), 'one');
  await ensure(step);
  expect([await output(), builds]).toEqual(['ONE', 2]);

  await rm(project('out'), { recursive: true });
  await ensure(step);
  expect([await output(), builds]).toEqual(['ONE', 2]);
});

test('a second clone shares what the first has built', async () => {
  await ensure(step);
  await enterClone('second');
  await ensure(step);
  expect([await output(), builds]).toEqual(['ONE', 1]);
});

test('a file renamed or moved in the sources is another input', async () => {
  await ensure(step);
  await rm(project('source/text'));
  await writeFile(project('source/other'), 'one');
  expect(await isInPlace(step)).toBe(false);
});

test('a build that fails leaves nothing, and the next one starts afresh', async () => {
  const leftovers: boolean[] = [];
  const failing: Step = {
    ...step,
    async run(work) {
      leftovers.push(existsSync(join(work, 'result')));
      await step.run(work);
      throw new Error('interrupted');
    },
  };
  await expect(ensure(failing)).rejects.toThrow('interrupted');
  await expect(ensure(failing)).rejects.toThrow('interrupted');
  expect(leftovers).toEqual([false, false]);
  expect(await isInPlace(step)).toBe(false);
  expect(existsSync(project('out'))).toBe(false);

  await ensure(step);
  expect(await output()).toBe('ONE');
});

test('a step that resumes finds what it had made', async () => {
  const resuming: Step = {
    ...step,
    resumes: true,
    async run(work) {
      if (!existsSync(join(work, 'half'))) {
        await writeFile(join(work, 'half'), 'one and');
        throw new Error('interrupted');
      }
      await step.run(work);
      await writeFile(join(work, 'result'), `${await readFile(join(work, 'half'))} two`);
    },
  };
  await expect(ensure(resuming)).rejects.toThrow('interrupted');
  await ensure(resuming);
  expect(await output()).toBe('one and two');
});

test('results that nothing has used for a month are swept at the next build', async () => {
  await ensure(step);
  const [old] = (await readdir(join(places.CACHE, step.name))).filter((name) => !name.endsWith('.lock'));
  const entry = join(places.CACHE, step.name, old ?? '');
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);

  await utimes(entry, daysAgo(29), daysAgo(29));
  await ensure({ ...step, versions: () => ['2'] });
  expect(existsSync(entry)).toBe(true);

  await utimes(entry, daysAgo(31), daysAgo(31));
  await ensure({ ...step, versions: () => ['3'] });
  expect(existsSync(entry)).toBe(false);
});

test('two at once build once', async () => {
  await Promise.all([ensure(step), ensure(step)]);
  expect([await output(), builds]).toEqual(['ONE', 1]);
});

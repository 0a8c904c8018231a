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

/** Enters another clone, which shares the cache with the earlier ones. */
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

test('takes results of known inputs, and lost outputs, from the cache', async () => {
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

test('shares the results of one clone with another', async () => {
  await ensure(step);
  await enterClone('second');
  await ensure(step);
  expect([await output(), builds]).toEqual(['ONE', 1]);
});

test('treats a renamed or moved source file as a new input', async () => {
  await ensure(step);
  await rm(project('source/text'));
  await writeFile(project('source/other'), 'one');
  expect(await isInPlace(step)).toBe(false);
});

test('leaves nothing behind after a failed build, and starts the next one afresh', async () => {
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

test('keeps the work folder of a step that resumes', async () => {
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

test('sweeps results that nothing has used for a month at the next build', async () => {
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

test('builds once when two set-ups run at the same time', async () => {
  await Promise.all([ensure(step), ensure(step)]);
  expect([await output(), builds]).toEqual(['ONE', 1]);
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const places = vi.hoisted(() => ({ CACHE: '' }));
vi.mock('./places.mjs', async (original) => ({
  ...(await original<typeof import('./places.mjs')>()),
  get CACHE() {
    return places.CACHE;
  },
}));

import { buildInBackground } from './background.mjs';

let written: string[];
beforeEach(() => {
  places.CACHE = mkdtempSync(join(tmpdir(), 'linuxrun-background-'));
  written = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(places.CACHE, { recursive: true });
});

const build = (script: string) => buildInBackground('thing', 'sh', ['-c', script]);
const logs = () => readdirSync(join(places.CACHE, 'logs')).map((name) => join(places.CACHE, 'logs', name));

test('tells only the start and the end of a build, whose progress is in a log', async () => {
  const go = join(places.CACHE, 'go');
  build(`seq 1 1000; seq 1 1000 >&2; until [ -e '${go}' ]; do sleep 0.1; done`);
  const [log = ''] = logs();
  await expect.poll(() => readFileSync(log, 'utf8').split('\n').length).toBe(2001);
  expect(written).toEqual([`[set-up] thing: building in the background; progress is in ${log}\n`]);
  writeFileSync(go, '');
  await expect.poll(() => written.slice(1)).toEqual(['[set-up] thing: ready\n']);
  expect(logs()).toEqual([]);
});

test('keeps the log of a build that fails, and names it', async () => {
  build('echo broken; exit 3');
  await expect.poll(() => written.length).toBe(2);
  const [, log = ''] = /^\[set-up\] thing: cannot be built; the log: (.*)\n$/.exec(written[1] ?? '') ?? [];
  expect(existsSync(log)).toBe(true);
  expect(readFileSync(log, 'utf8')).toBe('broken\n');
});

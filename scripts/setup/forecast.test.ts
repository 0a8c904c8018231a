import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

import { formatForecast, measure, plan, settle, timeLeft } from './forecast.mjs';
import { report, say, showBuilding } from './progress.mjs';

const MINUTE = 60_000;
let written: string[];

beforeEach(() => {
  places.CACHE = mkdtempSync(join(tmpdir(), 'linuxrun-forecast-'));
  vi.useFakeTimers();
  written = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  plan([]);
  rmSync(places.CACHE, { recursive: true });
});

/** Makes standard error a terminal of this width, or none. */
function setTerminal(columns: number | undefined) {
  const { stderr } = process;
  Object.defineProperty(stderr, 'isTTY', { value: columns !== undefined, configurable: true });
  Object.defineProperty(stderr, 'columns', { value: columns, configurable: true });
}

const takes = (duration: number) => async () => void vi.setSystemTime(Date.now() + duration);

test('forecasts by typical durations at first, then by those of this computer', async () => {
  plan(['kernel', 'anything']);
  expect(timeLeft()).toBe(213_000);
  await measure('kernel', takes(10 * MINUTE));
  expect(timeLeft()).toBe(3_000);
  plan(['kernel', 'anything']);
  expect(timeLeft()).toBe(603_000);
});

test('ignores a file of durations that is damaged', () => {
  for (const text of ['', 'null', '[1]', '{"kernel":"soon"}']) {
    writeFileSync(join(places.CACHE, 'durations.json'), text);
    plan(['kernel']);
    expect(timeLeft()).toBe(210_000);
  }
});

test('counts what is left of the current part, by its share if that is known', async () => {
  plan(['kernel', 'kernel-smp']);
  const left: number[] = [];
  await measure('kernel', async () => {
    vi.setSystemTime(Date.now() + MINUTE);
    left.push(timeLeft(), timeLeft(0.25), timeLeft(0.001));
    vi.setSystemTime(Date.now() + 60 * MINUTE);
    left.push(timeLeft());
  });
  expect(left).toEqual([6.5 * MINUTE, 7 * MINUTE, 6.5 * MINUTE, 4 * MINUTE]);
});

test('leaves out a part that the cache had', () => {
  plan(['kernel', 'core']);
  settle('kernel');
  expect(timeLeft()).toBe(10_000);
});

test('forgets a part that fails', async () => {
  plan(['core']);
  await expect(measure('core', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  plan(['core']);
  expect(timeLeft()).toBe(10_000);
});

test.each([
  [0, 'less than a minute'],
  [29_999, 'less than a minute'],
  [50_000, 'about 1 min'],
  [6.4 * MINUTE, 'about 6 min'],
])('%i ms: %s', (time, text) => {
  expect(formatForecast(time)).toBe(text);
});

test('reports the time left, of the innermost of two reports, until it ends', () => {
  setTerminal(undefined);
  plan(['kernel']);
  const endOuter = report(() => 'outer');
  const endInner = report(() => 'inner');
  vi.advanceTimersByTime(15_000);
  endInner();
  vi.advanceTimersByTime(15_000);
  endOuter();
  vi.advanceTimersByTime(60_000);
  expect(written).toEqual(['[set-up] inner; about 4 min left\n', '[set-up] outer; about 4 min left\n']);
});

test('rewrites one line of a terminal, which does not wrap', () => {
  setTerminal(30);
  const end = report(() => 'a step with a long name');
  vi.advanceTimersByTime(2_000);
  end();
  say('done');
  const line = '\r\x1b[K[set-up] a step with a long na';
  expect(written).toEqual([line.slice(0, 4 + 29), line.slice(0, 4 + 29), '\r\x1b[K[set-up] done\n']);
});

test('tells the start and the end of a part', async () => {
  await showBuilding('core', 'emulator core', 'building', takes(65_000));
  expect(written).toEqual([
    '[set-up] emulator core: building\n',
    '[set-up] emulator core: ready after 1:05\n',
  ]);
});

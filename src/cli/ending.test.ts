import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SIGHUP, SIGINT, SIGKILL, SIGTERM, STOP_GRACE } from '../options/signals.ts';
import { Ending, HANG_UP_GRACE } from './ending.ts';

const SIGQUIT = 3;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The container and what it was told. */
function setUp() {
  const told: string[] = [];
  const ending = new Ending({
    kill: (signal) => told.push(`kill ${signal}`),
    askToEnd: (signal) => told.push(`ask ${signal}`),
  });
  return { told, ending };
}

test('passes signals on', () => {
  const { told, ending } = setUp();
  for (const signal of [SIGHUP, SIGHUP, SIGQUIT, SIGINT]) ending.signal(signal);
  vi.advanceTimersByTime(10 * STOP_GRACE);
  expect(told).toEqual(['kill 1', 'kill 1', 'kill 3', 'kill 2']);
});

test('kills what is left when the time after SIGTERM is over', () => {
  const { told, ending } = setUp();
  ending.signal(SIGTERM);
  vi.advanceTimersByTime(STOP_GRACE - 1);
  expect(told).toEqual(['ask 15']);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['ask 15', 'kill 9']);
});

test.each([
  [SIGINT, SIGINT],
  [SIGINT, SIGTERM],
  [SIGTERM, SIGTERM],
  [SIGTERM, SIGINT],
])('kills at once at a second signal: %i, %i', (first, second) => {
  const { told, ending } = setUp();
  ending.signal(first);
  vi.advanceTimersByTime(500);
  ending.signal(second);
  expect(told.slice(1)).toEqual([`kill ${SIGKILL}`]);
});

test('takes a signal to the process and to its group as one', () => {
  const { told, ending } = setUp();
  ending.signal(SIGTERM);
  vi.advanceTimersByTime(100);
  ending.signal(SIGTERM);
  expect(told).toEqual(['ask 15']);
});

test('gives a container without a terminal less time, once', () => {
  const { told, ending } = setUp();
  ending.hangUp();
  ending.hangUp();
  expect(told).toEqual(['ask 1']);
  vi.advanceTimersByTime(HANG_UP_GRACE);
  expect(told).toEqual(['ask 1', 'kill 9']);
});

test('is overdue when not even SIGKILL helps', async () => {
  const { ending } = setUp();
  ending.kill();
  vi.advanceTimersByTime(1_000);
  expect(await ending.overdue).toBe(137);
});

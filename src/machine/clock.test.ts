import { afterEach, expect, test, vi } from 'vitest';
import { M_TIME_OFFSET } from '../../emulator-wasm/layout.ts';
import { GuestTime, machineClock, monotonicNow, watchTimeOfDay } from './clock.ts';

afterEach(() => vi.restoreAllMocks());

function clockAt(start: number): { latest: Int32Array; set(milliseconds: number): void; now(): number } {
  let time = start;
  vi.spyOn(performance, 'now').mockImplementation(() => time);
  const latest = new Int32Array(new SharedArrayBuffer(4));
  return {
    latest,
    set: (milliseconds) => {
      time = milliseconds;
    },
    now: machineClock(performance.timeOrigin, latest),
  };
}

test('counts ticks of 100 ns since the epoch', () => {
  const clock = clockAt(0);
  expect(clock.now()).toBe(0);
  clock.set(1.5);
  expect(clock.now()).toBe(15_000);
});

test('never returns an earlier time than another thread has read', () => {
  const clock = clockAt(5);
  const other = machineClock(performance.timeOrigin, clock.latest);
  expect(clock.now()).toBe(50_000);
  clock.set(4.995);
  expect(other()).toBe(50_000);
  clock.set(5.001);
  expect(other()).toBe(50_010);
});

test('needs no shared word for a single thread', () => {
  const clock = clockAt(5);
  const alone = machineClock(performance.timeOrigin, undefined);
  clock.set(5.001);
  expect(alone()).toBe(50_010);
  expect(clock.latest[0]).toBe(0);
});

test('continues when the shared word wraps', () => {
  const wrap = 2 ** 31 / 10_000;
  const clock = clockAt(wrap - 0.001);
  expect(clock.now()).toBe(2 ** 31 - 10);
  clock.set(wrap + 0.001);
  expect(clock.now()).toBe(2 ** 31 + 10);
  clock.set(wrap);
  expect(clock.now()).toBe(2 ** 31 + 10);
});

test.each([250_000, 420_000, 10_000_000])('is correct after %i ms without a reading', (pause) => {
  const clock = clockAt(100);
  clock.now();
  clock.set(100 + pause);
  expect(clock.now()).toBe((100 + pause) * 10_000);
});

test('the monotonic clock is close to the wall clock', () => {
  expect(Math.abs(monotonicNow() - Date.now())).toBeLessThan(60_000);
});

test('the time of a guest stands still while its machine is suspended', () => {
  const clock = clockAt(100);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const time = new GuestTime(memory, performance.timeOrigin, undefined);
  const offset = new BigInt64Array(memory.buffer, M_TIME_OFFSET, 1);
  offset[0] = 5n;
  expect(time.now()).toBe(1_000_005n);
  time.stop();
  // A hart's clock may be ahead by what browsers blur.
  const stopped = 1_010_005n;
  expect(offset[0]).toBe(stopped);
  clock.set(60_000);
  expect(time.start()).toBe(stopped);
  expect(time.now()).toBe(stopped);
  clock.set(60_001);
  expect(time.now()).toBe(stopped + 10_000n);
});

test('notices that the computer has slept', () => {
  vi.useFakeTimers();
  const onChange = vi.fn();
  const stop = watchTimeOfDay(onChange);
  vi.advanceTimersByTime(10_000);
  expect(onChange).not.toHaveBeenCalled();
  // The monotonic clock stands still.
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(10_000);
  expect(onChange).toHaveBeenCalledOnce();
  stop();
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(10_000);
  expect(onChange).toHaveBeenCalledOnce();
  vi.useRealTimers();
});

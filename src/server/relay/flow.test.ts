import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Flow } from './flow.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function makeFlow(bytesPerSecond: number) {
  const passed: number[] = [];
  const state = { hasRoom: true };
  const flow = new Flow({
    bytesPerSecond,
    hasRoom: () => state.hasRoom,
    pass: (frame) => void passed.push(frame[0] as number),
  });
  const push = (first: number, length = 1000) => flow.push(new Uint8Array(length).fill(first));
  return { flow, passed, state, push };
}

test('frames pass no faster than the rate, in their order, and none is lost', () => {
  const { flow, passed, push } = makeFlow(10_000);
  for (let index = 0; index < 50; index++) push(index);
  // The quarter of a second that may pass at once, the last frame on credit.
  expect(passed).toHaveLength(3);
  expect(flow.waiting).toBe(47_000);
  vi.advanceTimersByTime(1000);
  expect(passed.length).toBeGreaterThanOrEqual(12);
  expect(passed.length).toBeLessThanOrEqual(13);
  vi.advanceTimersByTime(10_000);
  expect(passed).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect([flow.waiting, vi.getTimerCount()]).toEqual([0, 0]);
});

test('says whether the rate has been at work', () => {
  const { flow, push } = makeFlow(10_000);
  push(0);
  expect(flow.wasSlowed()).toBe(false);
  for (let index = 0; index < 10; index++) push(index);
  expect([flow.wasSlowed(), flow.wasSlowed()]).toEqual([true, true]);
  vi.advanceTimersByTime(5000);
  expect([flow.wasSlowed(), flow.wasSlowed()]).toEqual([true, false]);
});

test('frames wait for room', () => {
  const { flow, passed, state, push } = makeFlow(1 << 20);
  state.hasRoom = false;
  push(1);
  push(2);
  expect([passed, flow.waiting]).toEqual([[], 2000]);
  vi.advanceTimersByTime(10_000);
  expect(passed).toEqual([]);
  state.hasRoom = true;
  // It must not overtake those that wait.
  push(3);
  flow.resume();
  expect(passed).toEqual([1, 2, 3]);
});

test('many small frames are slowed, too', () => {
  const { passed, push } = makeFlow(512 * 40);
  for (let index = 0; index < 100; index++) push(index, 1);
  expect(passed.length).toBeLessThanOrEqual(11);
});

test('nothing passes after the end', () => {
  const { flow, passed, push } = makeFlow(1000);
  for (let index = 0; index < 5; index++) push(index);
  const { length } = passed;
  flow.close();
  vi.advanceTimersByTime(10_000);
  flow.resume();
  expect([passed.length, flow.waiting, vi.getTimerCount()]).toEqual([length, 0, 0]);
});

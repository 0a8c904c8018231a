import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Rate, Tasks, Throttle } from './rate.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a rate allows a burst, then so many a second, and collects no more than a burst', () => {
  const rate = new Rate({ perSecond: 10, burst: 3 });
  const taken = () => [1, 2, 3, 4, 5].filter(() => rate.tryTake()).length;
  expect(taken()).toBe(3);
  expect(rate.delay).toBe(100);
  vi.advanceTimersByTime(200);
  expect(taken()).toBe(2);
  vi.advanceTimersByTime(60_000);
  expect([taken(), rate.delay > 0]).toEqual([3, true]);
});

test('a rate may be overdrawn, and then pays its debt first', () => {
  const rate = new Rate({ perSecond: 1000, burst: 500 });
  rate.spend(1499);
  expect(rate.delay).toBe(1000);
  vi.advanceTimersByTime(999);
  expect(rate.delay).toBe(1);
  vi.advanceTimersByTime(1);
  expect(rate.delay).toBe(0);
});

test('a throttle admits all items in their order, except those taken back', () => {
  const admitted: number[] = [];
  const throttle = new Throttle<number>({ perSecond: 10, burst: 2 }, (item) => admitted.push(item));
  for (let item = 1; item <= 6; item++) throttle.add(item);
  throttle.delete(4);
  expect(admitted).toEqual([1, 2]);
  vi.advanceTimersByTime(150);
  expect(admitted).toEqual([1, 2, 3]);
  vi.advanceTimersByTime(1000);
  expect(admitted).toEqual([1, 2, 3, 5, 6]);
  expect(vi.getTimerCount()).toBe(0);
});

test('tasks are bounded and begin at a rate, and those that fail free their place', async () => {
  const tasks = new Tasks(2, { perSecond: 10, burst: 1 });
  const begun: string[] = [];
  const run = (name: string) =>
    tasks.run(async () => {
      begun.push(name);
      throw new Error(name);
    });
  const [first, second] = [run('first'), run('second')];
  expect(run('third')).toBeUndefined();
  await expect(first).rejects.toThrow('first');
  expect(begun).toEqual(['first']);
  void run('fourth');
  vi.advanceTimersByTime(100);
  await expect(second).rejects.toThrow('second');
  tasks.close();
  await vi.advanceTimersByTimeAsync(1000);
  expect(begun).toEqual(['first', 'second']);
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Watch } from './watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('asks a worker that answers once a second, and says nothing', async () => {
  const ask = vi.fn(async () => {});
  const tell = vi.fn();
  const watch = new Watch(ask, tell);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ask).toHaveBeenCalledTimes(61);
  watch.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ask).toHaveBeenCalledTimes(61);
  expect(tell).not.toHaveBeenCalled();
});

it('tells once that a worker is silent, and that it answers after all', async () => {
  let answer = () => {};
  const ask = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
  const tell = vi.fn();
  const watch = new Watch(ask, tell);
  await vi.advanceTimersByTimeAsync(14_500);
  expect(tell).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tell.mock.calls).toEqual([[true]]);
  expect(ask).toHaveBeenCalledOnce();
  answer();
  await vi.advanceTimersByTimeAsync(1500);
  expect(tell.mock.calls).toEqual([[true], [false]]);
  expect(ask).toHaveBeenCalledTimes(2);
  watch.end();
});

it('tells nothing after its end', async () => {
  const tell = vi.fn();
  const watch = new Watch(() => new Promise(() => {}), tell);
  watch.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tell).not.toHaveBeenCalled();
});

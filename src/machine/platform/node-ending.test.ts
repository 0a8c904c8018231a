import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../deferred.ts';
import { returns } from './node-ending.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('gives up a call that does not return, with a warning', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
  const call = deferred<void>();
  const waiting = returns(call.promise, '/folder', 1000);
  vi.advanceTimersByTime(999);
  expect(warn).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(await waiting).toBe(false);
  expect(warn.mock.calls.join()).toContain('/folder does not answer');
  call.resolve();
});

test('leaves no timer when a call returns', async () => {
  expect(await returns(Promise.resolve(), '/folder', 1000)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

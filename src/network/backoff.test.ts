import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('pauses grow, the last one repeats, and a reset starts again', () => {
  const backoff = new Backoff([100, 300]);
  expect([backoff.next(), backoff.next(), backoff.isRepeating]).toEqual([100, 300, false]);
  expect([backoff.next(), backoff.isRepeating]).toEqual([300, true]);
  backoff.reset();
  expect([backoff.isRepeating, backoff.next()]).toEqual([false, 100]);
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Throttle } from './events.ts';
import type { SessionEvent } from './messages.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const progress = (name: string, received: number): SessionEvent => ({
  type: 'progress',
  diffId: `sha256:${name}`,
  received,
  stored: received,
});

it('passes on the latest progress of each layer at intervals', () => {
  const passed: SessionEvent[] = [];
  const { send } = new Throttle((event) => passed.push(event));
  for (const received of [1, 2, 3]) send(progress('a', received));
  send(progress('b', 1));
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(passed).toEqual([progress('a', 3), progress('b', 1)]);
  vi.advanceTimersByTime(1000);
  expect(passed).toHaveLength(2);
});

it('passes other events on at once, after earlier events', () => {
  const passed: SessionEvent[] = [];
  const { send } = new Throttle((event) => passed.push(event));
  send(progress('a', 1));
  send({ type: 'stored', diffId: 'sha256:a' });
  expect(passed).toEqual([progress('a', 1), { type: 'stored', diffId: 'sha256:a' }]);
  vi.advanceTimersByTime(1000);
  expect(passed).toHaveLength(2);
});

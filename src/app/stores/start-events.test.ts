import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SessionEvent } from '../machine/messages.ts';
import { StartEvents } from './start-events.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

function record() {
  const passed: [type: SessionEvent['type'], at: number][] = [];
  const begin = performance.now();
  const events = new StartEvents(({ type }, at) => passed.push([type, at - begin]));
  return { events, passed };
}

test('the steps of a start are passed on together, with the times at which they came', () => {
  const { events, passed } = record();
  events.add({ type: 'booted' });
  vi.advanceTimersByTime(30);
  events.add({ type: 'started' });
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(20);
  expect(passed).toEqual([
    ['booted', 0],
    ['started', 30],
  ]);
});

test('an event that nobody may wait for comes at once, after the steps before it', () => {
  const { events, passed } = record();
  events.add({ type: 'started' });
  events.add({ type: 'exit', status: 0 });
  expect(passed.map(([type]) => type)).toEqual(['started', 'exit']);
  vi.advanceTimersByTime(100);
  expect(passed).toHaveLength(2);
});

test('the first output brings the steps with it', () => {
  const { events, passed } = record();
  events.add({ type: 'started' });
  events.flush();
  expect(passed).toEqual([['started', 0]]);
});

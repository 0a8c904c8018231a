import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BootWatch } from './boot-watch.ts';
import { MachineError } from './errors.ts';
import { createMemory, planMemory } from './memory.ts';

let now = 0;
let watch: BootWatch;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  watch = new BootWatch(createMemory(planMemory(1, 32 << 20), 0), () => {});
  watch.start(() => false);
});
afterEach(() => {
  watch.stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** An interval of a hart that retires nothing. @param late by how many ms it ends late */
function pass(late: number): void {
  now += 1000 + late;
  vi.advanceTimersByTime(1000);
}

test('a hart that makes no progress for three seconds hangs', () => {
  // The first interval has nothing to be compared with.
  for (let second = 0; second < 3; second++) pass(5);
  expect(() => pass(5)).toThrow(MachineError);
});

test('a host that is too busy for its threads is no hang', () => {
  for (let round = 0; round < 20; round++) for (const late of [0, 0, 700]) pass(late);
});

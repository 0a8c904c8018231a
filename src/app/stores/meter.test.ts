import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Figures } from '../machine/messages.ts';
import type { Reading } from '../model/reading.ts';
import { Meter } from './meter.ts';

const page = { hidden: false };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', page);
});
afterEach(() => {
  page.hidden = false;
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function figures(seconds: number): Figures {
  return {
    cpu: { uptime: seconds, busy: seconds / 4, instructions: seconds * 5e6 },
    memory: { totalBytes: 100, usedBytes: 40 },
    disk: { totalBytes: 1000, usedBytes: 10 },
    network: { receivedBytes: 0, sentBytes: 0 },
  };
}

function metered() {
  let asked = 0;
  const readings: Reading[] = [];
  const ask = vi.fn(async () => figures(++asked));
  const meter = new Meter(ask, (reading) => readings.push(reading));
  return { meter, ask, readings };
}

it('asks at once, and then once a second until the end', async () => {
  const { meter, ask, readings } = metered();
  meter.start(1);
  await vi.advanceTimersByTimeAsync(2500);
  expect(ask).toHaveBeenCalledTimes(3);
  expect(readings).toHaveLength(3);
  expect(readings[2]).toEqual({ cpu: 0.25, mips: 5, memory: 40, disk: 10, received: 0, sent: 0 });
  meter.stop();
  await vi.advanceTimersByTimeAsync(5000);
  expect(ask).toHaveBeenCalledTimes(3);
});

it('does not ask again before the answer', async () => {
  const { meter, ask } = metered();
  ask.mockReturnValueOnce(new Promise((resolve) => setTimeout(() => resolve(figures(1)), 2500)));
  meter.start(1);
  await vi.advanceTimersByTimeAsync(2900);
  expect(ask).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(1000);
  expect(ask).toHaveBeenCalledTimes(2);
  meter.stop();
});

it('does not ask while the page is hidden', async () => {
  const { meter, ask } = metered();
  page.hidden = true;
  meter.start(1);
  await vi.advanceTimersByTimeAsync(5000);
  expect(ask).not.toHaveBeenCalled();
  page.hidden = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(ask).toHaveBeenCalledOnce();
  meter.stop();
});

it('ignores an answer that comes after the end, also when the next machine runs', async () => {
  const readings: Reading[] = [];
  const answers: ((figures: Figures) => void)[] = [];
  const ask = () => new Promise<Figures>((resolve) => answers.push(resolve));
  const meter = new Meter(ask, (reading) => readings.push(reading));
  meter.start(1);
  meter.start(1);
  answers[0]?.(figures(9));
  await vi.advanceTimersByTimeAsync(0);
  expect(readings).toEqual([]);
  answers[1]?.(figures(1));
  await vi.advanceTimersByTimeAsync(0);
  expect(readings).toHaveLength(1);
  meter.stop();
});

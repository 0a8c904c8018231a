import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PullEvent } from '../api/public.ts';
import { PullProgress } from './progress.ts';

const DIFF_IDS = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}` as const);
const [first = 'sha256:', second = 'sha256:'] = DIFF_IDS;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function show(events: readonly PullEvent[], screen?: { columns: number; rows: number }): string {
  let output = '';
  const stream = {
    isTTY: screen !== undefined,
    ...screen,
    write: (text: string) => {
      output += text;
    },
  };
  const progress = new PullProgress('docker.io/library/x:latest', stream as never);
  for (const event of events) {
    progress.show(event);
    vi.advanceTimersByTime(1000);
  }
  progress.end();
  return output;
}

const resolved = (cached: boolean): PullEvent => ({
  type: 'resolved',
  digest: first,
  layers: [
    { diffId: first, size: 3 << 20, cached: true },
    { diffId: second, size: 8 << 20, cached },
  ],
});
const events: PullEvent[] = [
  resolved(false),
  { type: 'progress', diffId: second, received: 4 << 20, stored: 9 << 20 },
  { type: 'retry', reason: 'it broke off', delay: 1500 },
  { type: 'stored', diffId: second },
];

test('prints nothing when everything is cached', () => {
  expect(show([resolved(true)])).toBe('');
  expect(show([resolved(true)], { columns: 80, rows: 24 })).toBe('');
});

test('prints a line for each step without a terminal', () => {
  expect(show(events)).toBe(
    [
      'pulling docker.io/library/x:latest: 1 layer, 8.0 MiB',
      'it broke off: trying again in 1.5 s',
      `layer ${'b'.repeat(12)} is stored, 8.0 MiB`,
      '',
    ].join('\n'),
  );
});

test('draws and updates bars on a terminal', () => {
  const output = show(events, { columns: 80, rows: 24 });
  expect(output).toContain(`  ${'b'.repeat(12)} ${'█'.repeat(12)}${'░'.repeat(12)} 4.0 MiB of 8.0 MiB\n`);
  const last = output.split('\x1b[2A\x1b[J').at(-1);
  expect(last).toBe(
    ['a', 'b']
      .map(
        (digit) =>
          `  ${digit.repeat(12)} ${'█'.repeat(24)} ${digit === 'a' ? '3.0 MiB cached' : '8.0 MiB stored'}\n`,
      )
      .join(''),
  );
});

test('fits lines and bars into a small terminal', () => {
  const output = show(events, { columns: 20, rows: 3 });
  const bars = output.split('\x1b[1A\x1b[J').at(-1) ?? '';
  expect(bars).toMatch(/^ {2}a{12} █{4}\n$/);
});

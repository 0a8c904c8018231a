import { describe, expect, it } from 'vitest';
import { count, formatAge, formatBytes, formatDuration, formatMoment } from './format.ts';

describe('format', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KB'],
    [3.4 * 2 ** 20, '3.4 MB'],
    [512 * 2 ** 20, '512 MB'],
    [1023.7 * 2 ** 20, '1 GB'],
    [10 * 2 ** 30, '10 GB'],
    [2.25 * 2 ** 40, '2.3 TB'],
    [2 ** 60, '1048576 TB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('says when something was', () => {
    const now = new Date(2030, 4, 3, 18, 0).getTime();
    expect(formatMoment(new Date(2030, 4, 3, 9, 5).getTime(), now)).toBe('at 09:05');
    expect(formatMoment(new Date(2030, 4, 2, 23, 59).getTime(), now)).toBe('on 2 May at 23:59');
  });

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [999.9, '1.0 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 0 s'],
    [125_000, '2 min 5 s'],
  ])('%d ms are %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [0, 'just now'],
    [-7_200_000, 'just now'],
    [60_000, '1 minute ago'],
    [2 * 3_600_000, '2 hours ago'],
    [3 * 86_400_000, '3 days ago'],
    [40 * 86_400_000, 'on 22 November 2025'],
  ])('%d ms ago is %s', (age, text) => {
    const now = Date.UTC(2026, 0, 1, 12);
    expect(formatAge(now - age, now)).toBe(text);
  });

  it('counts', () => {
    expect([count(0, 'layer'), count(1, 'layer'), count(2, 'layer')]).toEqual([
      '0 layers',
      '1 layer',
      '2 layers',
    ]);
  });
});

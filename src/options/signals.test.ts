import { describe, expect, test } from 'vitest';
import { OptionError } from './option-error.mjs';
import { parseSignal } from './signals.ts';

describe('signals', () => {
  test.each([
    ['SIGTERM', 15],
    ['term', 15],
    ['9', 9],
    ['SIGQUIT', 3],
    ['WINCH', 28],
    ['SIGRTMIN+3', 37],
    ['RTMAX', 64],
    ['SIGSYS', 31],
  ])('%s', (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  test.each(['', '0', '65', 'SIGNOTHING', 'RTMAX+1', 'RTMIN-1', '-1'])('%j is refused', (text) => {
    expect(() => parseSignal(text)).toThrow(OptionError);
  });
});

import { describe, expect, test } from 'vitest';
import { OptionError } from './option-error.mjs';
import { parseSize } from './sizes.mjs';

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['4096', 4096],
    ['512M', 512 << 20],
    ['2g', 2 ** 31],
    ['1.5G', 1.5 * 2 ** 30],
    ['1.3G', 340_787 * 4096],
    ['64k', 65536],
    ['1GiB', 2 ** 30],
    ['10MB', 10 << 20],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', 'M', '-1', '1X', '1 G', '1e3', '99999999T'])('%j is refused', (text) => {
    expect(() => parseSize(text)).toThrow(OptionError);
  });
});

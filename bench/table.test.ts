import { describe, expect, it } from 'vitest';
import { geometricMean, median } from './table.ts';

describe('median', () => {
  it('is the middle of sorted values', () => {
    expect(median([9, 1, 10])).toBe(9);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });
});

describe('geometricMean', () => {
  it('weighs a ratio and its inverse equally', () => {
    expect(geometricMean([2, 0.5])).toBeCloseTo(1);
    expect(geometricMean([1, 10, 100])).toBeCloseTo(10);
  });
});

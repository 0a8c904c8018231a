import { describe, expect, it } from 'vitest';
import { parseReport } from './sample.ts';

describe('parseReport', () => {
  it('reads time and instructions', () => {
    expect(parseReport('crc32', 'crc32 ok 12500000 1154050047\r\n')).toEqual({
      elapsed: 1.25,
      instructions: 1154050047,
    });
  });

  it.each(['', 'crc32 wrong 1f\n', 'crc32 trap d at 80000100 value 0\n', 'sieve ok 1 2\n', 'crc32 ok 1\n'])(
    'refuses %j',
    (output) => {
      expect(() => parseReport('crc32', output)).toThrow(/workload crc32 failed/);
    },
  );
});

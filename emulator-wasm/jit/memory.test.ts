import { expect, test } from 'vitest';
import { RECENT_LOADS, RECENT_PAGES, RECENT_STORES } from '../layout.ts';
import { recentPage } from './memory.ts';

test('a recent page of loads is never among those of stores, in any page of a region', () => {
  for (let offset = -3 * 4096; offset < 4 * 4096; offset += 2)
    for (const [writable, first] of [[true, RECENT_STORES] as const, [false, RECENT_LOADS] as const]) {
      const place = recentPage(offset, writable);
      expect(place).toBeGreaterThanOrEqual(first);
      expect(place).toBeLessThan(first + RECENT_PAGES * 16);
    }
});

import { expect, it } from 'vitest';
import { describeMatches, MOST_MATCHES } from './matches.ts';

it.each([
  [0, -1, 'Not found'],
  [1, 0, '1 of 1'],
  [17, 2, '3 of 17'],
  [17, -1, '17'],
  [MOST_MATCHES, 4, '5 of 1000 or more'],
  [MOST_MATCHES, -1, '1000 or more'],
])('%i matches with number %i selected are "%s"', (count, selected, text) => {
  expect(describeMatches({ count, selected })).toBe(text);
});

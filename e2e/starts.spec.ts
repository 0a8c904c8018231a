import { expect, test } from './fixtures.ts';
import { startAgain } from './support/starts.ts';

// A start may take a minute on a busy computer.
test.setTimeout(20 * 60_000);

test('hello-world starts 20 times in a row', { tag: '@firefox' }, async ({ visitor }) => {
  const { hung } = await startAgain(visitor, 20);
  expect(hung).toEqual([]);
});

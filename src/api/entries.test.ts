import { expect, it } from 'vitest';
import type * as browser from './browser.ts';
import type * as node from './node.ts';

/** Whether each of two types can be used for the other. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

it('has the same names with the same types in Node and in browsers', () => {
  // The type check of the project compares them.
  const same: Same<typeof browser, typeof node> = true;
  expect(same).toBe(true);
});

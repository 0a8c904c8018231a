import { expect, it } from 'vitest';
import { type Role, SpareWorkers } from './spare-workers.ts';

let made = 0;
const create = (role: Role) => `${role} ${made++}`;

it('hands out the workers that it has started, then new ones', () => {
  made = 0;
  const spare = new SpareWorkers(2, create);
  expect([...spare]).toEqual(['machine 0', 'hart 1', 'hart 2']);
  expect([spare.take('hart'), spare.take('machine')]).toEqual(['hart 1', 'machine 0']);
  expect([spare.take('translator'), spare.take('hart')]).toEqual(['translator 3', 'hart 2']);
  expect(spare.take('hart')).toBe('hart 4');
});

it('hands out no worker that has failed, and none that it has given back', () => {
  made = 0;
  const spare = new SpareWorkers(1, create);
  spare.drop('hart 1');
  spare.drop('unknown');
  expect(spare.take('hart')).toBe('hart 2');
  expect([spare.clear(), spare.clear()]).toEqual([['machine 0'], []]);
  expect(spare.take('machine')).toBe('machine 3');
});

import { expect, it } from 'vitest';
import { freeName, makeUpName } from './container-name.ts';

it('makes up names of two words', () => {
  expect(makeUpName([], () => 0)).toBe('amber-badger');
  expect(makeUpName([], () => 0.999)).toBe('sunny-wren');
});

it('makes up no name that is taken', () => {
  expect(makeUpName(['amber-badger', 'amber-badger-2'], () => 0)).toBe('amber-badger-3');
});

it('numbers copies of copies in the same way', () => {
  expect(freeName('web', [])).toBe('web');
  expect(freeName('web', ['web'])).toBe('web-2');
  expect(freeName('web-2', ['web', 'web-2'])).toBe('web-3');
});

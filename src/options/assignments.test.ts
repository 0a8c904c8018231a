import { describe, expect, test } from 'vitest';
import { formatAssignments, mergeEnvironment, parseAssignments, toRecord } from './assignments.mjs';
import { OptionError } from './option-error.mjs';

describe('environment', () => {
  test.each([
    ['', []],
    ['A=1', ['A=1']],
    ['A=1,B=2', ['A=1', 'B=2']],
    ['A=,B==,', ['A=', 'B==']],
    ['A=1\\,2,B=\\\\,C=\\n', ['A=1,2', 'B=\\', 'C=\\n']],
    ['A=a b "c"', ['A=a b "c"']],
  ])('%j', (text, assignments) => {
    expect(parseAssignments(text)).toEqual(assignments);
    expect(parseAssignments(formatAssignments(assignments))).toEqual(assignments);
  });

  test.each(['A', '=1', 'A=1,B'])('%j is refused', (text) => {
    expect(() => parseAssignments(text)).toThrow(OptionError);
  });

  test('later assignments replace earlier ones, in place', () => {
    expect(mergeEnvironment(['A=1', 'B=2'], ['C=3', 'A=4'], ['B='])).toEqual(['A=4', 'B=', 'C=3']);
  });

  test('by name', () => {
    expect(toRecord(['A=1', 'B=', 'C=a=b\nc', 'A=2'])).toEqual({ A: '2', B: '', C: 'a=b\nc' });
  });
});

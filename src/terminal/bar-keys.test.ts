import { expect, it } from 'vitest';
import { type BarKey, sequenceOf } from './bar-keys.ts';

it.each<[BarKey, string, string, string]>([
  ['Up', '\x1b[A', '\x1bOA', '\x1b[1;5A'],
  ['Left', '\x1b[D', '\x1bOD', '\x1b[1;5D'],
  ['Home', '\x1b[H', '\x1bOH', '\x1b[1;5H'],
  ['End', '\x1b[F', '\x1bOF', '\x1b[1;5F'],
  ['Page Up', '\x1b[5~', '\x1b[5~', '\x1b[5;5~'],
  ['Page Down', '\x1b[6~', '\x1b[6~', '\x1b[6;5~'],
  ['Escape', '\x1b', '\x1b', '\x1b'],
  ['Tab', '\t', '\t', '\t'],
  ['~', '~', '~', '~'],
])('%s has a sequence for each mode', (key, normal, application, control) => {
  expect(sequenceOf(key, { control: false, application: false })).toBe(normal);
  expect(sequenceOf(key, { control: false, application: true })).toBe(application);
  expect(sequenceOf(key, { control: true, application: true })).toBe(control);
});

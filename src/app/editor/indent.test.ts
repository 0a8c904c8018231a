import { expect, it } from 'vitest';
import { indentOf } from './indent.ts';

it.each([
  ['spaces', 'a:\n    b:\n        c\n', '    '],
  ['two spaces', 'a\n  b\n    c\n', '  '],
  ['tabs', 'all:\n\tcc a.c\n\tcc b.c\n', '\t'],
  ['comments with stars', '/**\n * text\n */\nif (a)\n    b;\n', '    '],
  ['nothing', 'a\nb\n', '  '],
])('continues %s', (_, text, indent) => {
  expect(indentOf(text)).toBe(indent);
});

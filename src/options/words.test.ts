import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteWord, splitWords } from './words.mjs';

test.each([
  ['', []],
  ['  \t\n ', []],
  ['a b', ['a', 'b']],
  ['-c "echo $KEY; exit 7"', ['-c', 'echo $KEY; exit 7']],
  [`'single "quotes" \\'`, ['single "quotes" \\']],
  ['"a\\"b" "\\$x" "\\n"', ['a"b', '$x', '\\n']],
  ["a''b \"\" ''", ['ab', '', '']],
  ['a\\ b \\"', ['a b', '"']],
  ['a\\\nb "c\\\nd"', ['ab', 'cd']],
  ['* $HOME ~ #x; a|b', ['*', '$HOME', '~', '#x;', 'a|b']],
])('%j', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test.each(["'a", '"a', '"a\\"', 'a \\'])('%j is refused', (line) => {
  expect(() => splitWords(line)).toThrow(/quote|backslash/);
});

test('agrees with a shell', () => {
  // Without newlines, which end a shell's command.
  const word = fc.stringMatching(/^[a-z '"\\]{0,12}$/);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (parts) => {
      const line = parts.join(' ');
      let words: string[];
      try {
        words = splitWords(line);
      } catch {
        return;
      }
      const script = `set -- ${line}\nfor word; do printf '%s\\0' "$word"; done`;
      const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'latin1' });
      expect(words.map((each) => `${each}\0`).join('')).toBe(stdout);
    }),
    { numRuns: 200 },
  );
});

test('quotes words so that they are the same words again', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(splitWords(words.map(quoteWord).join(' '))).toEqual(words);
    }),
  );
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeText, differenceOf, isSaved, lineEndingOf, toDraft, toText } from './text-file.ts';

const text = fc.array(fc.constantFrom('a', 'b', '\n', '\r\n', '\r', 'é')).map((parts) => parts.join(''));

it('gives every file back as it was', () => {
  fc.assert(
    fc.property(text, (text) => {
      const ending = lineEndingOf(text);
      const draft = toDraft(text, ending);
      expect(toText(draft, ending)).toBe(text);
      expect(isSaved(draft, text, ending)).toBe(true);
    }),
  );
});

it('keeps the line ends of Windows, and mixed ones as characters', () => {
  expect(lineEndingOf('a\r\nb\r\n')).toBe('\r\n');
  expect(toDraft('a\r\nb', '\r\n')).toBe('a\nb');
  expect(toText('a\nb\n', '\r\n')).toBe('a\r\nb\r\n');
  expect(lineEndingOf('a\r\nb\n')).toBe('\n');
});

it('does not take bytes for a text', () => {
  expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  expect(decodeText(Uint8Array.of(0x61, 0))).toBeUndefined();
  expect(decodeText(Uint8Array.of(0xff))).toBeUndefined();
});

it('knows a file that is not there from an empty one', () => {
  expect([isSaved('', '', '\n'), isSaved('', null, '\n')]).toEqual([true, false]);
});

it('replaces no more than what differs', () => {
  expect(differenceOf('one two three', 'one 2 three')).toEqual({ from: 4, to: 7, insert: '2' });
  fc.assert(
    fc.property(text, text, (old, text) => {
      const { from, to, insert } = differenceOf(old, text);
      expect(old.slice(0, from) + insert + old.slice(to)).toBe(text);
    }),
  );
});

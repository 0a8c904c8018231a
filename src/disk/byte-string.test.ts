import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quote, toByteString, toBytes } from './byte-string.ts';

test('keeps bytes, and compares in byte order', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      expect(toBytes(toByteString(a))).toEqual(a);
      expect(toByteString(a) < toByteString(b)).toBe(Buffer.compare(a, b) < 0);
    }),
  );
});

test('keeps long strings', () => {
  const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => i);
  expect(Buffer.compare(toBytes(toByteString(bytes)), bytes)).toBe(0);
});

test.each([
  ['plain', '"plain"'],
  ['two words', '"two words"'],
  ['na\xc3\xafve', '"naïve"'],
  ['a"b\\c', '"a\\u{22}b\\u{5c}c"'],
  ['line\n\x1b[2J', '"line\\u{a}\\u{1b}[2J"'],
  // A right-to-left override, and a line separator.
  ['\xe2\x80\xae\xe2\x80\xa8', '"\\u{202e}\\u{2028}"'],
  ['\xff', '"\ufffd"'],
  ['x'.repeat(201), `"${'x'.repeat(200)}…"`],
])('%j is shown as %s', (text, shown) => {
  expect(quote(text)).toBe(shown);
});

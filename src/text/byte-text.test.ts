import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBytes, encodeBytes, printable } from './byte-text.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

test.each([
  ['', ''],
  ['61c3a4f09f98802f', 'aä😀/'],
  ['efbbbf61', '\ufeffa'],
  ['61ff62', 'a\udcff' + 'b'],
  ['c3', '\udcc3'],
  ['c328e4', '\udcc3(\udce4'],
  // An encoded surrogate, and an overlong encoding.
  ['edb380', '\udced\udcb3\udc80'],
  ['c0af', '\udcc0\udcaf'],
  ['f09f9880f09f98', '😀\udcf0\udc9f\udc98'],
])('bytes %s are the text %j', (hex, text) => {
  expect(decodeBytes(bytes(hex))).toBe(text);
  expect(encodeBytes(text)).toEqual(bytes(hex));
});

test('all bytes come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (name) => {
      expect(encodeBytes(decodeBytes(name))).toEqual(name);
    }),
  );
});

test('all text comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(decodeBytes(encodeBytes(name))).toBe(name);
    }),
  );
});

test.each([
  ['a b ä 😀 👨\u200d👩', 'a b ä 😀 👨\u200d👩'],
  ['a\nb\r\t', 'a\\nb\\r\\t'],
  ['\x1b[31m\u009b', '\\u{1b}[31m\\u{9b}'],
  ['exe.\u202etxt', 'exe.\\u{202e}txt'],
  ['\udcff\u2028', '\\xff\\u{2028}'],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

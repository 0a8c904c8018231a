import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateError } from '../machine/errors.ts';
import { decodePages, encodePages, PAGE } from './pages.ts';
import { FUZZ } from './testing/fuzz.ts';

const PAGES = 16;
const HEAD = 16;

/** RAM whose pages hold these numbers: 0 is a zero page, the same number the same page. */
function ramOf(pages: readonly number[]): Uint8Array {
  const ram = new Uint8Array(pages.length * PAGE);
  pages.forEach((content, page) => {
    if (content !== 0) ram.set([content, 1, 2], page * PAGE + 2000);
  });
  return ram;
}

const encode = (ram: Uint8Array, first = 0, count = ram.length / PAGE) =>
  encodePages(ram, first, count, (length) => new Uint8Array(length));

function decode(bytes: Uint8Array, pages = PAGES): Uint8Array {
  const ram = new Uint8Array(pages * PAGE);
  decodePages(bytes, ram);
  return ram;
}

describe('pages', () => {
  it('are the same afterwards', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: PAGES, maxLength: PAGES }), (contents) => {
        const ram = ramOf(contents);
        const bytes = encode(ram);
        if (!bytes) expect(contents.every((content) => content === 0)).toBe(true);
        else expect(Buffer.compare(decode(bytes), ram)).toBe(0);
      }),
      FUZZ,
    );
  });

  it('of a range lie in that range', () => {
    const ram = ramOf([1, 2, 3, 4, 0, 6, 7, 8]);
    const placed = decode(encode(ram, 2, 4) as Uint8Array, 8);
    expect(Buffer.compare(placed, ramOf([0, 0, 3, 4, 0, 6, 0, 0]))).toBe(0);
  });

  it('take no room when they are zero or repeated', () => {
    expect(encode(ramOf([0, 0, 0, 0]))).toBeUndefined();
    expect(encode(ramOf([1, 0, 1, 1, 2, 2, 0, 1]))?.length).toBe(HEAD + 8 * (2 + 4) + 2 * PAGE);
  });

  it('are refused when their index is wrong', () => {
    const index = (...words: number[]) => new Uint8Array(new Uint32Array(words).buffer);
    const withPage = (bytes: Uint8Array) => Buffer.concat([bytes, new Uint8Array(PAGE)]);
    const wrong = {
      'past the end': withPage(index(PAGES - 1, 2, 1, 0, PAGES, 1)),
      'far past the end': withPage(index(0xffff_ffff, 0xffff_ffff, 1, 0, 0, 1)),
      'out of the range': withPage(index(4, 4, 1, 0, 3, 1)),
      'with an empty run': index(0, 4, 1, 0, 0, 0),
      'out of order': Buffer.concat([index(0, 4, 2, 0, 1, 1, 0, 1), new Uint8Array(2 * PAGE)]),
      overlapping: Buffer.concat([index(0, 4, 2, 0, 0, 2, 1, 1), new Uint8Array(3 * PAGE)]),
      'with more runs than pages': index(0, 1, 2, 0, 0, 1, 0, 1),
      'with too many runs': index(0, 4, 0x7fff_ffff, 0),
      'with a repeat of itself': withPage(index(0, 4, 1, 1, 0, 1, 0, 0)),
      'with a repeat of a zero page': withPage(index(0, 4, 1, 1, 0, 1, 2, 3)),
      'with a repeat out of the range': withPage(index(0, 4, 1, 1, 0, 1, 2, 9)),
      'with a repeat before the range': withPage(index(4, 4, 1, 1, 4, 1, 3, 4)),
      'too short': index(0, 4, 1, 0, 0, 1),
      'too long': withPage(withPage(index(0, 4, 1, 0, 0, 1))),
      'without an index': new Uint8Array(3),
    };
    for (const [name, bytes] of Object.entries(wrong)) expect(() => decode(bytes), name).toThrow(StateError);
  });

  it('are refused or placed when they are changed', () => {
    const bytes = encode(ramOf([0, 1, 2, 0, 1, 3, 3, 0, 4, 5, 4, 1])) as Uint8Array;
    const index = bytes.length - 5 * PAGE;
    fc.assert(
      fc.property(fc.nat(index - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        try {
          decode(bytes.with(at, byte));
        } catch (error) {
          expect(error).toBeInstanceOf(StateError);
        }
      }),
      FUZZ,
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateError } from '../machine/errors.ts';
import type { Plain } from '../machine/state.ts';
import { decodePlain, encodePlain } from './plain.ts';
import { FUZZ } from './testing/fuzz.ts';

const VALUE: Plain = {
  nothing: null,
  flags: [true, false],
  numbers: [0, 1, 127, 128, 2 ** 32, Number.MAX_SAFE_INTEGER, -1, -0, 1.5, 1e300],
  text: '\ufeffnäh 🙂',
  bytes: Uint8Array.of(1, 2, 3),
  disk: [new Uint8Array(64 << 10).fill(7), new Uint8Array(64 << 10).fill(8)],
  empty: [[], {}, '', new Uint8Array(0)],
};

const plain = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      tie('value'),
      { noNullPrototype: true },
    ),
  ),
})).value;

describe('plain data', () => {
  it('is the same afterwards', () => {
    const { bytes, blobs } = encodePlain(VALUE);
    expect(blobs).toHaveLength(2);
    expect(decodePlain(bytes, blobs)).toEqual(VALUE);
    fc.assert(
      fc.property(plain, (value) => {
        const { bytes, blobs } = encodePlain(value);
        expect(decodePlain(bytes, blobs)).toEqual(value);
      }),
      FUZZ,
    );
  });

  it('keeps names of files that are not UTF-8', () => {
    expect(decodePlain(encodePlain('a\udcff').bytes)).toBe('a\udcff');
  });

  it('is refused when it is cut off', () => {
    const { bytes, blobs } = encodePlain(VALUE);
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodePlain(bytes.slice(0, length), blobs)).toThrow(StateError);
    expect(() => decodePlain(bytes, blobs.slice(1))).toThrow('a part of its data is missing');
  });

  it('is refused or decoded when it is changed', () => {
    const { bytes, blobs } = encodePlain(VALUE);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        expectSafe(bytes.with(at, byte), blobs);
      }),
      FUZZ,
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => expectSafe(bytes, [])),
      FUZZ,
    );
  });

  it('never nests deeply', () => {
    const deep = new Uint8Array(100_000);
    for (let at = 0; at < deep.length; at += 2) deep.set([8, 1], at);
    expect(() => decodePlain(deep)).toThrow('its data is too large');
    let value: Plain = null;
    for (let depth = 0; depth < 1000; depth++) value = [value];
    expect(() => encodePlain(value)).toThrow('its data is too large');
  });

  it('takes no more memory than its input allows', () => {
    const long = (count: number[]) => decodePlain(Uint8Array.of(8, ...count, 0));
    expect(() => long([0xff, 0xff, 0xff, 0x7f])).toThrow('its data ends early');
    expect(() => long([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])).toThrow('too large');
    expect(() =>
      decodePlain(new Uint8Array(3 << 20).fill(0).fill(8, 0, 1).fill(0xff, 1, 3).fill(0x7f, 3, 4)),
    ).toThrow('too large');
  });

  it('has each name once, and none that changes objects', () => {
    const record = (name: string) => Uint8Array.of(9, 2, ...entry(name), ...entry(name));
    const entry = (name: string) => [name.length, ...new TextEncoder().encode(name), 0];
    expect(() => decodePlain(record('a'))).toThrow('twice');
    expect(() => decodePlain(record('__proto__'))).toThrow(StateError);
  });

  it('has no numbers that JSON does not have', () => {
    expect(() => encodePlain(Number.NaN)).toThrow(StateError);
    const infinity = new Uint8Array(9);
    infinity[0] = 4;
    new DataView(infinity.buffer).setFloat64(1, Number.POSITIVE_INFINITY, true);
    expect(() => decodePlain(infinity)).toThrow(StateError);
  });
});

function expectSafe(bytes: Uint8Array, blobs: readonly Uint8Array[]): void {
  try {
    decodePlain(bytes, blobs);
  } catch (error) {
    expect(error).toBeInstanceOf(StateError);
  }
}

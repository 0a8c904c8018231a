import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lz4 } from './lz4.ts';
import { FUZZ } from './testing/fuzz.ts';

const emulator = await WebAssembly.compile(readFileSync('public/emulator.wasm'));
const lz4 = await Lz4.create(emulator);

/** The bytes after both ways. */
function roundTrip(bytes: Uint8Array): Uint8Array {
  const compressed = lz4.compress(bytes)?.slice();
  return compressed ? lz4.decompress(compressed, bytes.length) : bytes;
}

/** Decompresses as the LZ4 block format says it, in the plainest way. */
function referenceOf(block: Uint8Array): number[] {
  const out: number[] = [];
  let at = 0;
  const next = () => block[at++] as number;
  const lengthOf = (half: number) => {
    let length = half;
    if (half === 15) {
      let byte: number;
      do length += byte = next();
      while (byte === 255);
    }
    return length;
  };
  for (;;) {
    const token = next();
    for (let left = lengthOf(token >> 4); left > 0; left--) out.push(next());
    if (at === block.length) return out;
    const offset = next() + 256 * next();
    for (let left = lengthOf(token & 15) + 4; left > 0; left--) out.push(out[out.length - offset] as number);
  }
}

const words = fc.array(
  fc.constantFrom('a', 'abcabcab', 'linux', '\0\0\0\0', 'x'.repeat(300), 'yz'.repeat(40)),
  {
    maxLength: 60,
  },
);

describe('LZ4', () => {
  it('returns the same bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          words.map((all) => Buffer.from(all.join(''))),
        ),
        (bytes) => {
          expect(Buffer.compare(roundTrip(bytes), bytes)).toBe(0);
        },
      ),
      FUZZ,
    );
  });

  it('returns files, and compresses them', () => {
    for (const file of ['public/kernel/Image', 'public/emulator.wasm', 'package-lock.json']) {
      const bytes = readFileSync(file).subarray(0, 2 << 20);
      const compressed = lz4.compress(bytes)?.slice() as Uint8Array;
      expect(compressed.length).toBeLessThan(0.9 * bytes.length);
      expect(Buffer.compare(lz4.decompress(compressed, bytes.length), bytes)).toBe(0);
    }
  });

  it('writes blocks of the format', () => {
    const bytes = readFileSync('package-lock.json').subarray(0, 1 << 18);
    const compressed = lz4.compress(bytes) as Uint8Array;
    expect(Buffer.compare(Uint8Array.from(referenceOf(compressed)), bytes)).toBe(0);
  });

  it('compresses nothing that has no pattern', () => {
    let state = 1;
    const noise = Uint8Array.from({ length: 100_000 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    });
    expect(lz4.compress(noise)).toBeUndefined();
  });

  it('compresses what is in its buffer already', () => {
    const buffer = lz4.buffer(5000).fill(7);
    const compressed = lz4.compress(buffer)?.slice() as Uint8Array;
    expect(lz4.decompress(compressed, 5000).every((byte) => byte === 7)).toBe(true);
  });

  it('refuses blocks of another length', () => {
    const bytes = new Uint8Array(1000).fill(1);
    const block = lz4.compress(bytes)?.slice() as Uint8Array;
    for (const length of [0, 999, 1001]) expect(() => lz4.decompress(block, length)).toThrow();
    expect(() => lz4.decompress(new Uint8Array(0), 0)).toThrow();
  });

  it('writes nothing outside of its room, whatever a block holds', () => {
    const block = lz4.compress(readFileSync('package.json'))?.slice() as Uint8Array;
    const changed = fc
      .array(fc.tuple(fc.nat(block.length - 1), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      })
      .map((changes) => changes.reduce((bytes, [at, byte]) => bytes.with(at, byte), block));
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 60 })), fc.nat(5000), (bytes, room) => {
        expectInside(bytes, room);
      }),
      FUZZ,
    );
  });
});

/** Decompresses between marks, which must stay. */
function expectInside(block: Uint8Array, room: number): void {
  const memory = new Uint8Array(guarded.memory.buffer);
  const [source, target] = [0x1_0000, 0x1_8000];
  memory.set(block, source);
  memory.fill(0xa5, source + block.length, source + block.length + 64);
  memory.fill(0xa5, target - 64, target);
  memory.fill(0xa5, target + room, target + room + 64);
  guarded.decompress(source, block.length, target, room);
  const marks = [
    memory.subarray(source + block.length, source + block.length + 64),
    memory.subarray(target - 64, target),
    memory.subarray(target + room, target + room + 64),
  ];
  expect(marks.every((mark) => mark.every((byte) => byte === 0xa5))).toBe(true);
}

const guarded = await instantiate();

async function instantiate() {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const none = () => 0;
  const host = { now: none, wallClock: none, output: none, doorbell: none, hot: none };
  const { exports } = await WebAssembly.instantiate(emulator, { env: { memory }, host });
  const decompress = exports.lz4Decompress as (...numbers: number[]) => number;
  return { memory, decompress };
}

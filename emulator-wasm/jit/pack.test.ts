import { describe, expect, test } from 'vitest';
import { Random } from '../test/support/random.ts';
import {
  mergePacks,
  nameOf,
  PACK_SIZE,
  type PackedRegion,
  PackWriter,
  readPack,
  readPacks,
  shipPack,
  shippedPack,
} from './pack.ts';
import { SharedLog } from './shared-log.ts';
import { Code, type FunctionBody, withIndices } from './wasm.ts';

const NONE = new Uint8Array();

function pageOf(byte: number): Uint8Array {
  return new Uint8Array(4096).fill(byte);
}

/** A function that reads a global for each name. */
function functionWith(names: readonly number[]): FunctionBody {
  const code = new Code(5);
  for (const name of names) code.global(name);
  return code.finish();
}

function region(byte: number, hot = 0, size = 0): PackedRegion {
  const page = { delta: 0, bytes: pageOf(byte), entries: [{ offset: hot, number: 0 }], wide: [] };
  const body = functionWith(Array(size).fill(0));
  return { pages: [page], hot, isNarrow: false, isPortable: true, function: body };
}

const SEVERAL: PackedRegion = {
  pages: [
    { delta: 0, bytes: pageOf(1), entries: [{ offset: 4094, number: 1 }], wide: [0, 2, 4094] },
    { delta: -300, bytes: pageOf(7), entries: [], wide: [] },
    { delta: 5, bytes: pageOf(1), entries: [{ offset: 0, number: 0 }], wide: [8] },
  ],
  hot: 4094,
  isNarrow: true,
  isPortable: false,
  function: functionWith([5, -300, 5]),
};

function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const log = SharedLog.ofSize(parts.reduce((sum, { length }) => sum + length, 0));
  for (const part of parts) log.append(part);
  return log.read();
}

function packOf(regions: readonly PackedRegion[], writer = new PackWriter()): Uint8Array<ArrayBuffer> {
  return concatenated(regions.map((region) => writer.add(region) as Uint8Array));
}

function merged(
  stored: Uint8Array,
  regions: readonly PackedRegion[],
  { used = [] as readonly PackedRegion[], ages = true } = {},
): Uint8Array<ArrayBuffer> {
  return mergePacks(stored, packOf(regions), new Set(used.map(nameOf)), ages);
}

const hotsOf = (pack: Uint8Array) => readPack(pack).map(({ hot }) => hot);

describe('a pack', () => {
  test('keeps regions as they are, and each page once', () => {
    const regions = [region(1), SEVERAL, region(2, 4094, 9)];
    const pack = packOf(regions);
    expect(readPack(pack)).toEqual(regions);
    expect(pack.length).toBeLessThan(4 * 4096);
    const [first, second] = readPack(pack);
    expect(second?.pages[0]?.bytes).toBe(first?.pages[0]?.bytes);
  });

  test('has room for so many bytes and no more', () => {
    const first = packOf([SEVERAL]);
    const writer = new PackWriter(first.length + 200);
    expect(writer.add(SEVERAL)).toEqual(first);
    expect(writer.add(region(8))).toBeUndefined();
    expect(writer.add(region(7))).toBeDefined();
  });

  const sound = region(1, 8, 2);
  const [page] = sound.pages as [PackedRegion['pages'][0]];
  const { function: body } = sound;
  const cutOff = (length: number) => ({
    ...sound,
    function: { ...body, bytes: body.bytes.subarray(0, 1 + length), globals: [{ name: 0, at: 2 }] },
  });
  test.each<[string, PackedRegion]>([
    ['a hot offset beyond the page', { ...sound, hot: 4096 }],
    ['an odd hot offset', { ...sound, hot: 3 }],
    ['no pages', { ...sound, pages: [] }],
    ['a first page that is elsewhere', { ...sound, pages: [{ ...page, delta: 1 }] }],
    ['a page twice', { ...sound, pages: [page, page] }],
    ['an entry beyond the page', { ...sound, pages: [{ ...page, entries: [{ offset: 4096, number: 0 }] }] }],
    ['an entry that it has not', { ...sound, pages: [{ ...page, entries: [{ offset: 0, number: 1 }] }] }],
    [
      'too many entries',
      { ...sound, pages: [{ ...page, entries: Array(97).fill({ offset: 0, number: 0 }) }] },
    ],
    ['an access beyond the page', { ...sound, pages: [{ ...page, wide: [4096] }] }],
    ['a hash of another page', { ...sound, function: { ...body, globals: [{ name: 9, at: 2 }] } }],
    ['a hash before the function', { ...sound, function: { ...body, globals: [{ name: 0, at: 0 }] } }],
    ['a hash in the middle of one', { ...sound, function: { ...body, globals: [{ name: 0, at: 3 }] } }],
    ['a hash at the end', { ...sound, function: { ...body, globals: [{ name: 0, at: 20 }] } }],
    ['a hash at the very end', cutOff(1)],
    ['a hash that is cut off', cutOff(4)],
    ['a hash far away', { ...sound, function: { ...body, globals: [{ name: 0, at: 2 ** 32 - 1 }] } }],
  ])('passes over a region with %s', (_, damaged) => {
    expect(readPack(packOf([region(5), damaged, region(6)]))).toEqual([region(5), region(6)]);
  });

  test('that is damaged never makes a region that is none', () => {
    const random = new Random(1);
    const whole = packOf([region(1), SEVERAL, region(2, 4094, 9)]);
    const heads = [4096, 2 * 4096, whole.length - 300];
    for (let n = 0; n < 5000; n++) {
      const damaged = whole.slice(0, n % 3 === 0 ? random.below(whole.length + 1) : whole.length);
      const start = heads[n % heads.length] as number;
      const changes = 1 + random.below(4);
      for (let change = 0; change < changes; change++) damaged[start + random.below(300)] = random.below(256);
      for (const { pages, hot, function: body } of readPack(damaged)) {
        const numbers = pages.flatMap(({ entries }) => entries.map(({ number }) => number));
        const offsets = pages.flatMap(({ entries, wide }) => [
          ...wide,
          ...entries.map(({ offset }) => offset),
        ]);
        expect([hot, ...offsets].every((offset) => offset % 2 === 0 && offset < 4096)).toBe(true);
        expect(numbers.every((number) => number < numbers.length)).toBe(true);
        expect(withIndices(body, () => 1).length).toBe(body.bytes.length);
      }
    }
  });

  test('of random bytes has no regions', () => {
    const random = new Random(2);
    for (let n = 0; n < 300; n++) {
      const bytes = Uint8Array.from({ length: random.below(3000) }, () => random.below(256));
      if (bytes.length > 8) bytes.set([random.below(256), random.below(8), 0, 0, 1]);
      expect(readPack(bytes)).toEqual([]);
    }
  });
});

test('packs may follow each other', () => {
  const packs = concatenated([packOf([region(1), SEVERAL]), packOf([region(2), region(7)])]);
  expect(readPack(packs)).toEqual([region(1), SEVERAL, region(2), region(7)]);
});

test('packs without a region that makes sense are none', () => {
  const senseless = packOf([{ ...region(2), hot: 3 }]);
  expect(readPacks(concatenated([senseless, packOf([region(1)]), senseless]))).toEqual([[region(1)]]);
});

describe('a shipped pack', () => {
  const program = concatenated([pageOf(1), pageOf(2)]);

  test('has the regions of a program that suit every host', () => {
    const pack = packOf([region(1), region(3), { ...region(2), isPortable: false }, SEVERAL, region(2, 2)]);
    expect(readPack(shippedPack(shipPack(pack, program, 'one true'), 'one true'))).toEqual([
      region(1),
      region(2, 2),
    ]);
  });

  test.each([
    ['of another version', shipPack(packOf([region(1)]), program, 'other')],
    ['that is cut off', shipPack(packOf([region(1)]), program, 'one').subarray(0, 3)],
    ['that is empty', NONE],
  ])('%s has none', (_, file) => {
    expect(shippedPack(file, 'one').length).toBe(0);
  });
});

describe('merged packs', () => {
  test('gain what a run has compiled, but no region twice', () => {
    const before = merged(NONE, [region(1, 2), region(1, 4)]);
    const after = merged(before, [region(1, 4, 7), region(3, 6)]);
    expect(readPack(after)).toEqual([region(1, 2), region(1, 4), region(3, 6)]);
  });

  test('stay as they are when a run adds half as much', () => {
    const first = merged(NONE, [region(1, 2), region(1, 4), region(1, 6), region(1, 8)]);
    const second = merged(first, [region(2, 2), region(2, 4)], { ages: false });
    expect(readPacks(second)).toEqual([readPack(first), [region(2, 2), region(2, 4)]]);
    expect(second.subarray(0, first.length)).toEqual(first);
    const third = merged(second, [region(3, 2)]);
    expect(readPacks(third).map(({ length }) => length)).toEqual([4, 2, 1]);
    const fourth = merged(third, [region(4, 2)]);
    expect(readPacks(fourth).map(({ length }) => length)).toEqual([8]);
  });

  test('tell narrow and wide regions apart, and those of other pages', () => {
    const regions = [region(1, 2), { ...region(1, 2), isNarrow: true }, region(2, 2)];
    expect(readPack(merged(merged(NONE, regions), regions))).toEqual(regions);
  });

  test('forget what 16 runs did not need, and only with runs', () => {
    let pack = merged(NONE, [region(1, 2), region(1, 4), region(1, 6)]);
    for (let run = 0; run < 16; run++) {
      pack = merged(pack, [region(1, 4)], { used: [region(1, 6)] });
      for (let again = 0; again < 3; again++) pack = merged(pack, [region(1, 4)], { ages: false });
    }
    expect(hotsOf(pack)).toEqual([2, 4, 6]);
    const more = [region(2, 8), region(2, 10)];
    expect(hotsOf(merged(pack, more, { ages: false }))).toEqual([2, 4, 6, 8, 10]);
    expect(hotsOf(merged(pack, more, { used: [region(1, 4), region(1, 6)] }))).toEqual([4, 6, 8, 10]);
  });

  test('forget what very many runs did not need', () => {
    let pack = merged(NONE, [region(1, 2), region(1, 4)]);
    for (let run = 0; run < 256; run++) pack = merged(pack, []);
    expect(hotsOf(pack)).toEqual([2, 4]);
    expect(hotsOf(merged(pack, [region(2, 8), region(2, 10)], { ages: false }))).toEqual([8, 10]);
  });

  test('have a bounded size, and keep what was needed last', () => {
    const large = { bytes: new Uint8Array(20_000), hints: NONE, globals: [] };
    let pack: Uint8Array = NONE;
    for (let run = 0; run < 3; run++) {
      const regions = Array.from({ length: 200 }, (_, n) => ({ ...region(run, 2 * n), function: large }));
      pack = merged(pack, regions);
      expect(pack.length).toBeLessThanOrEqual(PACK_SIZE);
      expect(readPack(pack).slice(0, 200).map(nameOf)).toEqual(regions.map(nameOf));
    }
    expect(pack.length).toBeGreaterThan(PACK_SIZE * 0.7);
    const more = merged(pack, [region(9)], { ages: false });
    expect(readPacks(more).map(({ length }) => length)).toEqual([readPack(pack).length, 1]);
  });

  test('that are damaged lose the rest', () => {
    const damaged = merged(NONE, [region(1), region(2)]);
    damaged.fill(0xff, 12, 4096);
    expect(readPack(merged(damaged.fill(0xff, 0, 4), [region(3)]))).toEqual([region(3)]);
  });
});

test('a log takes all of some bytes or none of them', () => {
  const log = SharedLog.ofSize(5);
  expect(log.append(Uint8Array.of(1, 2, 3))).toBe(true);
  expect(log.append(Uint8Array.of(4, 5, 6))).toBe(false);
  expect(log.append(Uint8Array.of(7, 8))).toBe(true);
  expect([...new SharedLog(log.buffer).read(2)]).toEqual([3, 7, 8]);
});

import { describe, expect, test } from 'vitest';
import {
  KNOWN_SLOTS,
  KNOWN_TABLE,
  M_KNOWN_PAGES,
  MACHINE,
  MACHINE_SIZE,
  MOST_KNOWN_PAGES,
} from '../layout.ts';
import { Random } from '../test/support/random.ts';
import { KnownPages } from './known-pages.ts';
import {
  decodeRegions,
  encodeRegion,
  type KnownRegion,
  mergeProfiles,
  PROFILE_SIZE,
  recordsOf,
} from './profile.ts';
import { SharedLog } from './shared-log.ts';

const NONE = new Uint8Array();

function region(digest: bigint, hot = 0, executed = [hot, hot + 2, 4094]): KnownRegion {
  return { pages: [{ delta: 0, digest, executed }], hot };
}

const SEVERAL: KnownRegion = {
  pages: [
    { delta: 0, digest: 0xffff_ffff_ffff_fffen, executed: [0, 2, 300, 4094] },
    { delta: -3, digest: 1n, executed: [] },
    { delta: 5, digest: 2n, executed: Array.from({ length: 2048 }, (_, n) => 2 * n) },
  ],
  hot: 4094,
};

function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function recordsFor(regions: readonly KnownRegion[]): Uint8Array {
  return concatenated(regions.map(encodeRegion));
}

function merged(stored: Uint8Array, regions: readonly KnownRegion[], options = {}): Uint8Array<ArrayBuffer> {
  return mergeProfiles(stored, recordsFor(regions), { ages: true, ...options });
}

describe('records', () => {
  test('keep what regions were made of', () => {
    const regions = [region(1n), SEVERAL, region(2n, 4094, [4094])];
    expect(decodeRegions(recordsFor(regions))).toEqual(regions);
  });

  test.each<[string, KnownRegion]>([
    ['a hot offset beyond the page', region(1n, 4096, [0])],
    ['an odd hot offset', region(1n, 3, [0])],
    ['no pages', { pages: [], hot: 0 }],
    ['too many pages', { pages: Array(17).fill(SEVERAL.pages[1]), hot: 0 }],
    ['a first page that is elsewhere', { pages: [{ delta: 1, digest: 1n, executed: [] }], hot: 0 }],
    ['offsets beyond the page', region(1n, 0, [0, 4096])],
    ['offsets twice', region(1n, 0, [0, 6, 6])],
  ])('with %s are passed over', (_, damaged) => {
    const regions = decodeRegions(recordsFor([region(5n), damaged, region(6n)]));
    expect(regions).toEqual([region(5n), region(6n)]);
  });

  test('with bytes too few or too many are passed over', () => {
    for (const change of [-1, 1]) {
      const record = encodeRegion(SEVERAL);
      const damaged = new Uint8Array(record.length + change);
      damaged.set(record.subarray(0, damaged.length));
      new DataView(damaged.buffer).setUint16(0, damaged.length, true);
      expect(decodeRegions(concatenated([damaged, encodeRegion(region(6n))]))).toEqual([region(6n)]);
    }
  });

  test('that are damaged never make a region that is none', () => {
    const random = new Random(1);
    const whole = recordsFor([region(1n), SEVERAL, region(2n, 4094, [4094])]);
    for (let n = 0; n < 3000; n++) {
      const bytes = whole.slice(0, random.below(whole.length + 1));
      const changes = random.below(8);
      for (let change = 0; change < changes && bytes.length > 0; change++)
        bytes[random.below(bytes.length)] = random.below(256);
      for (const { pages, hot } of decodeRegions(bytes)) {
        expect(hot % 2 === 0 && hot >= 0 && hot < 4096).toBe(true);
        expect(pages.length >= 1 && pages.length <= 16 && pages[0]?.delta === 0).toBe(true);
        for (const { delta, digest, executed } of pages) {
          expect(Math.abs(delta)).toBeLessThanOrEqual(128);
          expect(BigInt.asUintN(64, digest)).toBe(digest);
          expect(executed.every((at, i) => at % 2 === 0 && at < 4096 && at > (executed[i - 1] ?? -1))).toBe(
            true,
          );
        }
      }
    }
  });
});

describe('a profile', () => {
  test('of another version, or none, has no records', () => {
    const profile = merged(NONE, [region(1n)]);
    for (let at = 0; at < 5; at++) {
      const other = profile.slice();
      other[at] = (other[at] as number) ^ 1;
      expect(recordsOf(other)).toEqual(NONE);
    }
    for (let length = 0; length < 5; length++) expect(recordsOf(profile.subarray(0, length))).toEqual(NONE);
    expect(decodeRegions(recordsOf(profile))).toEqual([region(1n)]);
  });

  test('gains what a run has compiled, with what it knew last of each region', () => {
    const before = merged(NONE, [region(1n), region(2n)]);
    const after = merged(before, [region(2n, 0, [0]), region(3n), region(2n, 0, [0, 8])]);
    expect(decodeRegions(recordsOf(after))).toEqual([region(2n, 0, [0, 8]), region(3n), region(1n)]);
  });

  test('leaves out regions that another one has', () => {
    const except = recordsFor([region(2n)]);
    const profile = merged(merged(NONE, [region(2n), region(2n, 4)]), [region(1n)], { except });
    expect(decodeRegions(recordsOf(profile))).toEqual([region(1n), region(2n, 4)]);
  });

  test('forgets what 16 runs did not need, and only with runs', () => {
    let profile = merged(NONE, [region(1n), region(2n)]);
    for (let run = 0; run < 16; run++) {
      profile = merged(profile, [region(2n)]);
      for (let again = 0; again < 3; again++) profile = merged(profile, [region(2n)], { ages: false });
    }
    expect(decodeRegions(recordsOf(profile))).toEqual([region(2n), region(1n)]);
    expect(decodeRegions(recordsOf(merged(profile, [region(2n)])))).toEqual([region(2n)]);
  });

  test('has a bounded size, and keeps what was needed last', () => {
    let profile: Uint8Array = NONE;
    for (let run = 0; run < 3; run++) {
      const regions = Array.from({ length: 1500 }, (_, n) => region(BigInt(run * 1500 + n)));
      profile = merged(profile, regions);
      expect(profile.length).toBeLessThanOrEqual(PROFILE_SIZE);
      expect(decodeRegions(recordsOf(profile)).slice(0, 1500)).toEqual(regions);
    }
    expect(decodeRegions(recordsOf(profile)).length).toBeGreaterThan(2000);
  });

  test('that is damaged merges like one with less in it', () => {
    const damaged = merged(NONE, [region(1n), region(2n)]);
    damaged.fill(0xff, 12);
    expect(decodeRegions(recordsOf(merged(damaged, [region(3n)])))).toEqual([region(3n)]);
  });
});

describe('the table of known pages', () => {
  const memory = () => new WebAssembly.Memory({ initial: 3, maximum: 3, shared: true });

  test('is never full, however many pages a profile names', () => {
    const { buffer } = memory();
    const known = new KnownPages({ buffer } as WebAssembly.Memory);
    // They all ask for the same place, which is the worst.
    known.add(Array.from({ length: 3000 }, (_, n) => region(BigInt(n) << 32n)));
    const table = new Uint32Array(buffer, KNOWN_TABLE, KNOWN_SLOTS);
    expect(table.filter((tag) => tag !== 0).length).toBe(MOST_KNOWN_PAGES);
    expect(new DataView(buffer).getUint32(M_KNOWN_PAGES, true)).toBe(MOST_KNOWN_PAGES);
    expect(known.take(0n, 1n << 32n, 0)).toEqual(region(1n << 32n));
    expect(known.take(0n, 2999n << 32n, 0)).toBeUndefined();
  });

  test('gives each region of a page once, the one at the offset first', () => {
    const known = new KnownPages(memory());
    known.add([region(1n, 0, [0, 8, 16]), region(1n, 8, [8]), region(2n, 0, [])]);
    expect(known.take(0n, 1n, 8)).toEqual(region(1n, 8, [8]));
    expect(known.take(0n, 1n, 8)).toEqual(region(1n, 0, [0, 8, 16]));
    expect(known.take(0n, 1n, 8)).toBeUndefined();
    expect(known.isDone(0n, 1n)).toBe(true);
    expect(known.isDone(4096n, 1n)).toBe(false);
    known.restore();
    expect(known.take(0n, 1n, 16)).toEqual(region(1n, 0, [0, 8, 16]));
  });

  test('is done with a page whose code is not that of its regions', () => {
    const known = new KnownPages(memory());
    known.add([region(1n)]);
    for (let miss = 0; miss < 32; miss++) {
      expect(known.isDone(0n, 1n)).toBe(false);
      expect(known.take(0n, 1n, 100)).toBeUndefined();
    }
    expect(known.isDone(0n, 1n)).toBe(true);
  });

  test('lies in the machine block', () => {
    expect(KNOWN_TABLE + 4 * KNOWN_SLOTS).toBeLessThanOrEqual(MACHINE + MACHINE_SIZE);
  });
});

test('a log takes all of some bytes or none of them', () => {
  const log = SharedLog.ofSize(5);
  expect(log.append(Uint8Array.of(1, 2, 3))).toBe(true);
  expect(log.append(Uint8Array.of(4, 5, 6))).toBe(false);
  expect(log.append(Uint8Array.of(7, 8))).toBe(true);
  expect([...new SharedLog(log.buffer).read(2)]).toEqual([3, 7, 8]);
});

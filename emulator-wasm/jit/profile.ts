/**
 * Which code was compiled in earlier runs. A profile names pages by digests of their bytes, so it holds
 * wherever a page has these bytes, at any address.
 *
 * A profile is a header and records. It may come from anyone: a damaged record is passed over, and all that a
 * wrong one costs is the time to compile what it names.
 */
import { PAGE_SIZE } from './page.ts';

/** A page that a region has code of. */
export interface KnownPage {
  /** How many pages after the region's first one. */
  readonly delta: number;
  readonly digest: bigint;
  /** The offsets, in ascending order, to which the guest had jumped when the region was made. */
  readonly executed: readonly number[];
}

/** What a region was made of. */
export interface KnownRegion {
  /** The first one has the hot code. */
  readonly pages: readonly KnownPage[];
  readonly hot: number;
}

/** The most bytes of a stored profile. */
export const PROFILE_SIZE = 64 << 10;
/** A region is forgotten when this many profiles have been stored without it. */
const OLDEST = 16;

const HEADER = Uint8Array.of(0x4c, 0x52, 0x4a, 0x50, 1);
const HALFWORDS = PAGE_SIZE / 2;
const MOST_PAGES = 16;
/** The bytes of a record before what tells one region from another: length and age. */
const RECORD_HEAD = 3;

/** The record of a region that was made now: length (u16), age, hot offset (u16), pages. */
export function encodeRegion({ pages, hot }: KnownRegion): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [0, 0, 0, ...littleEndian(hot, 2), pages.length];
  for (const { delta, digest, executed } of pages) {
    bytes.push(delta & 0xff, ...littleEndian(digest, 8), ...littleEndian(executed.length, 2));
    let last = 0;
    for (const offset of executed) {
      bytes.push(...variable((offset - last) / 2));
      last = offset;
    }
  }
  bytes.splice(0, 2, ...littleEndian(bytes.length, 2));
  return Uint8Array.from(bytes);
}

function littleEndian(value: number | bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, n) => Number((BigInt(value) >> BigInt(8 * n)) & 0xffn));
}

/** Seven bits in each byte, the lowest first; bit 7 says that another byte follows. */
function variable(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...variable(value >> 7)];
}

interface KnownRecord {
  readonly bytes: Uint8Array;
  readonly age: number;
  readonly region: KnownRegion;
}

/** Reads records, and passes over those that are damaged. */
function* readRecords(bytes: Uint8Array): Generator<KnownRecord> {
  for (let at = 0; at + RECORD_HEAD <= bytes.length; ) {
    const length = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    if (length < RECORD_HEAD || at + length > bytes.length) return;
    const record = bytes.subarray(at, at + length);
    const region = new Reader(record.subarray(RECORD_HEAD)).region();
    if (region) yield { bytes: record, age: record[2] as number, region };
    at += length;
  }
}

/** Reads a region; what it finds beyond the end of the bytes is zeros. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  region(): KnownRegion | undefined {
    const hot = this.#number(2);
    const count = this.#number(1);
    if (hot % 2 !== 0 || hot >= PAGE_SIZE || count === 0 || count > MOST_PAGES) return undefined;
    const pages = Array.from({ length: count }, () => this.#page());
    const isWhole = this.#at === this.#bytes.length && pages[0]?.delta === 0;
    return isWhole && pages.every((page) => page !== undefined) ? { pages, hot } : undefined;
  }

  #page(): KnownPage | undefined {
    const delta = (this.#number(1) << 24) >> 24;
    const digest = BigInt(this.#number(4)) | (BigInt(this.#number(4)) << 32n);
    const count = this.#number(2);
    if (count > HALFWORDS) return undefined;
    const executed: number[] = [];
    let offset = 0;
    for (let n = 0; n < count; n++) {
      const step = 2 * this.#variable();
      offset += step;
      if ((n > 0 && step === 0) || offset >= PAGE_SIZE) return undefined;
      executed.push(offset);
    }
    return { delta, digest, executed };
  }

  #number(bytes: number): number {
    let value = 0;
    for (let n = 0; n < bytes; n++) value += this.#byte() * 2 ** (8 * n);
    return value;
  }

  #variable(): number {
    const low = this.#byte();
    return low < 0x80 ? low : (low & 0x7f) | (this.#byte() << 7);
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }
}

/** The records of a profile; none if it is of another version, or no profile. */
export function recordsOf(profile: Uint8Array): Uint8Array {
  const isProfile = HEADER.every((byte, n) => profile[n] === byte);
  return isProfile ? profile.subarray(HEADER.length) : new Uint8Array();
}

export function decodeRegions(records: Uint8Array): KnownRegion[] {
  return [...readRecords(records)].map(({ region }) => region);
}

/** By which the same region is found again. */
export function nameOf({ pages, hot }: KnownRegion): string {
  return `${pages[0]?.digest} ${hot}`;
}

export interface MergeOptions {
  /** Whether what the run did not need gets older, as it does once in each run. */
  readonly ages: boolean;
  /** Records of regions that are left out. */
  readonly except?: Uint8Array | undefined;
  readonly size?: number;
}

/**
 * Adds the regions that a run has compiled to a stored profile. If they do not all fit, the newest stay.
 * @param made the run's records
 */
export function mergeProfiles(
  stored: Uint8Array,
  made: Uint8Array,
  { ages, except = new Uint8Array(), size = PROFILE_SIZE }: MergeOptions,
): Uint8Array<ArrayBuffer> {
  const left = new Set(decodeRegions(except).map(nameOf));
  const records = new Map<string, Uint8Array>();
  let length = HEADER.length;
  const add = (record: Uint8Array, region: KnownRegion, age: number) => {
    const name = nameOf(region);
    if (age > OLDEST || left.has(name) || records.has(name) || length + record.length > size) return;
    const copy = record.slice();
    copy[2] = age;
    records.set(name, copy);
    length += copy.length;
  };
  for (const { bytes, region } of latestOf([...readRecords(made)])) add(bytes, region, 0);
  const older = [...readRecords(recordsOf(stored))].sort((a, b) => a.age - b.age);
  for (const { bytes, region, age } of older) add(bytes, region, ages ? age + 1 : age);
  const profile = new Uint8Array(length);
  profile.set(HEADER);
  let at = HEADER.length;
  for (const record of records.values()) {
    profile.set(record, at);
    at += record.length;
  }
  return profile;
}

/** Of records of the same region the last, where the first was: it knows more of what is executed. */
function latestOf(records: readonly KnownRecord[]): Iterable<KnownRecord> {
  return new Map(records.map((record) => [nameOf(record.region), record])).values();
}

/**
 * Compiled code as it is stored with an image: a pack of regions, and of the pages that they were compiled
 * from. A page is named by all of its bytes, because a guest could make another page with the same digest if
 * harts were to compute that. A function reads the keyed hashes of its pages from globals, because they are
 * others in each machine.
 *
 * A pack is a sequence of records, and may follow another one, because its first record says that it begins.
 * The store notices a damaged pack by its digest. Here, a record that makes no sense is passed over.
 */
import { MAX_ENTRIES } from '../layout.ts';
import { PAGE_SIZE } from './page.ts';
import { type FunctionBody, type GlobalUse, usesGlobal } from './wasm.ts';

/** A place where a region can be entered. */
export interface Entry {
  /** The offset in the page. */
  readonly offset: number;
  readonly number: number;
}

/** A page that a region has code of. */
export interface PackedPage {
  /** How many pages after the region's first one. The function's global with its hash has this name. */
  readonly delta: number;
  readonly bytes: Uint8Array;
  readonly entries: readonly Entry[];
  /** The offsets where the region is left if accesses are not in one page. */
  readonly wide: readonly number[];
}

export interface PackedRegion {
  /** The first one has the hot code. */
  readonly pages: readonly PackedPage[];
  readonly hot: number;
  /** Whether each access has its own TLB look-up. */
  readonly isNarrow: boolean;
  /** Whether the function is the same for all hosts that have tail calls, or for all others. */
  readonly isPortable: boolean;
  readonly function: FunctionBody;
}

/** The most bytes of a pack. */
export const PACK_SIZE = 6 << 20;
/** The most that stays when there is more. The room lets this pack stay as it is in the next runs. */
const KEPT_SIZE = 4.5 * 2 ** 20;
/** A region is forgotten when this many packs have been stored that did not need it. */
const OLDEST = 16;
/** What a record has room for. The age of a region whose pack is never merged goes on growing. */
const MOST_AGE = 255;

const PAGE = 0;
const REGION = 1;
/** A pack begins, which numbers its pages from 0. */
const START = 2;
/** The bytes of a record before its content: length (u32), kind. */
const HEAD = 5;
const PAGE_RECORD = HEAD + PAGE_SIZE;
/** The bytes of a region's record before its pages, and of each page before its entries. */
const REGION_HEAD = HEAD + 15;
const PAGE_HEAD = 7;
const GLOBAL_USE = 6;

const latin1 = new TextDecoder('latin1');
/** The names of pages. To decode a page takes V8 30 µs. */
const names = new WeakMap<Uint8Array, string>();

/** By which the same region is found again. */
export function nameOf({ pages, hot, isNarrow }: PackedRegion): string {
  return `${hot} ${isNarrow} ${nameOfPage((pages[0] as PackedPage).bytes)}`;
}

/** All bytes of a page, as text. */
function nameOfPage(bytes: Uint8Array): string {
  const known = names.get(bytes);
  if (known !== undefined) return known;
  const name = latin1.decode(bytes);
  names.set(bytes, name);
  return name;
}

/** Writes the records of regions, with a record for each page of theirs. */
export class PackWriter {
  /** The numbers of the pages by their bytes. */
  readonly #pages = new Map<string, number>();
  #left: number;
  #hasStarted = false;

  /** @param most the most bytes of all records */
  constructor(most = PACK_SIZE) {
    this.#left = most;
  }

  /**
   * Returns the records of a region, or undefined if they do not fit.
   * @param age how many packs were stored that did not need it
   */
  add(region: PackedRegion, age = 0): Uint8Array<ArrayBuffer> | undefined {
    const pages = new Map(region.pages.map(({ bytes }) => [nameOfPage(bytes), bytes]));
    const fresh = [...pages].filter(([name]) => !this.#pages.has(name));
    const start = this.#hasStarted ? 0 : HEAD;
    const size = start + fresh.length * PAGE_RECORD + recordSize(region);
    if (size > this.#left) return undefined;
    this.#left -= size;
    const out = new Writer(size);
    if (!this.#hasStarted) out.head(HEAD, START);
    this.#hasStarted = true;
    for (const [name, bytes] of fresh) {
      this.#pages.set(name, this.#pages.size);
      out.head(PAGE_RECORD, PAGE);
      out.bytes(bytes);
    }
    const numbers = region.pages.map(({ bytes }) => this.#pages.get(nameOfPage(bytes)) as number);
    out.region(region, numbers, age);
    return out.written;
  }
}

function recordSize({ pages, function: { bytes, hints, globals } }: PackedRegion): number {
  const ofPages = pages.map(({ entries, wide }) => PAGE_HEAD + 4 * entries.length + 2 * wide.length);
  const before = ofPages.reduce((sum, size) => sum + size, REGION_HEAD);
  return before + GLOBAL_USE * globals.length + hints.length + bytes.length;
}

class Writer {
  readonly written: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(size: number) {
    this.written = new Uint8Array(size);
  }

  number(bytes: number, value: number): void {
    for (let n = 0; n < bytes; n++) this.written[this.#at++] = (value >>> (8 * n)) & 0xff;
  }

  head(length: number, kind: number): void {
    this.number(4, length);
    this.number(1, kind);
  }

  bytes(bytes: Uint8Array): void {
    this.written.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  region(region: PackedRegion, numbers: readonly number[], age: number): void {
    const { bytes, hints, globals } = region.function;
    this.head(recordSize(region), REGION);
    this.number(1, age);
    this.number(1, Number(region.isNarrow) | (Number(region.isPortable) << 1));
    this.number(2, region.hot);
    this.number(1, region.pages.length);
    this.number(2, globals.length);
    this.number(4, hints.length);
    this.number(4, bytes.length);
    for (const [n, { delta, entries, wide }] of region.pages.entries()) {
      this.number(2, delta);
      this.number(2, numbers[n] as number);
      this.number(1, entries.length);
      this.number(2, wide.length);
      for (const { offset, number } of entries) {
        this.number(2, offset);
        this.number(2, number);
      }
      for (const offset of wide) this.number(2, offset);
    }
    for (const { name, at } of globals) {
      this.number(2, name);
      this.number(4, at);
    }
    this.bytes(hints);
    this.bytes(bytes);
  }
}

interface RegionRecord {
  readonly region: PackedRegion;
  readonly age: number;
}

/** Returns the regions of packs that follow each other. */
export function readPack(packs: Uint8Array): PackedRegion[] {
  return readPacks(packs).flat();
}

/** Returns the regions of each pack that has any. Those of a pack with the same page share its bytes. */
export function readPacks(packs: Uint8Array): PackedRegion[][] {
  return readRecords(packs).map((pack) => pack.map(({ region }) => region));
}

function readRecords(packs: Uint8Array): RegionRecord[][] {
  const read: RegionRecord[][] = [];
  let pages: Uint8Array[] = [];
  const view = new DataView(packs.buffer, packs.byteOffset, packs.length);
  for (let at = 0; at + HEAD <= packs.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEAD || at + length > packs.length) break;
    const kind = view.getUint8(at + HEAD - 1);
    const content = packs.subarray(at + HEAD, at + length);
    if (kind === START) {
      pages = [];
      read.push([]);
    }
    if (kind === PAGE && length === PAGE_RECORD) pages.push(content);
    const region = kind === REGION && readRegion(content, pages);
    if (region) read.at(-1)?.push(region);
    at += length;
  }
  return read.filter((pack) => pack.length > 0);
}

/** Returns undefined if the record makes no sense. */
function readRegion(record: Uint8Array, pages: readonly Uint8Array[]): RegionRecord | undefined {
  try {
    return new Reader(record).region(pages);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Reads a record. All functions throw a RangeError where it makes no sense. */
class Reader {
  readonly #record: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(record: Uint8Array) {
    this.#record = record;
    this.#view = new DataView(record.buffer, record.byteOffset, record.length);
  }

  #byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  #half(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  #signed(): number {
    return (this.#half() << 16) >> 16;
  }

  #word(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  #offset(): number {
    const offset = this.#half();
    insist(offset % 2 === 0 && offset < PAGE_SIZE);
    return offset;
  }

  #bytes(length: number): Uint8Array {
    this.#at += length;
    insist(this.#at <= this.#record.length);
    return this.#record.subarray(this.#at - length, this.#at);
  }

  region(pages: readonly Uint8Array[]): RegionRecord {
    const age = this.#byte();
    const flags = this.#byte();
    const [isNarrow, isPortable] = [(flags & 1) !== 0, (flags & 2) !== 0];
    const hot = this.#offset();
    const counts = { pages: this.#byte(), globals: this.#half() };
    const lengths = { hints: this.#word(), body: this.#word() };
    const read: PackedPage[] = [];
    for (let n = 0; n < counts.pages; n++) read.push(this.#page(pages));
    const globals: GlobalUse[] = [];
    for (let n = 0; n < counts.globals; n++) globals.push({ name: this.#signed(), at: this.#word() });
    const hints = this.#bytes(lengths.hints);
    const body = { bytes: this.#bytes(lengths.body), hints, globals };
    insist(this.#at === this.#record.length);
    requireSound(read, body);
    return { region: { pages: read, hot, isNarrow, isPortable, function: body }, age };
  }

  #page(pages: readonly Uint8Array[]): PackedPage {
    const delta = this.#signed();
    const bytes = pages[this.#half()];
    insist(bytes !== undefined);
    const counts = { entries: this.#byte(), wide: this.#half() };
    const entries: Entry[] = [];
    for (let n = 0; n < counts.entries; n++) entries.push({ offset: this.#offset(), number: this.#half() });
    const wide: number[] = [];
    for (let n = 0; n < counts.wide; n++) wide.push(this.#offset());
    return { delta, bytes, entries, wide };
  }
}

function insist(condition: boolean): asserts condition {
  if (!condition) throw new RangeError('not a record of a pack');
}

function requireSound(pages: readonly PackedPage[], body: FunctionBody): void {
  const deltas = new Set(pages.map(({ delta }) => delta));
  insist(pages[0]?.delta === 0 && deltas.size === pages.length);
  const count = pages.reduce((sum, { entries }) => sum + entries.length, 0);
  insist(count <= MAX_ENTRIES);
  for (const { entries } of pages) insist(entries.every(({ number }) => number < count));
  for (const use of body.globals) insist(deltas.has(use.name) && usesGlobal(body, use));
}

/**
 * Adds the regions that a run has compiled to the stored packs, as a pack of their own. The others stay as
 * they are, because a browser keeps its own code for the module of a pack. A pack with less than twice as
 * many regions as the newer packs is merged with them, without the regions that are forgotten. If the packs
 * become too large, only the newest regions stay.
 * @param made the run's records
 * @param used the names of the stored regions that the run has used
 * @param ages whether what the run did not need gets older, as it does once in each run
 */
export function mergePacks(
  stored: Uint8Array,
  made: Uint8Array,
  used: ReadonlySet<string>,
  ages: boolean,
): Uint8Array<ArrayBuffer> {
  const needed = new Map(readPack(made).map((region) => [nameOf(region), region]));
  const older = readRecords(stored).map((pack) =>
    pack.map(({ region, age }) => {
      const name = nameOf(region);
      const isNeeded = needed.delete(name) || used.has(name);
      return { region, age: isNeeded ? 0 : Math.min(age + Number(ages), MOST_AGE) };
    }),
  );
  const fresh = [...needed.values()].map((region) => ({ region, age: 0 }));
  const packs = compact([...older, fresh]);
  const written = concatenate(packs.map((pack) => writePack(pack, Number.POSITIVE_INFINITY)));
  return written.length > PACK_SIZE ? writePack(newestFirst(packs), KEPT_SIZE) : written;
}

/** @param packs the oldest first */
function compact(packs: readonly RegionRecord[][]): RegionRecord[][] {
  const kept: RegionRecord[][] = [...packs];
  let last = kept.pop() ?? [];
  for (let before = kept.pop(); before; before = kept.pop()) {
    const needed = before.filter(isRemembered);
    if (needed.length >= 2 * last.length) return [...kept, before, last];
    last = [...needed, ...last];
  }
  return [last];
}
function isRemembered({ age }: RegionRecord): boolean {
  return age <= OLDEST;
}

/** Those that are not forgotten. @param packs the oldest first */
function newestFirst(packs: readonly RegionRecord[][]): RegionRecord[] {
  const needed = packs.toReversed().flat().filter(isRemembered);
  return needed.sort((a, b) => a.age - b.age);
}

/** Returns the pack of those regions that fit. */
function writePack(regions: readonly RegionRecord[], most: number): Uint8Array<ArrayBuffer> {
  const writer = new PackWriter(most);
  return concatenate(regions.flatMap(({ region, age }) => writer.add(region, age) ?? []));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Between the version and the pack of a file. */
const NEWLINE = 10;

/**
 * Returns a file with those regions of a pack that every host can use, and that come from a program.
 * @param version of the compiled code
 */
export function shipPack(pack: Uint8Array, program: Uint8Array, version: string): Uint8Array<ArrayBuffer> {
  const own = new Set<string>();
  for (let at = 0; at < program.length; at += PAGE_SIZE)
    own.add(latin1.decode(program.subarray(at, at + PAGE_SIZE)));
  const isOwn = ({ bytes }: PackedPage) => own.has(nameOfPage(bytes));
  const regions = readPack(pack).filter(({ isPortable, pages }) => isPortable && pages.every(isOwn));
  const shipped = writePack(
    regions.map((region) => ({ region, age: 0 })),
    PACK_SIZE,
  );
  const head = new TextEncoder().encode(`${version}\n`);
  const file = new Uint8Array(head.length + shipped.length);
  file.set(head);
  file.set(shipped, head.length);
  return file;
}

/** Returns the pack of such a file, empty if it is of another version. */
export function shippedPack(file: Uint8Array, version: string): Uint8Array {
  const end = file.indexOf(NEWLINE);
  return latin1.decode(file.subarray(0, end)) === version ? file.subarray(end + 1) : new Uint8Array();
}

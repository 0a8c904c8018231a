/** Takes the harts' reports of hot code, and makes modules of it. */

import { UOP_SIZE } from '../assembly/opcodes.ts';
import {
  COMPILE_PRICE,
  H_CODE_PAGE,
  H_CODE_UOPS,
  H_HOT_HEAD,
  H_HOT_SLOTS,
  H_HOT_TAIL,
  HART_STRIDE,
  HARTS,
  HOT_ADDRESS,
  HOT_HASH,
  HOT_JUMPS,
  HOT_KNOWN,
  HOT_PAGE,
  HOT_RECORD,
  HOT_SLOT_SIZE,
  HOT_SLOTS,
  KNOWN_DONE,
  M_CREDIT,
  M_DROPS,
  M_KNOWN_REGIONS,
  M_RAM_BASE,
  M_RAM_SIZE,
  M_REGION_BYTES,
  M_REGION_INSTRUCTIONS,
  M_REGIONS,
  M_TRANSLATION_TIME,
  MOST_DEBT,
  PAGE_TLB,
  PAGE_TLB_MASK,
  RAM_START,
  RECORD_KNOWN,
  RECORD_MAP,
  RECORD_PAGE,
  REGION_PRICE,
} from '../layout.ts';
import type { Decoder } from './decoder.ts';
import { IMPORTS } from './imports.ts';
import { KnownPages } from './known-pages.ts';
import { DecodedCode, type MicroOps, PAGE_SIZE, pageNumber } from './page.ts';
import { REGION_SIGNATURE } from './parameters.ts';
import { decodeRegions, encodeRegion, type KnownRegion } from './profile.ts';
import { findRegion } from './region.ts';
import type { SharedLog } from './shared-log.ts';
import { translate } from './translate.ts';
import { ModuleWriter } from './wasm.ts';

/**
 * After this time, in ms, a module is made of what is translated so far. Known pages may be reported faster
 * than they are translated.
 */
const BATCH_TIME = 30;
const MOST_DIGESTS = 4096;

/** The part of a compiled region in a page. */
export interface CompiledPage {
  /** The physical address of the page, and the hash of its bytes. */
  readonly page: bigint;
  readonly hash: bigint;
  readonly entries: readonly Entry[];
}

/** A place where a region can be entered. */
export interface Entry {
  /** The offset in the page. */
  readonly offset: number;
  readonly number: number;
}

/** The description of a compiled region for the harts: its pages, the one with the hot code first. */
export type CompiledRegion = readonly CompiledPage[];

export interface Translation {
  /** Exports the regions' functions by their numbers. */
  readonly module: Uint8Array<ArrayBuffer>;
  readonly regions: readonly CompiledRegion[];
}

interface Report {
  readonly page: bigint;
  readonly hash: bigint;
  /** The virtual address of the hot code. */
  readonly address: bigint;
  readonly record: number;
  /** The jump cache of the context in which the code is hot. */
  readonly jumps: number;
  /** Whether a region of an earlier run is wanted, and not one that is new. */
  readonly isKnown: boolean;
}

/** A page of code that a hart has executed. */
interface ExecutedPage {
  readonly page: bigint;
  /** The address of the hart's record of it. */
  readonly record: number;
}

interface DecodedPage extends MicroOps {
  /** By which profiles name the page. */
  readonly digest: bigint;
}

/** A page of a region while that is made. */
interface RegionPage {
  readonly page: bigint;
  readonly digest: bigint;
  /** The offsets that were found to be executed. */
  readonly executed: Set<number>;
}

/** What is compiled of a page: offsets in it. */
interface CompiledCode {
  /** Where regions are entered. */
  readonly entries: Set<number>;
  /** Where regions are left if accesses are not in one page. */
  readonly wide: Set<number>;
  /** Those of them from where on the code is compiled without windows. */
  readonly narrow: Set<number>;
}

/** The logs of profiles, which hold records. */
export interface ProfileLogs {
  /** What earlier runs have compiled. */
  readonly known: SharedLog;
  /** What this run compiles. */
  readonly made: SharedLog;
}

export class Translator {
  readonly #memory: WebAssembly.Memory;
  readonly #decoder: Decoder;
  /** The addresses of the served harts' blocks. The first one has room for decoding. */
  readonly #harts: readonly number[];
  readonly #compiled = new Map<string, CompiledCode>();
  #drops = 0;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #credit: BigInt64Array;
  /** The pages of the reports that are translated together. */
  readonly #decoded = new Map<bigint, DecodedPage>();
  readonly #profiles: ProfileLogs | undefined;
  readonly #known: KnownPages;
  /** Digests by the keyed hashes of the same pages. */
  readonly #digests = new Map<bigint, bigint>();
  /** How much of what earlier runs have compiled is read. */
  #read = 0;

  /**
   * @param harts the harts whose reports are taken; no other translator may serve the first of them
   */
  constructor(
    memory: WebAssembly.Memory,
    decoder: Decoder,
    harts: readonly number[],
    profiles?: ProfileLogs,
  ) {
    this.#memory = memory;
    this.#decoder = decoder;
    this.#profiles = profiles;
    this.#known = new KnownPages(memory);
    this.#harts = harts.map((hart) => HARTS + hart * HART_STRIDE);
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#credit = new BigInt64Array(memory.buffer, M_CREDIT, 1);
    this.#readProfiles();
  }

  /** Returns a module of reports since the last call; undefined if nothing can be compiled. */
  translate(): Translation | undefined {
    const start = performance.now();
    this.#readProfiles();
    this.#noteDrops();
    this.#decoded.clear();
    const writer = new ModuleWriter(REGION_SIGNATURE, IMPORTS);
    const regions: CompiledRegion[] = [];
    for (const report of this.#takeReports()) {
      regions.push(
        ...(report.isKnown ? this.#translateKnown(report, writer) : this.#translateHot(report, writer)),
      );
      if (regions.length > 0 && performance.now() - start > BATCH_TIME) break;
    }
    if (regions.length === 0) return undefined;
    const module = writer.finish();
    this.#count(M_REGION_BYTES, module.length);
    this.#count(M_TRANSLATION_TIME, Math.round((performance.now() - start) * 1000));
    return { module, regions };
  }

  #count(counter: number, more: number): void {
    Atomics.add(this.#words, counter >> 2, more);
  }

  #readProfiles(): void {
    const records = this.#profiles?.known.read(this.#read);
    if (!records?.length) return;
    this.#read += records.length;
    this.#known.add(decodeRegions(records));
  }

  /** What was compiled may be compiled again. */
  #noteDrops(): void {
    const drops = Atomics.load(this.#words, M_DROPS >> 2);
    if (drops === this.#drops) return;
    this.#drops = drops;
    this.#compiled.clear();
    this.#known.restore();
  }

  #translateHot(report: Report, writer: ModuleWriter): CompiledRegion[] {
    Atomics.add(this.#credit, 0, BigInt(REGION_PRICE));
    const { compiled, instructions } = this.#translateRegion(report, hotOffset(report), undefined, writer);
    Atomics.sub(this.#credit, 0, BigInt(instructions * COMPILE_PRICE));
    return compiled;
  }

  /** Translates the region that is known of the code, if there is one. */
  #translateKnown(report: Report, writer: ModuleWriter): CompiledRegion[] {
    const { page, record } = report;
    const digest = this.#digestOf(report);
    if (digest === undefined) return [];
    const known = this.#known.take(page, digest, hotOffset(report));
    // A hint to the hart, which may have given the record to another page meanwhile.
    if (this.#known.isDone(page, digest))
      Atomics.store(this.#words, (record + RECORD_KNOWN) >> 2, KNOWN_DONE);
    if (!known) return [];
    const { compiled, instructions } = this.#translateRegion(report, known.hot, known, writer);
    this.#charge(instructions);
    this.#count(M_KNOWN_REGIONS, compiled.length);
    return compiled;
  }

  /** The digest of the report's page, unless that has been written meanwhile. */
  #digestOf({ page, hash }: Report): bigint | undefined {
    const known = this.#digests.get(hash);
    if (known !== undefined) return known;
    const decoded = this.#decode(page);
    if (decoded?.hash !== hash) return undefined;
    if (this.#digests.size === MOST_DIGESTS) this.#digests.clear();
    this.#digests.set(hash, decoded.digest);
    return decoded.digest;
  }

  /**
   * Known code need not wait for credit, but uses it up, and as much again as may be lent: new code has to
   * wait until the known code has returned that, and does not keep the translator from the known code.
   */
  #charge(instructions: number): void {
    const left = Atomics.load(this.#credit, 0) + BigInt(2 * MOST_DEBT);
    const price = BigInt(instructions * COMPILE_PRICE);
    if (left > 0n) Atomics.sub(this.#credit, 0, price < left ? price : left);
  }

  /**
   * Compiles the code around the offset in a report's page.
   * @param known the region of an earlier run that is made again
   */
  #translateRegion(
    report: Report,
    hot: number,
    known: KnownRegion | undefined,
    writer: ModuleWriter,
  ): { compiled: CompiledRegion[]; instructions: number } {
    if (this.#isCompiled(report, hot)) return { compiled: [], instructions: 0 };
    const made = new Map<number, RegionPage>();
    const region = findRegion((number) => {
      const executed = number === 0 ? report : this.#pageAt(report, number);
      const decoded = executed && this.#decode(executed.page);
      // Written meanwhile: the bytes that are there now may get hot as well, and will be reported then.
      if (!executed || !decoded || (number === 0 && decoded.hash !== report.hash)) return undefined;
      const isExecuted = this.#executedIn(executed, number, decoded, known);
      const page = { page: executed.page, digest: decoded.digest, executed: new Set<number>() };
      made.set(number, page);
      return new DecodedCode(decoded, number, (at) => isExecuted(at) && page.executed.add(at) !== undefined);
    }, hot);
    if (!region) return { compiled: [], instructions: 0 };
    const instructions = [...region.blocks.values()].reduce(
      (sum, block) => sum + block.instructions.length,
      0,
    );
    this.#count(M_REGION_INSTRUCTIONS, instructions);
    this.#count(M_REGIONS, 1);
    const pages = [...region.pages].map(([number, { hash }]) => {
      const { page, digest, executed } = made.get(number) as RegionPage;
      return { number, page, hash, digest, executed, code: this.#compiledCode(page, hash) };
    });
    this.#profiles?.made.append(
      encodeRegion({
        pages: pages.map(({ number, digest, executed }) => ({
          delta: number,
          digest,
          executed: [...executed].sort((a, b) => a - b),
        })),
        hot,
      }),
    );
    const isWide = pages[0]?.code.wide.has(hot);
    if (isWide) pages[0]?.code.narrow.add(hot);
    const { function: body, entries, wideAccesses } = translate(region, !isWide);
    writer.add(body);
    for (const access of wideAccesses) {
      const page = pages.find(({ number }) => number === pageNumber(access));
      page?.code.wide.add(access - page.number * PAGE_SIZE);
    }
    for (const entry of entries) {
      const page = pages.find(({ number }) => number === pageNumber(entry));
      page?.code.entries.add(entry - page.number * PAGE_SIZE);
    }
    const numbered = entries.map((offset, number) => ({ offset, number }));
    const compiled = pages.map(({ number, page, hash }) => ({
      page,
      hash,
      entries: numbered
        .filter(({ offset }) => pageNumber(offset) === number)
        .map((entry) => ({ ...entry, offset: entry.offset - number * PAGE_SIZE })),
    }));
    return { compiled: [compiled], instructions };
  }

  /**
   * Returns whether the guest has ever jumped to an offset in a page: in this run, or, if the page is one of
   * a known region, in that run.
   */
  #executedIn(
    { record }: ExecutedPage,
    number: number,
    { digest }: DecodedPage,
    known: KnownRegion | undefined,
  ): (offset: number) => boolean {
    const page = known?.pages.find(({ delta }) => delta === number);
    if (page?.digest === digest) {
      const offsets = new Set(page.executed);
      return (at) => offsets.has(at);
    }
    const map = record + RECORD_MAP;
    return (at) => this.#view.getUint32(map + at * 2, true) !== 0;
  }

  /**
   * The page with a number relative to a report's page, if the hart has executed it in that context. The hart
   * changes its TLB meanwhile, but the compiled code itself checks that it is there, with the bytes it had.
   */
  #pageAt({ address, jumps }: Report, number: number): ExecutedPage | undefined {
    const va = (address & BigInt(-PAGE_SIZE)) + BigInt(number * PAGE_SIZE);
    const entry = jumps + PAGE_TLB + (Number(BigInt.asUintN(32, va) >> 8n) & PAGE_TLB_MASK);
    if (this.#view.getBigUint64(entry, true) !== BigInt.asUintN(64, va)) return undefined;
    const record = this.#view.getUint32(entry + 8, true);
    if (record + RECORD_MAP + 2 * PAGE_SIZE > this.#memory.buffer.byteLength) return undefined;
    return { page: this.#view.getBigUint64(record + RECORD_PAGE, true), record };
  }

  #decode(page: bigint): DecodedPage | undefined {
    const known = this.#decoded.get(page);
    if (known) return known;
    const decoded = this.#decodeNew(page);
    if (decoded) this.#decoded.set(page, decoded);
    return decoded;
  }

  /** Copies and decodes a page of RAM. */
  #decodeNew(page: bigint): DecodedPage | undefined {
    const ram = this.#view.getUint32(M_RAM_BASE, true);
    const from = ram + Number(page - BigInt(RAM_START));
    if (page < RAM_START || from + PAGE_SIZE > ram + Number(this.#view.getBigUint64(M_RAM_SIZE, true)))
      return undefined;
    const copy = this.#scratch + H_CODE_PAGE;
    new Uint8Array(this.#memory.buffer).copyWithin(copy, from, from + PAGE_SIZE);
    const hash = BigInt.asUintN(64, this.#decoder.decodePage(this.#scratch));
    // Compiled code takes this for a hash that is not known.
    if (hash === 0n) return undefined;
    const digest = BigInt.asUintN(64, this.#decoder.digestCodePage(this.#scratch));
    const uops = this.#scratch + H_CODE_UOPS;
    const buffer = this.#memory.buffer.slice(uops, uops + (PAGE_SIZE / 2) * UOP_SIZE);
    return { buffer, uops: 0, hash, digest };
  }

  /**
   * Whether code that is reported is compiled already: a hot page is reported again before its code is
   * installed.
   */
  #isCompiled({ page, hash }: Report, hot: number): boolean {
    const { entries, wide, narrow } = this.#compiledCode(page, hash);
    return wide.has(hot) ? narrow.has(hot) : entries.has(hot);
  }

  #compiledCode(page: bigint, hash: bigint): CompiledCode {
    const key = `${page} ${hash}`;
    const known = this.#compiled.get(key);
    if (known) return known;
    const none = { entries: new Set<number>(), wide: new Set<number>(), narrow: new Set<number>() };
    this.#compiled.set(key, none);
    return none;
  }

  get #scratch(): number {
    return this.#harts[0] as number;
  }

  *#takeReports(): Generator<Report> {
    for (const block of this.#harts) {
      const tail = (block + H_HOT_TAIL) >> 2;
      for (;;) {
        const count = Atomics.load(this.#words, tail);
        if (count === Atomics.load(this.#words, (block + H_HOT_HEAD) >> 2)) break;
        const report = this.#reportAt(block + H_HOT_SLOTS + ((count >>> 0) % HOT_SLOTS) * HOT_SLOT_SIZE);
        Atomics.store(this.#words, tail, count + 1);
        yield report;
      }
    }
  }

  #reportAt(slot: number): Report {
    const view = this.#view;
    const address = view.getBigUint64(slot + HOT_ADDRESS, true);
    return {
      page: view.getBigUint64(slot + HOT_PAGE, true),
      hash: view.getBigUint64(slot + HOT_HASH, true),
      address: address & ~BigInt(HOT_KNOWN),
      record: view.getUint32(slot + HOT_RECORD, true),
      jumps: view.getUint32(slot + HOT_JUMPS, true),
      isKnown: (address & BigInt(HOT_KNOWN)) !== 0n,
    };
  }
}

/** The offset in the report's page. */
function hotOffset({ address }: Report): number {
  return Number(address & BigInt(PAGE_SIZE - 1));
}

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
  HOT_PAGE,
  HOT_RECORD,
  HOT_SLOT_SIZE,
  HOT_SLOTS,
  M_CREDIT,
  M_EVICTIONS,
  M_RAM_BASE,
  M_RAM_SIZE,
  M_REGION_BYTES,
  M_REGION_INSTRUCTIONS,
  M_REGIONS,
  M_TRANSLATION_TIME,
  PAGE_TLB,
  PAGE_TLB_MASK,
  RAM_START,
  RECORD_MAP,
  RECORD_PAGE,
  REGION_PRICE,
} from '../layout.ts';
import { DecodedCode, type MicroOps, PAGE_SIZE, pageNumber } from './page.ts';
import { REGION_SIGNATURE } from './parameters.ts';
import { findRegion } from './region.ts';
import { translate } from './translate.ts';
import { ModuleWriter } from './wasm.ts';

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
}

/** A page of code that a hart has executed. */
interface KnownPage {
  readonly page: bigint;
  /** The address of the hart's record of it. */
  readonly record: number;
}

export class Translator {
  readonly #memory: WebAssembly.Memory;
  readonly #decodePage: (hart: number) => bigint;
  /** The addresses of the served harts' blocks. The first one has room for decoding. */
  readonly #harts: readonly number[];
  readonly #wideAccesses = new Map<string, Set<number>>();
  #evictions = 0;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #credit: BigInt64Array;

  /**
   * @param decodePage the core's export
   * @param harts the harts whose reports are taken; no other translator may serve the first of them
   */
  constructor(memory: WebAssembly.Memory, decodePage: (hart: number) => bigint, harts: readonly number[]) {
    this.#memory = memory;
    this.#decodePage = decodePage;
    this.#harts = harts.map((hart) => HARTS + hart * HART_STRIDE);
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#credit = new BigInt64Array(memory.buffer, M_CREDIT, 1);
  }

  /** Returns a module of all reports since the last call; undefined if nothing can be compiled. */
  translate(): Translation | undefined {
    const start = performance.now();
    const writer = new ModuleWriter(REGION_SIGNATURE);
    const regions: CompiledRegion[] = [];
    for (const report of this.#takeReports()) {
      const region = this.#translateRegion(report, writer);
      if (region) regions.push(region);
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

  #translateRegion(report: Report, writer: ModuleWriter): CompiledRegion | undefined {
    Atomics.add(this.#credit, 0, BigInt(REGION_PRICE));
    const hot = Number(report.address & BigInt(PAGE_SIZE - 1));
    const physical = new Map<number, bigint>();
    const region = findRegion((number) => {
      const known = number === 0 ? report : this.#pageAt(report, number);
      const decoded = known && this.#decode(known.page);
      // Written meanwhile: the bytes that are there now may get hot as well, and will be reported then.
      if (!known || !decoded || (number === 0 && decoded.hash !== report.hash)) return undefined;
      physical.set(number, known.page);
      const map = known.record + RECORD_MAP;
      return new DecodedCode(decoded, number, (at) => this.#view.getUint32(map + at * 2, true) !== 0);
    }, hot);
    if (!region) return undefined;
    const instructions = [...region.blocks.values()].reduce(
      (sum, block) => sum + block.instructions.length,
      0,
    );
    Atomics.sub(this.#credit, 0, BigInt(instructions * COMPILE_PRICE));
    this.#count(M_REGION_INSTRUCTIONS, instructions);
    this.#count(M_REGIONS, 1);
    const pages = [...region.pages].map(([number, { hash }]) => {
      const page = physical.get(number) as bigint;
      return { number, page, hash, wide: this.#wideAccessesOf(page, hash) };
    });
    const { entries, wideAccesses } = translate(region, writer, !pages[0]?.wide.has(hot));
    for (const access of wideAccesses) {
      const page = pages.find(({ number }) => number === pageNumber(access));
      page?.wide.add(access - page.number * PAGE_SIZE);
    }
    const numbered = entries.map((offset, number) => ({ offset, number }));
    return pages.map(({ number, page, hash }) => ({
      page,
      hash,
      entries: numbered
        .filter(({ offset }) => pageNumber(offset) === number)
        .map((entry) => ({ ...entry, offset: entry.offset - number * PAGE_SIZE })),
    }));
  }

  /**
   * The page with a number relative to a report's page, if the hart has executed it in that context. The hart
   * changes its TLB meanwhile, but the compiled code itself checks that it is there, with the bytes it had.
   */
  #pageAt({ address, jumps }: Report, number: number): KnownPage | undefined {
    const va = (address & BigInt(-PAGE_SIZE)) + BigInt(number * PAGE_SIZE);
    const entry = jumps + PAGE_TLB + (Number(BigInt.asUintN(32, va) >> 8n) & PAGE_TLB_MASK);
    if (this.#view.getBigUint64(entry, true) !== BigInt.asUintN(64, va)) return undefined;
    const record = this.#view.getUint32(entry + 8, true);
    if (record + RECORD_MAP + 2 * PAGE_SIZE > this.#memory.buffer.byteLength) return undefined;
    return { page: this.#view.getBigUint64(record + RECORD_PAGE, true), record };
  }

  /** Copies and decodes a page of RAM. */
  #decode(page: bigint): MicroOps | undefined {
    const ram = this.#view.getUint32(M_RAM_BASE, true);
    const from = ram + Number(page - BigInt(RAM_START));
    if (page < RAM_START || from + PAGE_SIZE > ram + Number(this.#view.getBigUint64(M_RAM_SIZE, true)))
      return undefined;
    const copy = this.#scratch + H_CODE_PAGE;
    new Uint8Array(this.#memory.buffer).copyWithin(copy, from, from + PAGE_SIZE);
    const hash = BigInt.asUintN(64, this.#decodePage(this.#scratch));
    // Compiled code takes this for a hash that is not known.
    if (hash === 0n) return undefined;
    const uops = this.#scratch + H_CODE_UOPS;
    const buffer = this.#memory.buffer.slice(uops, uops + (PAGE_SIZE / 2) * UOP_SIZE);
    return { buffer, uops: 0, hash };
  }

  /** The offsets at which the regions of a page are left if accesses are not in one page. */
  #wideAccessesOf(page: bigint, hash: bigint): Set<number> {
    const evictions = Atomics.load(this.#words, M_EVICTIONS >> 2);
    if (evictions !== this.#evictions) this.#wideAccesses.clear();
    this.#evictions = evictions;
    const key = `${page} ${hash}`;
    const known = this.#wideAccesses.get(key);
    if (known) return known;
    const none = new Set<number>();
    this.#wideAccesses.set(key, none);
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
    return {
      page: view.getBigUint64(slot + HOT_PAGE, true),
      hash: view.getBigUint64(slot + HOT_HASH, true),
      address: view.getBigUint64(slot + HOT_ADDRESS, true),
      record: view.getUint32(slot + HOT_RECORD, true),
      jumps: view.getUint32(slot + HOT_JUMPS, true),
    };
  }
}

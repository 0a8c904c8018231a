/** Takes the harts' reports of hot code, and makes modules of it. */
import {
  COMPILE_PRICE,
  H_CODE_PAGE,
  H_HOT_HEAD,
  H_HOT_SLOTS,
  H_HOT_TAIL,
  HART_STRIDE,
  HARTS,
  HOT_HASH,
  HOT_MAP,
  HOT_OFFSET,
  HOT_PAGE,
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
  RAM_START,
  REGION_PRICE,
} from '../layout.ts';
import { CodePage, PAGE_SIZE } from './page.ts';
import { REGION_SIGNATURE } from './parameters.ts';
import { findRegion } from './region.ts';
import { translate } from './translate.ts';
import { ModuleWriter } from './wasm.ts';

/** The description of a compiled region for the harts. */
export interface CompiledRegion {
  /** The physical address of the page, and the hash of its bytes. */
  readonly page: bigint;
  readonly hash: bigint;
  /** The entries' offsets in the page. */
  readonly entries: readonly number[];
}

export interface Translation {
  /** Exports the regions' functions by their numbers. */
  readonly module: Uint8Array<ArrayBuffer>;
  readonly regions: readonly CompiledRegion[];
}

interface Report {
  readonly page: bigint;
  readonly hash: bigint;
  readonly offset: number;
  readonly map: number;
}

export class Translator {
  readonly #memory: WebAssembly.Memory;
  readonly #decodePage: (hart: number) => bigint;
  /** The addresses of the served harts' blocks. The first one has room for decoding. */
  readonly #harts: readonly number[];
  readonly #page: CodePage;
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
    this.#page = new CodePage(memory, this.#scratch);
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#credit = new BigInt64Array(memory.buffer, M_CREDIT, 1);
  }

  /** Returns a module of all reports since the last call; undefined if nothing can be compiled. */
  translate(): Translation | undefined {
    const start = performance.now();
    const writer = new ModuleWriter(REGION_SIGNATURE);
    const regions = [...this.#takeReports()].flatMap((report) => this.#translateRegion(report, writer) ?? []);
    if (regions.length === 0) return undefined;
    const module = writer.finish();
    this.#count(M_REGION_BYTES, module.length);
    this.#count(M_TRANSLATION_TIME, Math.round((performance.now() - start) * 1000));
    return { module, regions };
  }

  #count(counter: number, more: number): void {
    Atomics.add(this.#words, counter >> 2, more);
  }

  #translateRegion({ page, hash, offset, map }: Report, writer: ModuleWriter): CompiledRegion | undefined {
    Atomics.add(this.#credit, 0, BigInt(REGION_PRICE));
    const view = this.#view;
    const ram = view.getUint32(M_RAM_BASE, true);
    const from = ram + Number(page - BigInt(RAM_START));
    if (page < RAM_START || from + PAGE_SIZE > ram + Number(view.getBigUint64(M_RAM_SIZE, true)))
      return undefined;
    const copy = this.#scratch + H_CODE_PAGE;
    new Uint8Array(this.#memory.buffer).copyWithin(copy, from, from + PAGE_SIZE);
    // Written meanwhile: what is there now may get hot as well, and will be reported then.
    if (BigInt.asUintN(64, this.#decodePage(this.#scratch)) !== hash) return undefined;
    const executed = (at: number) => view.getUint32(map + at * 2, true) !== 0;
    const region = findRegion(this.#page, offset, executed);
    if (!region) return undefined;
    const instructions = [...region.blocks.values()].reduce(
      (sum, block) => sum + block.instructions.length,
      0,
    );
    Atomics.sub(this.#credit, 0, BigInt(instructions * COMPILE_PRICE));
    this.#count(M_REGION_INSTRUCTIONS, instructions);
    this.#count(M_REGIONS, 1);
    const wideBefore = this.#wideAccessesOf(page, hash);
    const { entries, wideAccesses } = translate(region, writer, !wideBefore.has(offset));
    for (const access of wideAccesses) wideBefore.add(access);
    return { page, hash, entries };
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
      offset: view.getUint32(slot + HOT_OFFSET, true),
      map: view.getUint32(slot + HOT_MAP, true),
    };
  }
}

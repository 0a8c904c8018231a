/** Takes the harts' reports of hot code, and makes modules of it. */

import { isFloat, MemoryOp, UOP_SIZE, VectorOp } from '../assembly/riscv/opcodes.ts';
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
  M_DROPS,
  M_RAM_BASE,
  M_RAM_SIZE,
  M_REGION_BYTES,
  M_REGION_INSTRUCTIONS,
  M_REGIONS,
  M_TRANSLATION_TIME,
  MOST_STORED,
  PAGE_TLB,
  PAGE_TLB_MASK,
  RAM_START,
  RECORD_MAP,
  RECORD_PAGE,
  REGION_PRICE,
} from '../layout.ts';
import type { Decoder } from './decoder.ts';
import { IMPORTS } from './imports.ts';
import { ModuleWriter } from './module.ts';
import { type Entry, type PackedPage, type PackedRegion, PackWriter, readPacks } from './pack.ts';
import {
  DecodedCode,
  type Instruction,
  LAST_HALFWORD,
  type MicroOps,
  PAGE_SIZE,
  pageNumber,
  straddlingInstruction,
} from './page.ts';
import { REGION_SIGNATURE } from './parameters.ts';
import { findRegion, type Region } from './region.ts';
import type { SharedLog } from './shared-log.ts';
import { type TranslatedRegion, translate } from './translate.ts';

/** After this time, in ms, a module is made of what is translated so far. */
const BATCH_TIME = 30;
/** The most pages whose bytes are kept. */
const MOST_PAGES = 1024;

/** The part of a compiled region in a page. */
export interface CompiledPage {
  /** The physical address of the page that it was compiled from in this run, otherwise 0. */
  readonly page: bigint;
  /** The hash of the page's bytes. */
  readonly hash: bigint;
  readonly entries: readonly Entry[];
}

/** The description of a compiled region for the harts. */
export interface CompiledRegion {
  /** The one with the hot code first. */
  readonly pages: readonly CompiledPage[];
  /** Its number among the stored regions, if it is one: the hart decides when it is used. */
  readonly stored?: number;
}

export interface Translation {
  /** Exports the regions' functions by their numbers. */
  readonly module: WebAssembly.Module;
  /** Size of the module. */
  readonly bytes: number;
  /** The values of the globals that it imports: hashes of pages. */
  readonly globals: readonly bigint[];
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
interface ExecutedPage {
  readonly page: bigint;
  /** The address of the hart's record of it. */
  readonly record: number;
}

interface DecodedPage extends MicroOps {
  readonly bytes: Uint8Array;
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

/** The logs of an image's compiled code, which hold records of a pack. */
export interface CodeLogs {
  /** What earlier runs have compiled. */
  readonly stored: SharedLog;
  /** What this run compiles. */
  readonly made: SharedLog;
}

/** A module of stored regions. Regions and pages that are the same make the same one in each run. */
export interface StoredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** @param module the compiled bytes */
  finish(module: WebAssembly.Module): Translation;
}

export class Translator {
  readonly #memory: WebAssembly.Memory;
  readonly #decoder: Decoder;
  /** The addresses of the served harts' blocks. The first one has room for decoding. */
  readonly #harts: readonly number[];
  /** What is compiled of pages, by their hashes. */
  readonly #compiled = new Map<bigint, CompiledCode>();
  #drops = 0;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #credit: BigInt64Array;
  /** The pages of the reports that are translated together. */
  readonly #decoded = new Map<bigint, DecodedPage>();
  /** The bytes of pages by their hashes. The writer of the pack knows a page again by the array. */
  readonly #bytes = new Map<bigint, Uint8Array>();
  readonly #logs: CodeLogs | undefined;
  readonly #pack = new PackWriter();
  /** The regions of the packs of which no module has been made. */
  readonly #stored: PackedRegion[][] = [];
  /** How much of the log of stored regions is read, and how many regions have a number. */
  #storedBytes = 0;
  #numbered = 0;

  /**
   * @param harts the harts whose reports are taken; no other translator may serve the first of them
   */
  constructor(memory: WebAssembly.Memory, decoder: Decoder, harts: readonly number[], logs?: CodeLogs) {
    this.#memory = memory;
    this.#decoder = decoder;
    this.#logs = logs;
    this.#harts = harts.map((hart) => HARTS + hart * HART_STRIDE);
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#credit = new BigInt64Array(memory.buffer, M_CREDIT, 1);
  }

  /** Returns a module of reports since the last call; undefined if nothing can be compiled. */
  translate(): Translation | undefined {
    const start = performance.now();
    this.#noteDrops();
    this.#decoded.clear();
    const writer = new ModuleWriter(REGION_SIGNATURE, IMPORTS);
    const regions: CompiledRegion[] = [];
    for (const report of this.#takeReports()) {
      const region = this.#translateHot(report, writer);
      if (region) regions.push(region);
      if (regions.length > 0 && performance.now() - start > BATCH_TIME) break;
    }
    if (regions.length === 0) return undefined;
    const bytes = writer.finish();
    this.#count(M_REGION_BYTES, bytes.length);
    this.#count(M_TRANSLATION_TIME, Math.round((performance.now() - start) * 1000));
    return {
      module: new WebAssembly.Module(bytes),
      bytes: bytes.length,
      globals: writer.globals,
      regions,
    };
  }

  /** Returns the next pack's module of regions before it is compiled; undefined if there is none. */
  nextStored(): StoredModule | undefined {
    this.#readStored();
    const regions = this.#numbered < MOST_STORED ? this.#stored.shift() : undefined;
    return regions && this.#moduleOf(regions);
  }

  #readStored(): void {
    const log = this.#logs?.stored;
    if (!log || log.length === this.#storedBytes) return;
    const packs = log.read(this.#storedBytes);
    this.#storedBytes += packs.length;
    this.#stored.push(...readPacks(packs));
  }

  #moduleOf(regions: readonly PackedRegion[]): StoredModule {
    const first = this.#numbered;
    this.#numbered += regions.length;
    const taken = regions.slice(0, MOST_STORED - first);
    const hashes = new Map<Uint8Array, bigint>();
    const writer = new ModuleWriter(REGION_SIGNATURE, IMPORTS);
    for (const { pages, function: body } of taken) {
      for (const { bytes } of pages) if (!hashes.has(bytes)) hashes.set(bytes, this.#hash(bytes));
      const bytesOf = (delta: number) => pages.find((page) => page.delta === delta)?.bytes as Uint8Array;
      writer.add(body, (delta) => hashes.get(bytesOf(delta)) as bigint);
    }
    const bytes = writer.finish();
    const finish = (module: WebAssembly.Module) => {
      const compiled = taken.map((region, n) => {
        const found = region.pages.map((page) => ({ ...page, hash: hashes.get(page.bytes) as bigint }));
        this.#note(region, found);
        return { pages: found.map(({ hash, entries }) => ({ page: 0n, hash, entries })), stored: first + n };
      });
      return { module, bytes: bytes.length, globals: writer.globals, regions: compiled };
    };
    return { bytes, finish };
  }

  #count(counter: number, more: number): void {
    Atomics.add(this.#words, counter >> 2, more);
  }

  /** What was compiled may be compiled again. */
  #noteDrops(): void {
    const drops = Atomics.load(this.#words, M_DROPS >> 2);
    if (drops === this.#drops) return;
    this.#drops = drops;
    this.#compiled.clear();
  }

  /** Compiles the code around a report's address. */
  #translateHot(report: Report, writer: ModuleWriter): CompiledRegion | undefined {
    Atomics.add(this.#credit, 0, BigInt(REGION_PRICE));
    const hot = hotOffset(report);
    if (this.#isCompiled(report.hash, hot)) return undefined;
    const addresses = new Map<number, bigint>();
    const decoded = new Map<number, DecodedPage>();
    const pageAt = (number: number) => {
      const executed = number === 0 ? report : this.#pageAt(report, number);
      const page = executed && this.#decode(executed.page);
      // Written meanwhile: the bytes that are there now may get hot as well, and will be reported then.
      if (!executed || !page || (number === 0 && page.hash !== report.hash)) return undefined;
      addresses.set(number, executed.page);
      decoded.set(number, page);
      return new DecodedCode(page, number, this.#executedIn(executed));
    };
    const straddling = (number: number) =>
      this.#decodeStraddling(
        number,
        decoded.get(number) as DecodedPage,
        decoded.get(number + 1) as DecodedPage,
      );
    const isEntry = (offset: number) => {
      const page = decoded.get(pageNumber(offset));
      return (
        page !== undefined &&
        this.#compiledCode(page.hash).entries.has(offset - pageNumber(offset) * PAGE_SIZE)
      );
    };
    const region = findRegion({ pageAt, straddling, isEntry }, hot);
    if (!region) return undefined;
    this.#charge(region);
    const isNarrow = this.#compiledCode(report.hash).wide.has(hot);
    const translated = translate(region, !isNarrow);
    writer.add(translated.function, (number) => region.pages.get(number)?.hash ?? 0n);
    const packed = pack(hot, isNarrow, region, translated, (number) => decoded.get(number)?.bytes);
    const pages = packed.pages.map((page) => ({
      ...page,
      page: addresses.get(page.delta) ?? 0n,
      hash: region.pages.get(page.delta)?.hash ?? 0n,
    }));
    this.#note(packed, pages);
    const records = this.#logs && this.#pack.add(packed);
    if (records) this.#logs?.made.append(records);
    return { pages: pages.map(({ page, hash, entries }) => ({ page, hash, entries })) };
  }

  #charge({ blocks }: Region): void {
    const instructions = [...blocks.values()].reduce((sum, block) => sum + block.instructions.length, 0);
    Atomics.sub(this.#credit, 0, BigInt(instructions * COMPILE_PRICE));
    this.#count(M_REGION_INSTRUCTIONS, instructions);
    this.#count(M_REGIONS, 1);
  }

  /** Notes what is compiled. */
  #note({ hot, isNarrow }: PackedRegion, pages: readonly (PackedPage & { readonly hash: bigint })[]): void {
    for (const [n, { hash, entries, wide }] of pages.entries()) {
      const code = this.#compiledCode(hash);
      if (n === 0 && isNarrow) code.narrow.add(hot);
      for (const { offset } of entries) code.entries.add(offset);
      for (const offset of wide) code.wide.add(offset);
    }
  }

  /** Whether the guest has ever jumped to an offset in a page. */
  #executedIn({ record }: ExecutedPage): (offset: number) => boolean {
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
    const uops = this.#scratch + H_CODE_UOPS;
    const buffer = this.#memory.buffer.slice(uops, uops + (PAGE_SIZE / 2) * UOP_SIZE);
    return { buffer, uops: 0, hash, bytes: this.#bytesOf(hash, copy) };
  }

  /** The bytes at `copy`, which have the hash, in the same array as before if there is one. */
  #bytesOf(hash: bigint, copy: number): Uint8Array {
    const known = this.#bytes.get(hash);
    if (known) return known;
    if (this.#bytes.size === MOST_PAGES) this.#bytes.clear();
    const bytes = new Uint8Array(this.#memory.buffer, copy, PAGE_SIZE).slice();
    this.#bytes.set(hash, bytes);
    return bytes;
  }

  /** The instruction that begins at the end of a page, which has the number, and ends in the second. */
  #decodeStraddling(number: number, first: DecodedPage, second: DecodedPage): Instruction {
    const [a = 0, b = 0] = first.bytes.subarray(LAST_HALFWORD);
    const [c = 0, d = 0] = second.bytes;
    this.#decoder.decodeStraddling(this.#scratch, a | (b << 8) | (c << 16) | (d << 24));
    const uop = this.#scratch + H_CODE_UOPS;
    return straddlingInstruction(this.#memory.buffer.slice(uop, uop + UOP_SIZE), number);
  }

  #hash(page: Uint8Array): bigint {
    new Uint8Array(this.#memory.buffer).set(page, this.#scratch + H_CODE_PAGE);
    return BigInt.asUintN(64, this.#decoder.hashCodePage(this.#scratch));
  }

  /**
   * Whether code that is reported is compiled already: a hot page is reported again before its code is
   * installed.
   */
  #isCompiled(hash: bigint, hot: number): boolean {
    const { entries, wide, narrow } = this.#compiledCode(hash);
    return wide.has(hot) ? narrow.has(hot) : entries.has(hot);
  }

  #compiledCode(hash: bigint): CompiledCode {
    const known = this.#compiled.get(hash);
    if (known) return known;
    const none = { entries: new Set<number>(), wide: new Set<number>(), narrow: new Set<number>() };
    this.#compiled.set(hash, none);
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

/** The offset in the report's page. */
function hotOffset({ address }: Report): number {
  return Number(address & BigInt(PAGE_SIZE - 1));
}

/** The region as it is stored. @param bytesOf returns the bytes of a page by its number */
function pack(
  hot: number,
  isNarrow: boolean,
  region: Region,
  { function: body, entries, wideAccesses }: TranslatedRegion,
  bytesOf: (number: number) => Uint8Array | undefined,
): PackedRegion {
  const numbered = entries.map((offset, number) => ({ offset, number }));
  const pages = [...region.pages.keys()].map((delta) => {
    const isHere = (offset: number) => pageNumber(offset) === delta;
    const inPage = (offset: number) => offset - delta * PAGE_SIZE;
    return {
      delta,
      bytes: bytesOf(delta) as Uint8Array,
      entries: numbered
        .filter(({ offset }) => isHere(offset))
        .map((entry) => ({ ...entry, offset: inPage(entry.offset) })),
      wide: [...wideAccesses].filter(isHere).map(inPage),
    };
  });
  return { pages, hot, isNarrow, isPortable: isPortable(region), function: body };
}

/** Whether the host does not decide on the code: how it adds products, what its vectors and fences are. */
function isPortable({ blocks }: Region): boolean {
  const dependsOnHost = ({ op }: Instruction) =>
    isFloat(op) || op === MemoryOp.FENCE || op === VectorOp.VECTOR;
  return ![...blocks.values()].some(({ instructions }) => instructions.some(dependsOnHost));
}

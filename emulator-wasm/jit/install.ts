/** Installs compiled regions in a hart's instance of the core. */
import { ENTRY_NUMBER_SHIFT, H_ENTRIES, HART_STRIDE, HARTS, M_EVICTIONS } from '../layout.ts';
import { DISPATCH, dispatchModule } from './dispatch.ts';
import { importsWith } from './imports.ts';
import type { CompiledRegion, Translation } from './translator.ts';

/** The most that a hart keeps of compiled code. */
export interface Limits {
  readonly regions: number;
  readonly modules: number;
  /** Size of the modules. */
  readonly bytes: number;
}

/**
 * V8's own code for a module is three to four times as long as the module. Each module takes some mappings of
 * memory, of which a process has a limited number.
 */
const LIMITS: Limits = { regions: 8192, modules: 1000, bytes: 32 << 20 };
/** The part of the modules that leaves at once when there are too many, the oldest first. */
const EVICTED = 1 / 4;
/**
 * V8 frees modules when it collects garbage. It does so when something is allocated, which hardly happens
 * here, so this many bytes are allocated for each module that leaves.
 */
const PRESSURE = 512 << 10;

/** What the core exports for this; its other functions are imported by modules. */
export interface CompiledCode {
  readonly table: WebAssembly.Table;
  install(
    page: bigint,
    hash: bigint,
    id: number,
    entries: number,
    pages: number,
    others: number,
    stored: number,
  ): number;
  /** Drops region `last` and all that were installed before it. */
  evict(last: number): void;
}

interface Module {
  readonly bytes: number;
  /** Where the table holds its regions. */
  readonly places: number[];
}

/** Makes a hart run what is compiled. */
export class Installer {
  readonly #core: CompiledCode;
  readonly #entries: Uint32Array;
  readonly #words: Int32Array;
  readonly #imports: WebAssembly.Imports;
  readonly #limits: Limits;
  /** The oldest first. */
  readonly #modules: Module[] = [];
  /** Places in the table that evicted regions left. */
  readonly #free: number[] = [];
  /** The first place that no region has had; the core has one of its own before these. */
  #next = 1;
  #bytes = 0;

  /** @param core exports of the hart's instance */
  constructor(core: CompiledCode, memory: WebAssembly.Memory, hart: number, limits = LIMITS) {
    this.#core = core;
    this.#entries = new Uint32Array(memory.buffer, HARTS + hart * HART_STRIDE + H_ENTRIES);
    this.#words = new Int32Array(memory.buffer);
    this.#limits = limits;
    const module = new WebAssembly.Module(dispatchModule());
    const dispatch = new WebAssembly.Instance(module, { env: { memory, table: core.table } }).exports[0];
    this.#imports = { env: { memory }, core: { ...core, [DISPATCH]: dispatch } } as WebAssembly.Imports;
  }

  /** To be called while the hart does not run. */
  install({ module, bytes, globals, regions }: Translation): void {
    while (!this.#hasRoom(bytes, regions.length) && this.#evict());
    const { exports } = new WebAssembly.Instance(module, importsWith(this.#imports, globals));
    const places: number[] = [];
    for (const [n, region] of regions.entries()) {
      const place = this.#takePlace();
      this.#core.table.set(place, exports[n] as () => void);
      // The core has less room if regions have many entries.
      if (this.#installRegion(region, place) || (this.#evict() && this.#installRegion(region, place))) {
        places.push(place);
      } else this.#leavePlace(place);
    }
    this.#modules.push({ bytes, places });
    this.#bytes += bytes;
  }

  /** Installs a region in all its pages. Installs it in none if they do not all fit. */
  #installRegion({ pages, stored }: CompiledRegion, place: number): boolean {
    const waiting = stored === undefined ? 0 : stored + 1;
    return pages.every(({ page, hash, entries }, n) => {
      const others = pages.slice(n + 1);
      const count = others.reduce((sum, other) => sum + other.entries.length, 0);
      this.#entries.set(entries.map(({ offset, number }) => offset | (number << ENTRY_NUMBER_SHIFT)));
      return this.#core.install(page, hash, place, entries.length, others.length, count, waiting) !== 0;
    });
  }

  #hasRoom(bytes: number, regions: number): boolean {
    const { modules, bytes: mostBytes, regions: mostRegions } = this.#limits;
    const kept = this.#next - 1 - this.#free.length;
    return (
      this.#modules.length < modules && this.#bytes + bytes <= mostBytes && kept + regions <= mostRegions
    );
  }

  #takePlace(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const { table } = this.#core;
    if (this.#next === table.length) table.grow(table.length);
    return this.#next++;
  }

  #leavePlace(place: number): void {
    this.#core.table.set(place, null);
    this.#free.push(place);
  }

  /** Drops the oldest modules; false if there is none. */
  #evict(): boolean {
    const evicted = this.#modules.splice(0, Math.ceil(this.#modules.length * EVICTED));
    if (evicted.length === 0) return false;
    const places = evicted.flatMap((module) => module.places);
    const last = places.at(-1);
    if (last !== undefined) this.#core.evict(last);
    for (const place of places) this.#leavePlace(place);
    for (const { bytes } of evicted) this.#bytes -= bytes;
    new ArrayBuffer(evicted.length * PRESSURE);
    Atomics.add(this.#words, M_EVICTIONS >> 2, 1);
    return true;
  }
}

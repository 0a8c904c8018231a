/** Compiled regions into a hart's instance of the core. */
import { H_ENTRIES, HART_STRIDE, HARTS, M_EVICTIONS } from '../layout.ts';
import { DISPATCH, dispatchModule } from './dispatch.ts';
import type { CompiledRegion } from './translator.ts';

/**
 * How many regions, modules, and bytes of modules a hart keeps; then it throws all away, and what is hot is compiled
 * again. V8's own code for a module is three to four times as long, and each module takes some mappings of memory, of
 * which a process has a limited number.
 */
const MAX_REGIONS = 8192;
const MAX_MODULES = 1000;
const MAX_BYTES = 32 << 20;
/** V8 frees modules when it collects garbage, which it does when something is allocated: that hardly happens here. */
const PRESSURE = { buffers: 4, bytes: 32 << 20 };

/** What the core exports for this; its other functions are imported by modules. */
export interface CompiledCode {
  readonly table: WebAssembly.Table;
  install(page: bigint, hash: bigint, id: number, entries: number): number;
  forgetCompiled(hart: number): void;
}

/** Makes a hart run what is compiled. */
export class Installer {
  readonly #core: CompiledCode;
  readonly #hart: number;
  readonly #entries: Uint16Array;
  readonly #words: Int32Array;
  readonly #imports: WebAssembly.Imports;
  /** Place in the table of the next region; the first is the core's own. */
  #next = 1;
  #modules = 0;
  #bytes = 0;

  /** @param core exports of the hart's instance */
  constructor(core: CompiledCode, memory: WebAssembly.Memory, hart: number) {
    this.#core = core;
    this.#hart = HARTS + hart * HART_STRIDE;
    this.#entries = new Uint16Array(memory.buffer, this.#hart + H_ENTRIES);
    this.#words = new Int32Array(memory.buffer);
    const module = new WebAssembly.Module(dispatchModule());
    const dispatch = new WebAssembly.Instance(module, { env: { memory, table: core.table } }).exports[0];
    this.#imports = { env: { memory }, core: { ...core, [DISPATCH]: dispatch } } as WebAssembly.Imports;
  }

  /**
   * To be called while the hart does not run.
   * @param bytes size of the module
   */
  install(module: WebAssembly.Module, bytes: number, regions: readonly CompiledRegion[]): void {
    const full = this.#modules === MAX_MODULES || this.#bytes + bytes > MAX_BYTES;
    if (full || this.#next + regions.length > MAX_REGIONS) this.#evict();
    this.#modules++;
    this.#bytes += bytes;
    const { table } = this.#core;
    const missing = this.#next + regions.length - table.length;
    if (missing > 0) table.grow(Math.max(missing, table.length));
    const { exports } = new WebAssembly.Instance(module, this.#imports);
    for (const [n, { page, hash, entries }] of regions.entries()) {
      table.set(this.#next, exports[n] as () => void);
      this.#entries.set(entries);
      if (this.#core.install(page, hash, this.#next++, entries.length)) continue;
      this.#evict();
      return;
    }
  }

  #evict(): void {
    this.#core.forgetCompiled(this.#hart);
    for (let place = 1; place < this.#next; place++) this.#core.table.set(place, null);
    this.#next = 1;
    this.#modules = 0;
    this.#bytes = 0;
    for (let n = 0; n < PRESSURE.buffers; n++) new ArrayBuffer(PRESSURE.bytes);
    Atomics.add(this.#words, M_EVICTIONS >> 2, 1);
  }
}

/** Compiled regions into a hart's instance of the core. */
import { H_ENTRIES, HART_STRIDE, HARTS } from '../layout.ts';
import { DISPATCH, dispatchModule } from './dispatch.ts';
import type { CompiledRegion } from './translator.ts';

/** What the core exports for this; its other functions are imported by modules. */
export interface CompiledCode {
  readonly table: WebAssembly.Table;
  install(page: bigint, hash: bigint, id: number, entries: number): number;
}

/** Makes a hart run what is compiled. */
export class Installer {
  readonly #core: CompiledCode;
  readonly #entries: Uint16Array;
  readonly #imports: WebAssembly.Imports;

  /** @param core exports of the hart's instance */
  constructor(core: CompiledCode, memory: WebAssembly.Memory, hart: number) {
    this.#core = core;
    this.#entries = new Uint16Array(memory.buffer, HARTS + hart * HART_STRIDE + H_ENTRIES);
    const module = new WebAssembly.Module(dispatchModule());
    const dispatch = new WebAssembly.Instance(module, { env: { memory, table: core.table } }).exports[0];
    this.#imports = { env: { memory }, core: { ...core, [DISPATCH]: dispatch } } as WebAssembly.Imports;
  }

  /** To be called while the hart does not run. */
  install(module: WebAssembly.Module, regions: readonly CompiledRegion[]): void {
    const { table } = this.#core;
    const last = regions.at(-1)?.id ?? 0;
    if (last >= table.length) table.grow(Math.max(last + 1 - table.length, table.length));
    const { exports } = new WebAssembly.Instance(module, this.#imports);
    for (const [n, { id, page, hash, entries }] of regions.entries()) {
      table.set(id, exports[n] as () => void);
      this.#entries.set(entries);
      this.#core.install(page, hash, id, entries.length);
    }
  }
}

/**
 * The pages last accessed by way of each register, in locals. In loops, comparing with that page takes half of the
 * instructions of a look into the TLB. No translation changes while compiled code runs.
 */
import { type Code, I32, I64 } from './wasm.ts';

/** So many pages are remembered. */
const MAX_PAGES = 16;
/** Never equals what addresses are compared by: their page, and the bits that say whether they are aligned. */
const NONE = 8;

export interface RememberedPage {
  /** Locals: the page's virtual address (i64), and what turns addresses in it into the shared memory's (i32). */
  readonly tag: number;
  readonly addend: number;
}

export class RememberedPages {
  readonly #code: Code;
  readonly #pages = new Map<string, RememberedPage>();

  constructor(code: Code) {
    this.#code = code;
  }

  /** Where the page of an access by way of a register is remembered, if there is room. */
  find(register: number, tlb: number): RememberedPage | undefined {
    const key = `${register} ${tlb}`;
    return this.#pages.get(key) ?? this.#newPage(key);
  }

  /** Code that makes all unknown. */
  forgetAll(code: Code): void {
    for (const { tag } of this.#pages.values()) {
      code.i64(NONE);
      code.set(tag);
    }
  }

  #newPage(key: string): RememberedPage | undefined {
    if (this.#pages.size === MAX_PAGES) return undefined;
    const page = { tag: this.#code.local(I64), addend: this.#code.local(I32) };
    this.#pages.set(key, page);
    return page;
  }
}

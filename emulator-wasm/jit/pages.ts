/**
 * Remembers in locals the page last accessed through each register. In loops, comparing with that page takes
 * half of the instructions of a TLB look-up. Translations do not change while compiled code runs.
 */
import { type Code, I32, I64 } from './wasm.ts';

/** The number of remembered pages. */
const MAX_PAGES = 16;
/** Never equals the compared part of an address: its page, and the bits that show whether it is aligned. */
const NONE = 8;

export interface RememberedPage {
  /**
   * Locals: the page's virtual address (i64), and the distance from there to the shared memory's address
   * (i32).
   */
  readonly tag: number;
  readonly addend: number;
}

export class RememberedPages {
  readonly #code: Code;
  readonly #pages = new Map<string, RememberedPage>();

  constructor(code: Code) {
    this.#code = code;
  }

  /** The locals that remember the page of accesses through a register, if there is room. */
  find(register: number, tlb: number): RememberedPage | undefined {
    const key = `${register} ${tlb}`;
    return this.#pages.get(key) ?? this.#newPage(key);
  }

  /** Writes code that forgets all pages. */
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

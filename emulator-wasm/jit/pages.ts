/**
 * The pages last accessed by way of each register, in locals. In loops, and where one register serves several
 * accesses in a row, comparing with that page takes half of the instructions of a look into the TLB. No translation
 * changes while compiled code runs.
 */
import type { Instruction } from './page.ts';
import { type Code, I32, I64 } from './wasm.ts';

/** So many pages are remembered in loops. */
const MAX_PAGES = 16;
/** Never equals what addresses are compared by: their page, and the bits that say whether they are aligned. */
const NONE = 8;

export interface RememberedPage {
  /** Locals: the page's virtual address (i64), and what turns addresses in it into the shared memory's (i32). */
  readonly tag: number;
  readonly addend: number;
  /** Whether anything can have been remembered at this point. */
  readonly known: boolean;
}

export class RememberedPages {
  readonly #code: Code;
  readonly #pages = new Map<string, { tag: number; addend: number }>();
  #inLoop = false;
  /** How often the block still to come uses each register, and which it has used. */
  readonly #uses = new Map<string, number>();
  readonly #used = new Set<string>();

  constructor(code: Code) {
    this.#code = code;
  }

  /** @param accesses the block's memory instructions, and which TLB each uses */
  beginBlock(inLoop: boolean, accesses: readonly { instruction: Instruction; tlb: number }[]): void {
    this.#inLoop = inLoop;
    this.#uses.clear();
    this.#used.clear();
    for (const { instruction, tlb } of accesses) {
      const key = `${instruction.rs1} ${tlb}`;
      this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
    }
  }

  /** Where the page of an access by way of a register is remembered, if it is. */
  find(register: number, tlb: number): RememberedPage | undefined {
    const key = `${register} ${tlb}`;
    if (!this.#inLoop && (this.#uses.get(key) ?? 0) < 2) return undefined;
    const page = this.#pages.get(key) ?? this.#newPage(key);
    if (!page) return undefined;
    const known = this.#inLoop || this.#used.has(key);
    this.#used.add(key);
    return { ...page, known };
  }

  /** Code that makes all unknown. */
  forgetAll(code: Code): void {
    for (const { tag } of this.#pages.values()) {
      code.i64(NONE);
      code.set(tag);
    }
  }

  #newPage(key: string): { tag: number; addend: number } | undefined {
    if (this.#pages.size === MAX_PAGES) return undefined;
    const page = { tag: this.#code.local(I64), addend: this.#code.local(I32) };
    this.#pages.set(key, page);
    return page;
  }
}

/** A page of code as the core decodes it. */
import { isNear, U_EXTRA, U_IMM, U_OFFSET, U_RD, U_RS1, U_RS2, UOP_SIZE } from '../assembly/opcodes.ts';
import { H_CODE_UOPS, H_SINK } from '../layout.ts';
import type { Op } from './operations.ts';

export const PAGE_SIZE = 4096;

/** One instruction. Registers are offsets in the hart's block. */
export interface Instruction {
  readonly op: Op;
  readonly offset: number;
  readonly next: number;
  /** Undefined for x0. */
  readonly rd: number | undefined;
  readonly rs1: number;
  readonly rs2: number;
  /** The immediate. For jumps and branches, the target's offset from the start of the page. */
  readonly imm: number;
  /** Rounding mode. */
  readonly extra: number;
}

/** Reads a hart's H_CODE_UOPS. */
export class CodePage {
  readonly #halfwords: Uint16Array;
  readonly #words: Int32Array;

  readonly #uops: number;

  /** @param hart the address of its block */
  constructor(memory: WebAssembly.Memory, hart: number) {
    this.#uops = hart + H_CODE_UOPS;
    this.#halfwords = new Uint16Array(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
  }

  opAt(offset: number): Op {
    return this.#halfwords[(this.#uops + (offset >> 1) * UOP_SIZE) >> 1] as Op;
  }

  at(offset: number): Instruction {
    const uop = this.#uops + (offset >> 1) * UOP_SIZE;
    const half = (field: number) => this.#halfwords[(uop + field) >> 1] as number;
    const op = half(0) as Op;
    const rd = half(U_RD);
    const extra = half(U_EXTRA);
    return {
      op,
      offset,
      next: offset + (half(U_OFFSET) & 1 ? 4 : 2),
      rd: rd === H_SINK ? undefined : rd,
      rs1: half(U_RS1),
      rs2: half(U_RS2),
      imm: isNear(op) ? extra : (this.#words[(uop + U_IMM) >> 2] as number),
      extra,
    };
  }
}

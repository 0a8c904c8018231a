/** Pages of code as the core decodes them. */
import {
  FarJumpOp,
  IntegerOp,
  isBranch,
  isNear,
  NearJumpOp,
  U_EXTRA,
  U_IMM,
  U_OFFSET,
  U_RD,
  U_RS1,
  U_RS2,
  UOP_SIZE,
} from '../assembly/riscv/opcodes.ts';
import { H_SINK } from '../layout.ts';
import type { Op } from './operations.ts';

export const PAGE_SIZE = 4096;

/**
 * One instruction. Registers are offsets in the hart's block. Offsets of code are distances from the start of
 * the region's first page.
 */
export interface Instruction {
  readonly op: Op;
  readonly offset: number;
  readonly next: number;
  /** Undefined for x0. */
  readonly rd: number | undefined;
  readonly rs1: number;
  readonly rs2: number;
  /** The immediate. For jumps, branches and AUIPC, the offset of the target. */
  readonly imm: number;
  /** Rounding mode. */
  readonly extra: number;
}

/** A page of the code around a region. Offsets are relative to the region's first page. */
export interface CodePage {
  /** Its keyed hash. */
  readonly hash: bigint;
  opAt(offset: number): Op;
  at(offset: number): Instruction;
  /** Whether the guest has ever jumped to the offset. */
  executed(offset: number): boolean;
}

/** The number of the page with an offset. */
export function pageNumber(offset: number): number {
  return Math.floor(offset / PAGE_SIZE);
}

/** A page's micro-ops, one for each halfword, and the keyed hash of its bytes. */
export interface MicroOps {
  readonly buffer: ArrayBufferLike;
  readonly uops: number;
  readonly hash: bigint;
}

/** Reads a page's micro-ops. */
export class DecodedCode implements CodePage {
  readonly hash: bigint;
  readonly executed: (offset: number) => boolean;
  readonly #halfwords: Uint16Array;
  readonly #words: Int32Array;
  readonly #uops: number;
  readonly #start: number;

  /**
   * @param uops where the buffer holds the micro-ops
   * @param number the page's number
   * @param executed whether the guest has ever jumped to an offset in the page
   */
  constructor({ buffer, uops, hash }: MicroOps, number: number, executed: (inPage: number) => boolean) {
    this.hash = hash;
    this.#halfwords = new Uint16Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#uops = uops;
    this.#start = number * PAGE_SIZE;
    this.executed = (offset) => executed(offset - this.#start);
  }

  #uop(offset: number): number {
    return this.#uops + ((offset - this.#start) >> 1) * UOP_SIZE;
  }

  opAt(offset: number): Op {
    return this.#halfwords[this.#uop(offset) >> 1] as Op;
  }

  at(offset: number): Instruction {
    const uop = this.#uop(offset);
    const halfwords = this.#halfwords;
    const at = uop >> 1;
    const op = halfwords[at] as Op;
    const rd = halfwords[at + U_RD / 2] as number;
    const extra = halfwords[at + U_EXTRA / 2] as number;
    const imm = isNear(op) ? extra : (this.#words[(uop + U_IMM) >> 2] as number);
    return {
      op,
      offset,
      next: offset + ((halfwords[at + U_OFFSET / 2] as number) & 1 ? 4 : 2),
      rd: rd === H_SINK ? undefined : rd,
      rs1: halfwords[at + U_RS1 / 2] as number,
      rs2: halfwords[at + U_RS2 / 2] as number,
      imm: isRelative(op) ? imm + this.#start : imm,
      extra,
    };
  }
}

/** Where an instruction begins that ends in the next page. */
export const LAST_HALFWORD = PAGE_SIZE - 2;

/** The instruction that begins in the last two bytes of the page with a number. @param uop its micro-op */
export function straddlingInstruction(uop: ArrayBufferLike, number: number): Instruction {
  const uops = -(LAST_HALFWORD / 2) * UOP_SIZE;
  const code = new DecodedCode({ buffer: uop, uops, hash: 0n }, number, () => false);
  return code.at(number * PAGE_SIZE + LAST_HALFWORD);
}

/** Whether the instruction's second half is in another page. */
export function straddles({ offset, next }: Instruction): boolean {
  return pageNumber(offset) !== pageNumber(next - 2);
}

/** Whether the immediate is relative to the start of the page. */
function isRelative(op: Op): boolean {
  return (
    isBranch(op) ||
    op === NearJumpOp.J_NEAR ||
    op === NearJumpOp.JAL_NEAR ||
    op === FarJumpOp.JAL_FAR ||
    op === IntegerOp.AUIPC
  );
}

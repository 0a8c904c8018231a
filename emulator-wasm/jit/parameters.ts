/** The calling convention of compiled code. */
import { I32, I64, type Signature } from './wasm.ts';

/**
 * (address of the hart's block, load TLB, virtual address of the page, instructions that it may retire,
 * number of the entry) → instructions left. H_PC is set to the address where execution continues. If its bit
 * 0 is set, the interpreter must execute the instruction there. V8 passes only this many parameters in
 * registers.
 */
export const REGION_SIGNATURE: Signature = { parameters: [I32, I32, I64, I32, I32], results: [I32] };

export const HART = 0;
export const TLB = 1;
export const PAGE = 2;
export const BUDGET = 3;
export const SELECTOR = 4;

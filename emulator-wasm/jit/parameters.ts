/** How compiled code is called. */
import { I32, I64, type Signature } from './wasm.ts';

/**
 * (address of the hart's block, load TLB, virtual address of the page, instructions it may retire, number of the
 * entry) → instructions left. H_PC is set to where to go on; with bit 0, the interpreter has to execute the
 * instruction there. V8 passes no more parameters in registers.
 */
export const REGION_SIGNATURE: Signature = { parameters: [I32, I32, I64, I32, I32], results: [I32] };

export const HART = 0;
export const TLB = 1;
export const PAGE = 2;
export const BUDGET = 3;
export const SELECTOR = 4;

/** The calling convention of compiled code. */
import type { Signature } from './module.ts';
import { I32, I64 } from './wasm.ts';

/**
 * (address of the hart's block, load TLB, virtual address of the page, instructions that it may retire,
 * number of the entry combined with the number of callers << FRAMES_SHIFT) → instructions left, or LEFT. H_PC
 * is set to the address where execution continues.
 *
 * A call of the guest is a call of compiled code. Its return of the guest returns instructions left to the
 * caller, which looks where execution continues. LEFT makes all callers return, too, because compiled code is
 * left: H_LEFT has the instructions left, and if bit 0 of H_PC is set, the interpreter must execute the
 * instruction there. V8 passes only this many parameters in registers.
 */
export const REGION_SIGNATURE: Signature = { parameters: [I32, I32, I64, I32, I32], results: [I32] };

export const HART = 0;
export const TLB = 1;
export const PAGE = 2;
export const BUDGET = 3;
export const SELECTOR = 4;

export const LEFT = -0x8000_0000;
export const FRAMES_SHIFT = 8;
/** The most callers. Their frames have to fit on the stack of a worker. The dispatcher enforces it. */
export const MAX_FRAMES = 64;

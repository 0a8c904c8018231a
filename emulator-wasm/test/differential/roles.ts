/** Pieces of random programs, and the registers with a role in them. */
import type { Instruction, Operands } from './instructions.ts';

export interface Code {
  readonly instruction: Instruction;
  readonly operands: Operands;
}

/** Registers with a role throughout a program. Random code reads them but never writes them. */
export interface Roles {
  /** The next free byte of the trace. */
  readonly trace: number;
  /** The approximate middle of the scratch area. Random code loads and stores around it. */
  readonly scratch: number;
  /** Edge values, never written. */
  readonly pool: number;
  /** Working registers of the code between random instructions. */
  readonly temporary: number;
  readonly address: number;
  /** Link and loop registers of main and of leaf functions. */
  readonly link: number;
  readonly leafLink: number;
  readonly count: number;
  readonly leafCount: number;
}

/** In programs with vectors this register counts the instructions that trapped. */
export const TRAPS = 3;

import type { RegionFunction } from './function.ts';
import type { Instruction } from './page.ts';

/**
 * Writes an instruction.
 * @param retired number of instructions in the block before this one
 */
export type Emit = (f: RegionFunction, instruction: Instruction, retired: number) => void;

/** The fields of vector instructions, and the vtype that they set. */
import { VectorOp } from '../assembly/riscv/opcodes.ts';
import { FAULT_FIRST, OP_V, OPCFG } from '../assembly/riscv/vector/opcodes.ts';
import type { Instruction } from './page.ts';

/** A legal vtype (V 1.0, section 3.4). */
export interface VectorType {
  readonly bits: number;
  /** log2 of SEW in bytes, and log2 of LMUL. */
  readonly sew: number;
  readonly lmul: number;
  /** VLMAX. */
  readonly longest: number;
}

export interface VectorInstruction {
  readonly bits: number;
  readonly isOperation: boolean;
  readonly funct3: number;
  readonly funct6: number;
  readonly unmasked: boolean;
  readonly vd: number;
  readonly vs1: number;
  readonly vs2: number;
}

export function fieldsOf({ imm }: Instruction): VectorInstruction {
  return {
    bits: imm,
    isOperation: (imm & 0x7f) === OP_V,
    funct3: (imm >>> 12) & 7,
    funct6: imm >>> 26,
    unmasked: (imm & (1 << 25)) !== 0,
    vd: (imm >>> 7) & 31,
    vs1: (imm >>> 15) & 31,
    vs2: (imm >>> 20) & 31,
  };
}

export function isVector({ op }: Instruction): boolean {
  return op === VectorOp.VECTOR;
}

/** Whether the instruction sets vtype. */
export function setsType({ isOperation, funct3 }: VectorInstruction): boolean {
  return isOperation && funct3 === OPCFG;
}

/** Whether the instruction is a load that may set the length. */
export function isFaultFirst({ isOperation, bits, vs2 }: VectorInstruction): boolean {
  return !isOperation && (bits & (3 << 26)) === 0 && (bits & 0x20) === 0 && vs2 === FAULT_FIRST;
}

/** Whether vsetivli, whose length is an immediate. */
export function hasLength({ bits }: VectorInstruction): boolean {
  return bits >>> 30 === 3;
}

/** The vtype that the instruction sets, unless that is in a register or not legal. */
export function typeOf(instruction: VectorInstruction): VectorType | undefined {
  const { bits } = instruction;
  if (hasLength(instruction)) return vectorType((bits >>> 20) & 0x3ff);
  return bits >= 0 ? vectorType((bits >>> 20) & 0x7ff) : undefined;
}

function vectorType(bits: number): VectorType | undefined {
  const sew = (bits >> 3) & 7;
  const lmul = (bits << 29) >> 29;
  if (bits >> 8 !== 0 || sew > 3 || lmul === -4) return undefined;
  const longest = 128 >> (3 + sew - lmul);
  return longest === 0 ? undefined : { bits, sew, lmul, longest };
}

/** The results of floating-point instructions, and the state that decides how they are computed. */
import { H_FRM } from '../layout.ts';
import type { Emit } from './emit.ts';
import { type Expression, rs1, rs2 } from './expression.ts';
import type { RegionFunction } from './function.ts';
import type { Import } from './imports.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { wasm } from './wasm.ts';

// Bits of the result of `floatState`.
export const FLOAT_READY = 1;
export const FLOAT_INEXACT = 2;
export const FLOAT_NEAREST = 4;

/** The rounding mode of an instruction that takes it from `frm`. */
export const DYNAMIC = 7;

/** Pushes the instruction's rounding mode, which `floatState` has validated. */
function pushRounding(f: RegionFunction, { extra }: Instruction): void {
  if (extra === DYNAMIC) {
    f.code.get(HART);
    f.code.memory(wasm.i32Load, H_FRM);
  } else f.code.i32(extra);
}

/** Pushes whether the host's rounding is the instruction's. */
export function pushNearest(f: RegionFunction, { extra }: Instruction): void {
  if (extra !== DYNAMIC) {
    f.code.i32(Number(extra === 0));
    return;
  }
  f.code.get(f.floatState);
  f.code.i32(FLOAT_NEAREST);
  f.code.ops(wasm.i32And, wasm.i32Eqz, wasm.i32Eqz);
}

/** Pushes whether NX has accrued, so that it need not be computed. */
export function pushInexactKnown(f: RegionFunction): void {
  f.code.get(f.floatState);
  f.code.i32(FLOAT_INEXACT);
  f.code.ops(wasm.i32And, wasm.i32Eqz, wasm.i32Eqz);
}

/** The value that an instruction writes to its destination register. */
export interface Result {
  /** An AssemblyScript expression of type u64, with the names of the interpreter's loop. */
  readonly text: string;
  /** Whether an invalid rounding mode makes the instruction illegal; `rm` is the mode in the text. */
  readonly rounds: boolean;
  readonly push: Emit;
}

export const both = [rs1, rs2];
export const one = [rs1];

/** The text of a call of a function of the core. @param more further arguments */
export function callText(name: string, operands: readonly Expression[], ...more: string[]): string {
  return `fpu.${name}(${[...operands.map(({ text }) => text), ...more]})`;
}

/** The result of a function of the core of one operand that is not rounded. */
export function plain(name: Import): Result {
  return {
    text: callText(name, one),
    rounds: false,
    push(f, instruction) {
      rs1.push(f, instruction);
      f.call(name);
    },
  };
}

/** The result of a function of the core of one operand that rounds. */
export function rounded(name: Import): Result {
  return {
    text: callText(name, one, 'rm'),
    rounds: true,
    push(f, instruction) {
      rs1.push(f, instruction);
      pushRounding(f, instruction);
      f.call(name);
    },
  };
}

/** The bits of one register in another. */
export const moved = ({ text, push }: Expression): Result => ({ text, rounds: false, push });

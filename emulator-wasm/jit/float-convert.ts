/** Conversions between floating-point formats and integers. */
import type { Emit } from './emit.ts';
import { type Format, promote, promoteRegister, SINGLE } from './float-format.ts';
import {
  callText,
  DYNAMIC,
  one,
  pushInexactKnown,
  pushNearest,
  type Result,
  rounded,
} from './float-result.ts';
import type { Import } from './imports.ts';
import { F32, F64, I64, wasm } from './wasm.ts';

const ROUND_TO_INTEGRAL: Readonly<Record<number, number>> = {
  0: wasm.f64Nearest,
  1: wasm.f64Trunc,
  2: wasm.f64Floor,
  3: wasm.f64Ceil,
  [DYNAMIC]: wasm.f64Nearest,
};

/**
 * A conversion to an integer, by the host if the integer fits and NX is known or not raised. Ties away from
 * zero are left to the core.
 * @param truncate the host's conversions of a double that fits
 */
export function toInteger(
  name: Import,
  format: Format,
  [least, limit]: readonly [number, number],
  ...truncate: number[]
): Result {
  const byCore = rounded(name);
  const push: Emit = (f, instruction, retired) => {
    const { code } = f;
    const { rs1, extra, offset } = instruction;
    const round = ROUND_TO_INTEGRAL[extra];
    if (round === undefined) {
      byCore.push(f, instruction, retired);
      return;
    }
    format.require(f, instruction, [rs1], retired);
    const [value, whole] = [f.borrow(F64), f.borrow(F64)];
    format.get(f, rs1);
    if (format === SINGLE) code.op(wasm.f64PromoteF32);
    code.tee(value);
    code.op(round);
    code.tee(whole);
    code.f64(least);
    code.op(wasm.f64Ge);
    code.get(whole);
    code.f64(limit);
    code.ops(wasm.f64Lt, wasm.i32And);
    if (extra === DYNAMIC) {
      pushNearest(f, instruction);
      code.op(wasm.i32And);
    }
    pushInexactKnown(f);
    code.get(whole);
    code.get(value);
    code.ops(wasm.f64Eq, wasm.i32Or, wasm.i32And, wasm.i32Eqz);
    f.interpretIf(offset, retired);
    code.get(whole);
    code.ops(...truncate);
    f.release(F64, value, whole);
  };
  return { ...byCore, push };
}

export const WORD: readonly [number, number] = [-(2 ** 31), 2 ** 31];
export const UNSIGNED_WORD: readonly [number, number] = [0, 2 ** 32];
export const LONG: readonly [number, number] = [-(2 ** 63), 2 ** 63];
export const UNSIGNED_LONG: readonly [number, number] = [0, 2 ** 64];

/**
 * A conversion of an integer, by the host if NX is known or the integer certainly fits.
 * @param extend how a word becomes 64 bits
 * @param digits of the significand
 */
export function fromInteger(
  name: string,
  convert: number,
  digits: number,
  isSigned: boolean,
  extend?: number,
): Result {
  const push: Emit = (f, instruction, retired) => {
    const { code } = f;
    const { rs1, offset } = instruction;
    const value = f.borrow(I64);
    if (extend === undefined) f.registers.get(rs1);
    else {
      f.registers.get32(rs1);
      code.op(extend);
    }
    code.set(value);
    pushNearest(f, instruction);
    pushInexactKnown(f);
    code.get(value);
    if (isSigned) {
      code.i64(2 ** digits);
      code.op(wasm.i64Add);
    }
    code.i64(2 ** digits * (isSigned ? 2 : 1));
    code.ops(wasm.i64LeU, wasm.i32Or, wasm.i32And, wasm.i32Eqz);
    f.interpretIf(offset, retired);
    code.get(value);
    code.op(convert);
    f.release(I64, value);
  };
  return { text: callText(name, one, 'rm'), rounds: true, push };
}

/** A single as a double, which is exact. NaN is left to the interpreter. */
export const toDouble: Result = {
  text: callText('cvtDS', one),
  rounds: true,
  push(f, instruction, retired) {
    const { code } = f;
    const { rs1, offset } = instruction;
    SINGLE.require(f, instruction, [rs1], retired);
    f.registers.getSingle(rs1);
    f.registers.getSingle(rs1);
    code.ops(wasm.f32Eq, wasm.i32Eqz);
    f.interpretIf(offset, retired);
    promoteRegister(f, rs1);
  },
};

/** A double as a single. */
export const toSingle: Result = {
  text: callText('cvtSD', one, 'rm'),
  rounds: true,
  push(f, instruction, retired) {
    const { code } = f;
    const result = f.borrow(F32);
    f.registers.getDouble(instruction.rs1);
    code.op(wasm.f32DemoteF64);
    code.set(result);
    pushNearest(f, instruction);
    SINGLE.pushOrdinary(f, result);
    f.registers.getDouble(instruction.rs1);
    code.f64(0);
    code.ops(wasm.f64Eq, wasm.i32Or, wasm.i32And);
    pushInexactKnown(f);
    promote(f, result);
    f.registers.getDouble(instruction.rs1);
    code.ops(wasm.f64Eq, wasm.i32Or, wasm.i32And, wasm.i32Eqz);
    f.interpretIf(instruction.offset, retired);
    code.get(result);
    f.release(F32, result);
  },
};

/** A conversion of a word, which is always exact. */
export function fromWord(name: string, op: number): Result {
  const push: Emit = (f, { rs1 }) => {
    f.registers.get32(rs1);
    f.code.op(op);
  };
  return { text: callText(name, one), rounds: true, push };
}

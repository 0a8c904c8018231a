/** Floating-point arithmetic with two operands, comparisons and signs. */
import type { Emit } from './emit.ts';
import type { Expression } from './expression.ts';
import { type Exactness, type Format, SINGLE } from './float-format.ts';
import { both, callText, one, pushInexactKnown, pushNearest, type Result } from './float-result.ts';
import type { RegionFunction } from './function.ts';
import type { Instruction } from './page.ts';
import { I32, wasm } from './wasm.ts';

const SIGN_D = 1n << 63n;
const MAGNITUDE_D = 0x7fff_ffff_ffff_ffffn;

/** Pushes whether the result in a local of an operation on rs1 and rs2 raises no flag but NX. */
type Test = (f: RegionFunction, result: number, instruction: Instruction) => void;

/** Whether a product or quotient certainly does not underflow: a 0 of an operand makes an exact 0. */
function ordinaryOrZero(format: Format): Test {
  return (f, result, { rs1, rs2 }) => {
    const { code } = f;
    format.pushOrdinary(f, result);
    code.if(I32);
    code.i32(1);
    code.else();
    for (const register of [rs1, rs2]) {
      format.get(f, register);
      format.zero(f);
      code.op(format.eq);
    }
    code.op(wasm.i32Or);
    code.get(result);
    format.zero(f);
    code.ops(format.eq, wasm.i32And);
    code.end();
  };
}

/**
 * The host's operation, if it has the correct result and NX is known. Rare cases are left to the interpreter,
 * because calls would cost all registers.
 */
function arithmetic(
  name: string,
  operands: readonly Expression[],
  format: Format,
  operation: number,
  test: Test,
  exactness: Exactness,
): Result {
  const push: Emit = (f, instruction, retired) => {
    const { code } = f;
    const { rs1, rs2 } = instruction;
    const registers = operands === one ? [rs1] : [rs1, rs2];
    const result = f.borrow(format.type);
    format.require(f, instruction, registers, retired);
    for (const register of registers) format.get(f, register);
    code.op(operation);
    code.set(result);
    pushNearest(f, instruction);
    test(f, result, instruction);
    code.op(wasm.i32And);
    pushInexactKnown(f);
    code.if(I32);
    code.i32(1);
    code.else();
    exactness(f, instruction, result);
    code.end();
    code.ops(wasm.i32And, wasm.i32Eqz);
    f.interpretIf(instruction.offset, retired);
    code.get(result);
    f.release(format.type, result);
  };
  return { text: callText(name, operands, 'rm'), rounds: true, push };
}

export const sum = (name: string, format: Format) =>
  arithmetic(name, both, format, format.add, format.pushFinite, sumIsExact(format, false));
export const difference = (name: string, format: Format) =>
  arithmetic(name, both, format, format.sub, format.pushFinite, sumIsExact(format, true));
export const product = (name: string, format: Format) =>
  arithmetic(name, both, format, format.mul, ordinaryOrZero(format), format.productIsExact);
export const quotient = (name: string, format: Format) =>
  arithmetic(name, both, format, format.div, ordinaryOrZero(format), format.quotientIsExact);
export const root = (name: string, format: Format) =>
  arithmetic(name, one, format, format.sqrt, format.pushFinite, format.rootIsExact);

/** Whether a sum is exact. @param isDifference the sign of rs2 in it */
function sumIsExact(format: Format, isDifference: boolean): Exactness {
  return (f, { rs1, rs2 }, result) => {
    const second = () => {
      format.get(f, rs2);
      if (isDifference) f.code.op(format.neg);
    };
    pushNoError(f, format, () => format.get(f, rs1), second, result);
  };
}

/** Pushes whether the error of the sum in a local is 0 (Knuth). @param a pushes an addend */
export function pushNoError(
  f: RegionFunction,
  format: Format,
  a: () => void,
  b: () => void,
  sum: number,
): void {
  const { code } = f;
  const addend = f.borrow(format.type);
  code.get(sum);
  a();
  code.op(format.sub);
  code.set(addend);
  a();
  code.get(sum);
  code.get(addend);
  code.ops(format.sub, format.sub);
  b();
  code.get(addend);
  code.ops(format.sub, format.add);
  format.zero(f);
  code.op(format.eq);
  f.release(format.type, addend);
}

/** Leaves the instruction to the interpreter if an operand is NaN, and pushes the result of an operation. */
function pushOrdered(
  f: RegionFunction,
  instruction: Instruction,
  retired: number,
  format: Format,
  op: number,
): void {
  const { code } = f;
  const registers = [instruction.rs1, instruction.rs2];
  format.require(f, instruction, registers, retired);
  for (const register of registers) {
    format.get(f, register);
    format.get(f, register);
    code.op(format.eq);
  }
  code.ops(wasm.i32And, wasm.i32Eqz);
  f.interpretIf(instruction.offset, retired);
  for (const register of registers) format.get(f, register);
  code.op(op);
}

/** A comparison, which is left to the interpreter if an operand is NaN. */
export function compare(name: string, format: Format, op: number): Result {
  const push: Emit = (f, instruction, retired) => {
    pushOrdered(f, instruction, retired, format, op);
    f.code.op(wasm.i64ExtendI32U);
  };
  return { text: callText(name, both), rounds: false, push };
}

/** The smaller or larger operand, which is left to the interpreter if one is NaN. */
export function extreme(name: string, format: Format, op: number): Result {
  const push: Emit = (f, instruction, retired) => pushOrdered(f, instruction, retired, format, op);
  return { text: callText(name, both), rounds: false, push };
}

/** Gives rs1 the sign of rs2, changed by `change`. */
export function signInjection(
  name: string,
  change: (f: RegionFunction, instruction: Instruction) => void,
): Result {
  const push: Emit = (f, instruction) => {
    const { code } = f;
    if (change === takeSign && instruction.rs1 === instruction.rs2) {
      f.registers.get(instruction.rs1);
      return;
    }
    f.registers.get(instruction.rs1);
    code.i64Bits(MAGNITUDE_D);
    code.op(wasm.i64And);
    change(f, instruction);
    code.i64Bits(SIGN_D);
    code.ops(wasm.i64And, wasm.i64Or);
  };
  return { text: callText(name, both), rounds: false, push };
}

export function takeSign(f: RegionFunction, { rs2 }: Instruction): void {
  f.registers.get(rs2);
}
export function negateSign(f: RegionFunction, { rs2 }: Instruction): void {
  f.registers.get(rs2);
  f.code.i64(-1);
  f.code.op(wasm.i64Xor);
}
export function multiplySigns(f: RegionFunction, { rs1, rs2 }: Instruction): void {
  f.registers.get(rs1);
  f.registers.get(rs2);
  f.code.op(wasm.i64Xor);
}

/** The same of singles. */
export function signInjectionS(name: string, change: typeof takeSign): Result {
  const push: Emit = (f, instruction, retired) => {
    const { code } = f;
    const { rs1, rs2 } = instruction;
    SINGLE.require(f, instruction, [rs1, rs2], retired);
    if (change === takeSign && rs1 === rs2) {
      f.registers.getSingle(rs1);
      return;
    }
    f.registers.get32(rs1);
    code.i32(0x7fff_ffff);
    code.op(wasm.i32And);
    change(f, instruction);
    code.op(wasm.i32WrapI64);
    code.i32(-0x8000_0000);
    code.ops(wasm.i32And, wasm.i32Or, wasm.f32ReinterpretI32);
  };
  return { text: callText(name, both), rounds: false, push };
}

export function moveToSingle(f: RegionFunction, { rs1 }: Instruction): void {
  f.registers.get32(rs1);
  f.code.op(wasm.f32ReinterpretI32);
}

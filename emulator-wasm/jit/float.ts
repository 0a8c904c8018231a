/**
 * Floating point. Operations use the host's arithmetic where its result is correct in every flag, as in the
 * core's `fpu`: with round to nearest, NX accrued already or not raised, and a result that raises nothing
 * else. The interpreter executes all others.
 */
import { FloatOp } from '../assembly/riscv/opcodes.ts';
import { H_FRM } from '../layout.ts';
import type { Emit } from './emit.ts';
import { type Expression, rs1, rs2, signExtend, w1, wide } from './expression.ts';
import { DOUBLE, type Exactness, type Format, promote, promoteRegister, SINGLE } from './float-format.ts';
import type { RegionFunction } from './function.ts';
import { fusesMultiplyAdd } from './host.ts';
import type { Import } from './imports.ts';
import { type Float, mapTable } from './operations.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { F32, F64, I32, I64, wasm } from './wasm.ts';

// Bits of the result of `floatState`.
export const FLOAT_READY = 1;
export const FLOAT_INEXACT = 2;
export const FLOAT_NEAREST = 4;

const DYNAMIC = 7;
const SIGN_D = 1n << 63n;

const MAGNITUDE_D = 0x7fff_ffff_ffff_ffffn;

/** Pushes the instruction's rounding mode, which `floatState` has validated. */
function pushRounding(f: RegionFunction, { extra }: Instruction): void {
  if (extra === DYNAMIC) {
    f.code.get(HART);
    f.code.memory(wasm.i32Load, H_FRM);
  } else f.code.i32(extra);
}

/** Pushes whether the host's rounding is the instruction's. */
function pushNearest(f: RegionFunction, { extra }: Instruction): void {
  if (extra !== DYNAMIC) {
    f.code.i32(Number(extra === 0));
    return;
  }
  f.code.get(f.floatState);
  f.code.i32(FLOAT_NEAREST);
  f.code.ops(wasm.i32And, wasm.i32Eqz, wasm.i32Eqz);
}

/** Pushes whether NX has accrued, so that it need not be computed. */
function pushInexactKnown(f: RegionFunction): void {
  f.code.get(f.floatState);
  f.code.i32(FLOAT_INEXACT);
  f.code.ops(wasm.i32And, wasm.i32Eqz, wasm.i32Eqz);
}

function pushDouble(f: RegionFunction, register: number): void {
  f.registers.getDouble(register);
}

/** The value that an instruction writes to its destination register. */
interface Result {
  /** An AssemblyScript expression of type u64, with the names of the interpreter's loop. */
  readonly text: string;
  /** Whether an invalid rounding mode makes the instruction illegal; `rm` is the mode in the text. */
  readonly rounds: boolean;
  readonly push: Emit;
}

const rs3 = wide('rs3(h, p)', (f, i) => f.registers.get(i.imm));
const both = [rs1, rs2];
const one = [rs1];

/** The text of a call of a function of the core. @param more further arguments */
function callText(name: string, operands: readonly Expression[], ...more: string[]): string {
  return `fpu.${name}(${[...operands.map(({ text }) => text), ...more]})`;
}

/** The result of a function of the core of one operand that is not rounded. */
function plain(name: Import): Result {
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
function rounded(name: Import): Result {
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
const moved = ({ text, push }: Expression): Result => ({ text, rounds: false, push });

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

const sum = (name: string, format: Format) =>
  arithmetic(name, both, format, format.add, format.pushFinite, sumIsExact(format, false));
const difference = (name: string, format: Format) =>
  arithmetic(name, both, format, format.sub, format.pushFinite, sumIsExact(format, true));
const product = (name: string, format: Format) =>
  arithmetic(name, both, format, format.mul, ordinaryOrZero(format), format.productIsExact);
const quotient = (name: string, format: Format) =>
  arithmetic(name, both, format, format.div, ordinaryOrZero(format), format.quotientIsExact);
const root = (name: string, format: Format) =>
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
function pushNoError(f: RegionFunction, format: Format, a: () => void, b: () => void, sum: number): void {
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
function compare(name: string, format: Format, op: number): Result {
  const push: Emit = (f, instruction, retired) => {
    pushOrdered(f, instruction, retired, format, op);
    f.code.op(wasm.i64ExtendI32U);
  };
  return { text: callText(name, both), rounds: false, push };
}

/** The smaller or larger operand, which is left to the interpreter if one is NaN. */
function extreme(name: string, format: Format, op: number): Result {
  const push: Emit = (f, instruction, retired) => pushOrdered(f, instruction, retired, format, op);
  return { text: callText(name, both), rounds: false, push };
}

/** Gives rs1 the sign of rs2, changed by `change`. */
function signInjection(name: string, change: (f: RegionFunction, instruction: Instruction) => void): Result {
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

function takeSign(f: RegionFunction, { rs2 }: Instruction): void {
  f.registers.get(rs2);
}
function negateSign(f: RegionFunction, { rs2 }: Instruction): void {
  f.registers.get(rs2);
  f.code.i64(-1);
  f.code.op(wasm.i64Xor);
}
function multiplySigns(f: RegionFunction, { rs1, rs2 }: Instruction): void {
  f.registers.get(rs1);
  f.registers.get(rs2);
  f.code.op(wasm.i64Xor);
}

/** The same of singles. */
function signInjectionS(name: string, change: typeof takeSign): Result {
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

/**
 * ±(rs1 * rs2) ± rs3 of doubles. A host that rounds it once computes it, if NX is known; otherwise it is made
 * of sums and products.
 */
function fusedDouble(negateProduct: boolean, negateAddend: boolean): Result {
  const signed = ({ text }: Expression, negate: boolean) => (negate ? `${text} ^ SIGN` : text);
  const push: Emit = (f, instruction, retired) => {
    const { code } = f;
    const operands = [f.borrow(F64), f.borrow(F64), f.borrow(F64)] as const;
    const [a, b, c] = operands;
    const set = (register: number, negate: boolean, local: number) => {
      pushDouble(f, register);
      if (negate) code.op(wasm.f64Neg);
      code.set(local);
    };
    set(instruction.rs1, negateProduct, a);
    set(instruction.rs2, false, b);
    set(instruction.imm, negateAddend, c);
    const result = f.borrow(F64);
    if (fusesMultiplyAdd()) {
      pushNearest(f, instruction);
      pushInexactKnown(f);
      code.op(wasm.i32And);
      code.if();
      code.multiplyAdd(a, b, c);
      code.set(result);
      DOUBLE.pushOrdinary(f, result);
      code.op(wasm.i32Eqz);
      f.interpretIf(instruction.offset, retired);
      code.else();
      setFused(f, instruction, retired, operands, result);
      code.end();
    } else setFused(f, instruction, retired, operands, result);
    code.get(result);
    f.release(F64, ...operands, result);
  };
  const text = `fpu.fmaD(${signed(rs1, negateProduct)}, ${rs2.text}, ${signed(rs3, negateAddend)}, rm)`;
  return { text, rounds: true, push };
}

/** The least magnitude of a product with which no part of it can underflow. */
const LEAST_PRODUCT = 2 ** -900;

/**
 * Sets `result` to a * b + c. Error-free transformations (Dekker, Knuth) compute the errors of the product
 * and of its sum with c. Both errors are so small that rounding them once before adding them matters only
 * near the middle between two doubles. To detect that, the sum is computed with a slightly larger and a
 * slightly smaller error (Ziv). An overflow makes these NaN, which differ.
 */
function setFused(
  f: RegionFunction,
  instruction: Instruction,
  retired: number,
  [a, b, c]: readonly [number, number, number],
  result: number,
): void {
  const { code } = f;
  const certain = code.block();
  const uncertain = code.block();
  const require = () => {
    code.op(wasm.i32Eqz);
    code.brIfUnlikely(uncertain);
  };
  const magnitude = (local: number) => {
    code.get(local);
    code.op(wasm.f64Abs);
  };
  pushNearest(f, instruction);
  require();
  const { product, sum, error } = sumOfProduct(f, a, b, c);
  magnitude(product);
  code.f64(LEAST_PRODUCT);
  code.op(wasm.f64Ge);
  require();
  for (const factor of [1 - ULP, 1 + ULP]) {
    code.get(error);
    code.f64(factor);
    code.op(wasm.f64Mul);
    code.get(sum);
    code.op(wasm.f64Add);
  }
  code.op(wasm.f64Eq);
  require();
  code.get(sum);
  code.get(error);
  code.op(wasm.f64Add);
  code.set(result);
  magnitude(result);
  code.f64(Number.POSITIVE_INFINITY);
  code.op(wasm.f64Lt);
  require();
  pushInexactKnown(f);
  code.brIf(certain);
  code.get(error);
  code.f64(0);
  code.op(wasm.f64Eq);
  code.brIf(certain);
  code.end();
  f.interpret(instruction.offset, retired);
  code.end();
  f.release(F64, product, sum, error);
}

/** The factor that splits a double into two halves (Veltkamp). */
const SPLITTER = 2 ** 27 + 1;
const ULP = 2 ** -52;

/** Returns locals with a * b, with its sum with c, and with the error of that sum, rounded once. */
function sumOfProduct(
  f: RegionFunction,
  a: number,
  b: number,
  c: number,
): { product: number; sum: number; error: number } {
  const { code } = f;
  const [a1, b1, a0, b0, product, error, sum, part, rest] = Array.from({ length: 9 }, () =>
    f.borrow(F64),
  ) as [number, number, number, number, number, number, number, number, number];
  const set = (result: number, left: number, op: number, right: number) => {
    code.get(left);
    code.get(right);
    code.op(op);
    code.set(result);
  };
  const split = (x: number, high: number) => {
    code.get(x);
    code.f64(SPLITTER);
    code.op(wasm.f64Mul);
    code.set(part);
    set(high, part, wasm.f64Sub, x);
    set(high, part, wasm.f64Sub, high);
  };
  split(a, a1);
  split(b, b1);
  set(product, a, wasm.f64Mul, b);
  set(a0, a, wasm.f64Sub, a1);
  set(b0, b, wasm.f64Sub, b1);
  set(error, a1, wasm.f64Mul, b1);
  set(error, error, wasm.f64Sub, product);
  set(part, a0, wasm.f64Mul, b1);
  set(error, error, wasm.f64Add, part);
  set(part, a1, wasm.f64Mul, b0);
  set(error, error, wasm.f64Add, part);
  set(part, a0, wasm.f64Mul, b0);
  set(error, error, wasm.f64Add, part);
  set(sum, product, wasm.f64Add, c);
  set(part, sum, wasm.f64Sub, product);
  set(rest, c, wasm.f64Sub, part);
  set(part, sum, wasm.f64Sub, part);
  set(part, product, wasm.f64Sub, part);
  set(part, part, wasm.f64Add, rest);
  set(error, error, wasm.f64Add, part);
  f.release(F64, a1, b1, a0, b0, part, rest);
  return { product, sum, error };
}

/**
 * ±(rs1 * rs2) ± rs3 of singles. The product is exact in a double, so its sum is rounded twice. That matters
 * only if the sum there is in the middle between two singles.
 */
function fusedSingle(negateProduct: boolean, negateAddend: boolean): Result {
  const push: Emit = (f, instruction, retired) => {
    const { code } = f;
    const { rs1, rs2, imm: rs3, offset } = instruction;
    SINGLE.require(f, instruction, [rs1, rs2, rs3], retired);
    const [product, addend, sum] = [f.borrow(F64), f.borrow(F64), f.borrow(F64)];
    const result = f.borrow(F32);
    promoteRegister(f, rs1);
    if (negateProduct) code.op(wasm.f64Neg);
    promoteRegister(f, rs2);
    code.op(wasm.f64Mul);
    code.tee(product);
    promoteRegister(f, rs3);
    if (negateAddend) code.op(wasm.f64Neg);
    code.tee(addend);
    code.op(wasm.f64Add);
    code.tee(sum);
    code.op(wasm.f32DemoteF64);
    code.set(result);
    pushNearest(f, instruction);
    SINGLE.pushOrdinary(f, result);
    code.get(sum);
    code.f64(0);
    code.ops(wasm.f64Eq, wasm.i32Or);
    code.get(sum);
    code.op(wasm.i64ReinterpretF64);
    code.i64(0x1fff_ffff);
    code.op(wasm.i64And);
    code.i64(0x1000_0000);
    code.ops(wasm.i64Ne, wasm.i32And, wasm.i32And);
    pushInexactKnown(f);
    code.if(I32);
    code.i32(1);
    code.else();
    promote(f, result);
    code.get(sum);
    code.op(wasm.f64Eq);
    const get = (local: number) => () => code.get(local);
    pushNoError(f, DOUBLE, get(product), get(addend), sum);
    code.op(wasm.i32And);
    code.end();
    code.ops(wasm.i32And, wasm.i32Eqz);
    f.interpretIf(offset, retired);
    code.get(result);
    f.release(F64, product, addend, sum);
    f.release(F32, result);
  };
  const text = callText('fmaS', [rs1, rs2, rs3], 'rm', `${negateProduct}`, `${negateAddend}`);
  return { text, rounds: true, push };
}

function moveToSingle(f: RegionFunction, { rs1 }: Instruction): void {
  f.registers.get32(rs1);
  f.code.op(wasm.f32ReinterpretI32);
}

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
function toInteger(
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

const WORD: readonly [number, number] = [-(2 ** 31), 2 ** 31];
const UNSIGNED_WORD: readonly [number, number] = [0, 2 ** 32];
const LONG: readonly [number, number] = [-(2 ** 63), 2 ** 63];
const UNSIGNED_LONG: readonly [number, number] = [0, 2 ** 64];

/**
 * A conversion of an integer, by the host if NX is known or the integer certainly fits.
 * @param extend how a word becomes 64 bits
 * @param digits of the significand
 */
function fromInteger(
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
const toDouble: Result = {
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
const toSingle: Result = {
  text: callText('cvtSD', one, 'rm'),
  rounds: true,
  push(f, instruction, retired) {
    const { code } = f;
    const result = f.borrow(F32);
    pushDouble(f, instruction.rs1);
    code.op(wasm.f32DemoteF64);
    code.set(result);
    pushNearest(f, instruction);
    SINGLE.pushOrdinary(f, result);
    pushDouble(f, instruction.rs1);
    code.f64(0);
    code.ops(wasm.f64Eq, wasm.i32Or, wasm.i32And);
    pushInexactKnown(f);
    promote(f, result);
    pushDouble(f, instruction.rs1);
    code.ops(wasm.f64Eq, wasm.i32Or, wasm.i32And, wasm.i32Eqz);
    f.interpretIf(instruction.offset, retired);
    code.get(result);
    f.release(F32, result);
  },
};

/** A conversion of a word, which is always exact. */
function fromWord(name: string, op: number): Result {
  const push: Emit = (f, { rs1 }) => {
    f.registers.get32(rs1);
    f.code.op(op);
  };
  return { text: callText(name, one), rounds: true, push };
}

/** These leave the bits of their result on the stack. */
const BITS = {
  [FloatOp.FEQ_S]: compare('eqS', SINGLE, SINGLE.eq),
  [FloatOp.FLT_S]: compare('ltS', SINGLE, SINGLE.lt),
  [FloatOp.FLE_S]: compare('leS', SINGLE, SINGLE.le),
  [FloatOp.FCLASS_S]: plain('classS'),
  [FloatOp.FCVT_W_S]: toInteger('cvtWS', SINGLE, WORD, wasm.i32TruncF64S, wasm.i64ExtendI32S),
  [FloatOp.FCVT_WU_S]: toInteger('cvtWUS', SINGLE, UNSIGNED_WORD, wasm.i32TruncF64U, wasm.i64ExtendI32S),
  [FloatOp.FCVT_L_S]: toInteger('cvtLS', SINGLE, LONG, wasm.i64TruncF64S),
  [FloatOp.FCVT_LU_S]: toInteger('cvtLUS', SINGLE, UNSIGNED_LONG, wasm.i64TruncF64U),
  [FloatOp.FMV_X_W]: moved(signExtend(w1)),
  [FloatOp.FSGNJ_D]: signInjection('sgnjD', takeSign),
  [FloatOp.FSGNJN_D]: signInjection('sgnjnD', negateSign),
  [FloatOp.FSGNJX_D]: signInjection('sgnjxD', multiplySigns),
  [FloatOp.FEQ_D]: compare('eqD', DOUBLE, DOUBLE.eq),
  [FloatOp.FLT_D]: compare('ltD', DOUBLE, DOUBLE.lt),
  [FloatOp.FLE_D]: compare('leD', DOUBLE, DOUBLE.le),
  [FloatOp.FCLASS_D]: plain('classD'),
  [FloatOp.FCVT_W_D]: toInteger('cvtWD', DOUBLE, WORD, wasm.i32TruncF64S, wasm.i64ExtendI32S),
  [FloatOp.FCVT_WU_D]: toInteger('cvtWUD', DOUBLE, UNSIGNED_WORD, wasm.i32TruncF64U, wasm.i64ExtendI32S),
  [FloatOp.FCVT_L_D]: toInteger('cvtLD', DOUBLE, LONG, wasm.i64TruncF64S),
  [FloatOp.FCVT_LU_D]: toInteger('cvtLUD', DOUBLE, UNSIGNED_LONG, wasm.i64TruncF64U),
  [FloatOp.FMV_X_D]: moved(rs1),
  [FloatOp.FMV_D_X]: moved(rs1),
};

/** These leave their result on the stack as a single. */
const SINGLES = {
  [FloatOp.FADD_S]: sum('addS', SINGLE),
  [FloatOp.FSUB_S]: difference('subS', SINGLE),
  [FloatOp.FMUL_S]: product('mulS', SINGLE),
  [FloatOp.FDIV_S]: quotient('divS', SINGLE),
  [FloatOp.FSQRT_S]: root('sqrtS', SINGLE),
  [FloatOp.FMADD_S]: fusedSingle(false, false),
  [FloatOp.FMSUB_S]: fusedSingle(false, true),
  [FloatOp.FNMSUB_S]: fusedSingle(true, false),
  [FloatOp.FNMADD_S]: fusedSingle(true, true),
  [FloatOp.FSGNJ_S]: signInjectionS('sgnjS', takeSign),
  [FloatOp.FSGNJN_S]: signInjectionS('sgnjnS', negateSign),
  [FloatOp.FSGNJX_S]: signInjectionS('sgnjxS', multiplySigns),
  [FloatOp.FMIN_S]: extreme('minS', SINGLE, SINGLE.min),
  [FloatOp.FMAX_S]: extreme('maxS', SINGLE, SINGLE.max),
  [FloatOp.FCVT_S_W]: fromInteger('cvtSW', wasm.f32ConvertI64S, 24, true, wasm.i64ExtendI32S),
  [FloatOp.FCVT_S_WU]: fromInteger('cvtSWU', wasm.f32ConvertI64S, 24, true, wasm.i64ExtendI32U),
  [FloatOp.FCVT_S_L]: fromInteger('cvtSL', wasm.f32ConvertI64S, 24, true),
  [FloatOp.FCVT_S_LU]: fromInteger('cvtSLU', wasm.f32ConvertI64U, 24, false),
  [FloatOp.FCVT_S_D]: toSingle,
  [FloatOp.FMV_W_X]: { text: `box(${w1.text})`, rounds: false, push: moveToSingle },
};

/** These leave their result on the stack as a double. */
const DOUBLES = {
  [FloatOp.FADD_D]: sum('addD', DOUBLE),
  [FloatOp.FSUB_D]: difference('subD', DOUBLE),
  [FloatOp.FMUL_D]: product('mulD', DOUBLE),
  [FloatOp.FDIV_D]: quotient('divD', DOUBLE),
  [FloatOp.FSQRT_D]: root('sqrtD', DOUBLE),
  [FloatOp.FMADD_D]: fusedDouble(false, false),
  [FloatOp.FMSUB_D]: fusedDouble(false, true),
  [FloatOp.FNMSUB_D]: fusedDouble(true, false),
  [FloatOp.FNMADD_D]: fusedDouble(true, true),
  [FloatOp.FMIN_D]: extreme('minD', DOUBLE, DOUBLE.min),
  [FloatOp.FMAX_D]: extreme('maxD', DOUBLE, DOUBLE.max),
  [FloatOp.FCVT_D_W]: fromWord('cvtDW', wasm.f64ConvertI32S),
  [FloatOp.FCVT_D_WU]: fromWord('cvtDWU', wasm.f64ConvertI32U),
  [FloatOp.FCVT_D_L]: fromInteger('cvtDL', wasm.f64ConvertI64S, 53, true),
  [FloatOp.FCVT_D_LU]: fromInteger('cvtDLU', wasm.f64ConvertI64U, 53, false),
  [FloatOp.FCVT_D_S]: toDouble,
};

type Write = (f: RegionFunction, register: number) => void;

/** An operation without a destination register (x0) still raises its flags. */
function writing(write: Write): (result: Result) => Emit {
  return ({ push }) =>
    (f, instruction, retired) => {
      f.registers.flush();
      push(f, instruction, retired);
      if (instruction.rd !== undefined) write(f, instruction.rd);
      else f.code.op(wasm.drop);
    };
}

/** The value that each instruction writes to its destination register. */
export const FLOAT_RESULTS: Readonly<Record<Float, Result>> = { ...BITS, ...SINGLES, ...DOUBLES };

/** The emitters of all floating-point instructions except loads and stores. */
export const FLOAT = {
  ...mapTable(
    BITS,
    writing((f, register) => f.registers.set(register)),
  ),
  ...mapTable(
    SINGLES,
    writing((f, register) => f.registers.setSingle(register)),
  ),
  ...mapTable(
    DOUBLES,
    writing((f, register) => f.registers.setDouble(register)),
  ),
} satisfies Record<Float, Emit>;

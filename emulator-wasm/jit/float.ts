/**
 * Floating point. Operations use the host's arithmetic where its result is correct in every flag, as in the
 * core's `fpu`: with round to nearest, NX accrued already, and a result that raises nothing else. All others
 * are calls.
 */
import { FloatOp } from '../assembly/opcodes.ts';
import { H_FRM } from '../layout.ts';
import type { Emit } from './emit.ts';
import { type Expression, rs1, rs2, signExtend, w1, wide } from './expression.ts';
import type { RegionFunction } from './function.ts';
import { fusesMultiplyAdd } from './host.ts';
import type { Import } from './imports.ts';
import { type Float, mapTable } from './operations.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { F64, I32, wasm } from './wasm.ts';

// Bits of the result of `floatState`.
export const FLOAT_READY = 1;
const FLOAT_INEXACT = 2;
const FLOAT_NEAREST = 4;

const DYNAMIC = 7;
const SIGN_D = 1n << 63n;
const BOX = 0xffff_ffff_0000_0000n;

const INFINITY_D = 0x7ff0_0000_0000_0000n;
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

/** The result of a function of the core that is not rounded. */
function plain(name: Import, operands: readonly Expression[] = both): Result {
  return {
    text: callText(name, operands),
    rounds: false,
    push(f, instruction) {
      for (const operand of operands) operand.push(f, instruction);
      f.call(name);
    },
  };
}

/** The result of a function of the core that rounds. */
function rounded(name: Import, operands: readonly Expression[] = both): Result {
  return {
    text: callText(name, operands, 'rm'),
    rounds: true,
    push(f, instruction) {
      for (const operand of operands) operand.push(f, instruction);
      pushRounding(f, instruction);
      f.call(name);
    },
  };
}

/** The bits of one register in another. */
const moved = ({ text, push }: Expression): Result => ({ text, rounds: false, push });

/** Pushes whether the double in a local is finite. */
function pushFinite(f: RegionFunction, double: number): void {
  f.code.get(double);
  f.code.op(wasm.i64ReinterpretF64);
  f.code.i64Bits(MAGNITUDE_D);
  f.code.op(wasm.i64And);
  f.code.i64Bits(INFINITY_D);
  f.code.op(wasm.i64LtU);
}

/** Pushes whether the double in a local is normal, and above the least exponent. */
function pushOrdinary(f: RegionFunction, double: number): void {
  f.code.get(double);
  f.code.op(wasm.i64ReinterpretF64);
  f.code.i64(1);
  f.code.op(wasm.i64Shl);
  f.code.i64Bits(2n << 53n);
  f.code.op(wasm.i64Sub);
  f.code.i64Bits(0x7fdn << 53n);
  f.code.op(wasm.i64LtU);
}

type Host = (f: RegionFunction, instruction: Instruction) => void;

/** Pushes whether the result in a local of an operation on rs1 and rs2 is certainly exact. */
type Exactness = (f: RegionFunction, instruction: Instruction, result: number) => void;

/**
 * The host's operation, if it has the correct result and NX is known. Rare cases are left to the interpreter,
 * because calls would cost all registers.
 */
function arithmetic(
  name: string,
  operands: readonly Expression[],
  host: Host,
  test: (f: RegionFunction, double: number) => void,
  exactness: Exactness,
): Result {
  const push: Emit = (f, instruction, retired) => {
    const { code } = f;
    const result = f.borrow(F64);
    host(f, instruction);
    code.set(result);
    pushNearest(f, instruction);
    test(f, result);
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
    f.release(F64, result);
  };
  return { text: callText(name, operands, 'rm'), rounds: true, push };
}

const neverExact: Exactness = (f) => f.code.i32(0);

/** Whether the error of a sum is 0 (Knuth). @param sign the sign of rs2 in the sum */
function sumIsExact(difference: boolean): Exactness {
  return (f, { rs1, rs2 }, result) => {
    const { code } = f;
    const addend = f.borrow(F64);
    code.get(result);
    pushDouble(f, rs1);
    code.op(wasm.f64Sub);
    code.set(addend);
    pushDouble(f, rs1);
    code.get(result);
    code.get(addend);
    code.ops(wasm.f64Sub, wasm.f64Sub);
    pushDouble(f, rs2);
    if (difference) code.op(wasm.f64Neg);
    code.get(addend);
    code.ops(wasm.f64Sub, wasm.f64Add);
    code.f64(0);
    code.op(wasm.f64Eq);
    f.release(F64, addend);
  };
}

/** Whether the significands of two factors have enough trailing zeros for their product to fit. */
const productIsExact: Exactness = (f, { rs1, rs2 }) => {
  const { code } = f;
  for (const register of [rs1, rs2]) {
    f.registers.get(register);
    code.i64Bits(1n << 52n);
    code.ops(wasm.i64Or, wasm.i64Ctz);
  }
  code.op(wasm.i64Add);
  code.i64(53);
  code.op(wasm.i64GeU);
};

function hostBinary(op: number): Host {
  return (f, { rs1, rs2 }) => {
    pushDouble(f, rs1);
    pushDouble(f, rs2);
    f.code.op(op);
  };
}

function hostSqrt(f: RegionFunction, { rs1 }: Instruction): void {
  pushDouble(f, rs1);
  f.code.op(wasm.f64Sqrt);
}

/** A comparison of doubles, which is left to the interpreter if one is NaN. */
function compare(name: string, op: number): Result {
  const push: Emit = (f, { rs1, rs2, offset }, retired) => {
    const { code } = f;
    for (const register of [rs1, rs2]) {
      pushDouble(f, register);
      pushDouble(f, register);
      code.op(wasm.f64Eq);
    }
    code.ops(wasm.i32And, wasm.i32Eqz);
    f.interpretIf(offset, retired);
    pushDouble(f, rs1);
    pushDouble(f, rs2);
    code.ops(op, wasm.i64ExtendI32U);
  };
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
      pushOrdinary(f, result);
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

function fusedSingle(negateProduct: boolean, negateAddend: boolean): Result {
  const operands = [rs1, rs2, rs3];
  return {
    text: callText('fmaS', operands, 'rm', `${negateProduct}`, `${negateAddend}`),
    rounds: true,
    push(f, instruction) {
      for (const operand of operands) operand.push(f, instruction);
      pushRounding(f, instruction);
      f.code.i32(Number(negateProduct));
      f.code.i32(Number(negateAddend));
      f.call('fmaS');
    },
  };
}

function moveToSingle(f: RegionFunction, { rs1 }: Instruction): void {
  f.registers.get(rs1);
  f.code.i64(0xffff_ffff);
  f.code.op(wasm.i64And);
  f.code.i64Bits(BOX);
  f.code.op(wasm.i64Or);
}

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
  [FloatOp.FADD_S]: rounded('addS'),
  [FloatOp.FSUB_S]: rounded('subS'),
  [FloatOp.FMUL_S]: rounded('mulS'),
  [FloatOp.FDIV_S]: rounded('divS'),
  [FloatOp.FSQRT_S]: rounded('sqrtS', one),
  [FloatOp.FMADD_S]: fusedSingle(false, false),
  [FloatOp.FMSUB_S]: fusedSingle(false, true),
  [FloatOp.FNMSUB_S]: fusedSingle(true, false),
  [FloatOp.FNMADD_S]: fusedSingle(true, true),
  [FloatOp.FSGNJ_S]: plain('sgnjS'),
  [FloatOp.FSGNJN_S]: plain('sgnjnS'),
  [FloatOp.FSGNJX_S]: plain('sgnjxS'),
  [FloatOp.FMIN_S]: plain('minS'),
  [FloatOp.FMAX_S]: plain('maxS'),
  [FloatOp.FEQ_S]: plain('eqS'),
  [FloatOp.FLT_S]: plain('ltS'),
  [FloatOp.FLE_S]: plain('leS'),
  [FloatOp.FCLASS_S]: plain('classS', one),
  [FloatOp.FCVT_W_S]: rounded('cvtWS', one),
  [FloatOp.FCVT_WU_S]: rounded('cvtWUS', one),
  [FloatOp.FCVT_L_S]: rounded('cvtLS', one),
  [FloatOp.FCVT_LU_S]: rounded('cvtLUS', one),
  [FloatOp.FCVT_S_W]: rounded('cvtSW', one),
  [FloatOp.FCVT_S_WU]: rounded('cvtSWU', one),
  [FloatOp.FCVT_S_L]: rounded('cvtSL', one),
  [FloatOp.FCVT_S_LU]: rounded('cvtSLU', one),
  [FloatOp.FCVT_S_D]: rounded('cvtSD', one),
  [FloatOp.FMV_X_W]: moved(signExtend(w1)),
  [FloatOp.FMV_W_X]: { text: `box(${w1.text})`, rounds: false, push: moveToSingle },
  [FloatOp.FSGNJ_D]: signInjection('sgnjD', takeSign),
  [FloatOp.FSGNJN_D]: signInjection('sgnjnD', negateSign),
  [FloatOp.FSGNJX_D]: signInjection('sgnjxD', multiplySigns),
  [FloatOp.FMIN_D]: plain('minD'),
  [FloatOp.FMAX_D]: plain('maxD'),
  [FloatOp.FEQ_D]: compare('eqD', wasm.f64Eq),
  [FloatOp.FLT_D]: compare('ltD', wasm.f64Lt),
  [FloatOp.FLE_D]: compare('leD', wasm.f64Le),
  [FloatOp.FCLASS_D]: plain('classD', one),
  [FloatOp.FCVT_W_D]: rounded('cvtWD', one),
  [FloatOp.FCVT_WU_D]: rounded('cvtWUD', one),
  [FloatOp.FCVT_L_D]: rounded('cvtLD', one),
  [FloatOp.FCVT_LU_D]: rounded('cvtLUD', one),
  [FloatOp.FCVT_D_L]: rounded('cvtDL', one),
  [FloatOp.FCVT_D_LU]: rounded('cvtDLU', one),
  [FloatOp.FCVT_D_S]: { ...plain('cvtDS', one), rounds: true },
  [FloatOp.FMV_X_D]: moved(rs1),
  [FloatOp.FMV_D_X]: moved(rs1),
};

/** These leave their result on the stack as a double. */
const DOUBLES = {
  [FloatOp.FADD_D]: arithmetic('addD', both, hostBinary(wasm.f64Add), pushFinite, sumIsExact(false)),
  [FloatOp.FSUB_D]: arithmetic('subD', both, hostBinary(wasm.f64Sub), pushFinite, sumIsExact(true)),
  [FloatOp.FMUL_D]: arithmetic('mulD', both, hostBinary(wasm.f64Mul), pushOrdinary, productIsExact),
  [FloatOp.FDIV_D]: arithmetic('divD', both, hostBinary(wasm.f64Div), pushOrdinary, neverExact),
  [FloatOp.FSQRT_D]: arithmetic('sqrtD', one, hostSqrt, pushFinite, neverExact),
  [FloatOp.FMADD_D]: fusedDouble(false, false),
  [FloatOp.FMSUB_D]: fusedDouble(false, true),
  [FloatOp.FNMSUB_D]: fusedDouble(true, false),
  [FloatOp.FNMADD_D]: fusedDouble(true, true),
  [FloatOp.FCVT_D_W]: fromWord('cvtDW', wasm.f64ConvertI32S),
  [FloatOp.FCVT_D_WU]: fromWord('cvtDWU', wasm.f64ConvertI32U),
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
export const FLOAT_RESULTS: Readonly<Record<Float, Result>> = { ...BITS, ...DOUBLES };

/** The emitters of all floating-point instructions except loads and stores. */
export const FLOAT = {
  ...mapTable(
    BITS,
    writing((f, register) => f.registers.set(register)),
  ),
  ...mapTable(
    DOUBLES,
    writing((f, register) => f.registers.setDouble(register)),
  ),
} satisfies Record<Float, Emit>;

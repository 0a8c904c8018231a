/** Fused multiply-add. */
import type { Emit } from './emit.ts';
import { type Expression, rs1, rs2, wide } from './expression.ts';
import { pushNoError } from './float-arithmetic.ts';
import { DOUBLE, promote, promoteRegister, SINGLE } from './float-format.ts';
import { callText, pushInexactKnown, pushNearest, type Result } from './float-result.ts';
import type { RegionFunction } from './function.ts';
import { fusesMultiplyAdd } from './host.ts';
import type { Instruction } from './page.ts';
import { F32, F64, I32, wasm } from './wasm.ts';

const rs3 = wide('rs3(h, p)', (f, i) => f.registers.get(i.imm));

/**
 * ±(rs1 * rs2) ± rs3 of doubles. A host that rounds it once computes it, if NX is known; otherwise it is made
 * of sums and products.
 */
export function fusedDouble(negateProduct: boolean, negateAddend: boolean): Result {
  const signed = ({ text }: Expression, negate: boolean) => (negate ? `${text} ^ SIGN` : text);
  const push: Emit = (f, instruction, retired) => {
    const { code } = f;
    const operands = [f.borrow(F64), f.borrow(F64), f.borrow(F64)] as const;
    const [a, b, c] = operands;
    const set = (register: number, negate: boolean, local: number) => {
      f.registers.getDouble(register);
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
export function fusedSingle(negateProduct: boolean, negateAddend: boolean): Result {
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

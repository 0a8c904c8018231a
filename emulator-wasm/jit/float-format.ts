/** The two floating-point formats: their numbers in registers, and tests of results. */
import type { RegionFunction } from './function.ts';
import type { Instruction } from './page.ts';
import { BOX } from './registers.ts';
import { F32, F64, wasm } from './wasm.ts';

/** A floating-point format, with operations of WebAssembly on it. */
export interface Format {
  readonly type: typeof F32 | typeof F64;
  readonly add: number;
  readonly sub: number;
  readonly mul: number;
  readonly div: number;
  readonly sqrt: number;
  readonly neg: number;
  readonly eq: number;
  readonly lt: number;
  readonly le: number;
  readonly min: number;
  readonly max: number;
  /** Leaves the instruction to the interpreter unless these registers hold numbers of the format. */
  require(f: RegionFunction, instruction: Instruction, registers: readonly number[], retired: number): void;
  /** Pushes a register's number. */
  get(f: RegionFunction, register: number): void;
  zero(f: RegionFunction): void;
  /** Pushes whether the number in a local is finite. */
  pushFinite(f: RegionFunction, local: number): void;
  /** Pushes whether the number in a local is normal, and above the least exponent. */
  pushOrdinary(f: RegionFunction, local: number): void;
  /** Whether the significands of two factors have enough trailing zeros for their product to fit. */
  readonly productIsExact: Exactness;
  readonly quotientIsExact: Exactness;
  readonly rootIsExact: Exactness;
}

/** Pushes whether the result in a local of an operation on rs1 and rs2 is certainly exact. */
export type Exactness = (f: RegionFunction, instruction: Instruction, result: number) => void;

const neverExact: Exactness = (f) => f.code.i32(0);

export const DOUBLE: Format = {
  type: F64,
  add: wasm.f64Add,
  sub: wasm.f64Sub,
  mul: wasm.f64Mul,
  div: wasm.f64Div,
  sqrt: wasm.f64Sqrt,
  neg: wasm.f64Neg,
  eq: wasm.f64Eq,
  lt: wasm.f64Lt,
  le: wasm.f64Le,
  min: wasm.f64Min,
  max: wasm.f64Max,
  require() {},
  get: (f, register) => f.registers.getDouble(register),
  zero: (f) => f.code.f64(0),
  pushFinite(f, local) {
    f.code.get(local);
    f.code.op(wasm.i64ReinterpretF64);
    f.code.i64Bits(0x7fff_ffff_ffff_ffffn);
    f.code.op(wasm.i64And);
    f.code.i64Bits(0x7ff0_0000_0000_0000n);
    f.code.op(wasm.i64LtU);
  },
  pushOrdinary(f, local) {
    f.code.get(local);
    f.code.op(wasm.i64ReinterpretF64);
    f.code.i64(1);
    f.code.op(wasm.i64Shl);
    f.code.i64Bits(2n << 53n);
    f.code.op(wasm.i64Sub);
    f.code.i64Bits(0x7fdn << 53n);
    f.code.op(wasm.i64LtU);
  },
  productIsExact(f, { rs1, rs2 }) {
    const { code } = f;
    for (const register of [rs1, rs2]) {
      f.registers.get(register);
      code.i64Bits(1n << 52n);
      code.ops(wasm.i64Or, wasm.i64Ctz);
    }
    code.op(wasm.i64Add);
    code.i64(53);
    code.op(wasm.i64GeU);
  },
  quotientIsExact: neverExact,
  rootIsExact: neverExact,
};

/** Pushes the single in a local, or in a register, as a double. A product of two such doubles is exact. */
export function promote(f: RegionFunction, local: number): void {
  f.code.get(local);
  f.code.op(wasm.f64PromoteF32);
}
export function promoteRegister(f: RegionFunction, register: number): void {
  f.registers.getSingle(register);
  f.code.op(wasm.f64PromoteF32);
}

export const SINGLE: Format = {
  type: F32,
  add: wasm.f32Add,
  sub: wasm.f32Sub,
  mul: wasm.f32Mul,
  div: wasm.f32Div,
  sqrt: wasm.f32Sqrt,
  neg: wasm.f32Neg,
  eq: wasm.f32Eq,
  lt: wasm.f32Lt,
  le: wasm.f32Le,
  min: wasm.f32Min,
  max: wasm.f32Max,
  require(f, { offset }, registers, retired) {
    const unknown = registers.filter((register) => !f.registers.isWord(register));
    if (unknown.length === 0) return;
    for (const [n, register] of unknown.entries()) {
      f.registers.get(register);
      if (n > 0) f.code.op(wasm.i64And);
    }
    f.code.i64Bits(BOX);
    f.code.op(wasm.i64LtU);
    f.interpretIf(offset, retired);
    for (const register of unknown) f.registers.noteWord(register);
  },
  get: (f, register) => f.registers.getSingle(register),
  zero: (f) => f.code.f32(0),
  pushFinite(f, local) {
    f.code.get(local);
    f.code.op(wasm.i32ReinterpretF32);
    f.code.i32(0x7fff_ffff);
    f.code.op(wasm.i32And);
    f.code.i32(0x7f80_0000);
    f.code.op(wasm.i32LtU);
  },
  pushOrdinary(f, local) {
    f.code.get(local);
    f.code.op(wasm.i32ReinterpretF32);
    f.code.i32(1);
    f.code.op(wasm.i32Shl);
    f.code.i32(2 << 24);
    f.code.op(wasm.i32Sub);
    f.code.i32(0xfd << 24);
    f.code.op(wasm.i32LtU);
  },
  productIsExact(f, { rs1, rs2 }, result) {
    promoteRegister(f, rs1);
    promoteRegister(f, rs2);
    f.code.op(wasm.f64Mul);
    promote(f, result);
    f.code.op(wasm.f64Eq);
  },
  quotientIsExact(f, { rs1, rs2 }, result) {
    promote(f, result);
    promoteRegister(f, rs2);
    f.code.op(wasm.f64Mul);
    promoteRegister(f, rs1);
    f.code.op(wasm.f64Eq);
  },
  rootIsExact(f, { rs1 }, result) {
    promote(f, result);
    promote(f, result);
    f.code.op(wasm.f64Mul);
    promoteRegister(f, rs1);
    f.code.op(wasm.f64Eq);
  },
};

/**
 * Floating point. Operations are the host's where its result is right in every flag, as in the core's `fpu`: with
 * round to nearest, NX accrued already, and a result that raises nothing else. All others are called.
 */
import { Op } from '../assembly/opcodes.ts';
import { H_FRM } from '../layout.ts';
import type { RegionFunction } from './function.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { I32, I64, type ValueType, wasm } from './wasm.ts';

type Emit = (f: RegionFunction, instruction: Instruction) => void;

// What `floatState` gives.
export const FLOAT_READY = 1;
const FLOAT_INEXACT = 2;
const FLOAT_NEAREST = 4;

const DYNAMIC = 7;
const SIGN_D = 1n << 63n;
const BOX = 0xffff_ffff_0000_0000n;

const INFINITY_D = 0x7ff0_0000_0000_0000n;
const MAGNITUDE_D = 0x7fff_ffff_ffff_ffffn;

/** Pushes the instruction's rounding mode, which `floatState` has found to be valid. */
function pushRounding(f: RegionFunction, { extra }: Instruction): void {
  if (extra === DYNAMIC) {
    f.code.get(HART);
    f.code.memory(wasm.i32Load, H_FRM);
  } else f.code.i32(extra);
}

/** Pushes whether the host rounds as the instruction wants, and NX need not be found out. */
function pushHostSuffices(f: RegionFunction, { extra }: Instruction): void {
  const needed = FLOAT_INEXACT | (extra === DYNAMIC ? FLOAT_NEAREST : 0);
  f.code.get(f.floatState);
  f.code.i32(needed);
  f.code.op(wasm.i32And);
  f.code.i32(needed);
  f.code.op(wasm.i32Sub, wasm.i32Eqz);
}

function pushDouble(f: RegionFunction, register: number): void {
  f.registers.get(register);
  f.code.op(wasm.f64ReinterpretI64);
}

/** Pushes the core's result. */
function callCore(name: string, operands: (i: Instruction) => number[], rounded: boolean): Emit {
  return (f, instruction) => {
    const registers = operands(instruction);
    for (const register of registers) f.registers.get(register);
    if (rounded) pushRounding(f, instruction);
    f.call(name, [...registers.map((): ValueType => I64), ...(rounded ? [I32 as ValueType] : [])], I64);
  };
}

const both = ({ rs1, rs2 }: Instruction) => [rs1, rs2];
const one = ({ rs1 }: Instruction) => [rs1];

/** Whether the bits in a local are of a finite double; pushed. */
function pushFinite(f: RegionFunction, bits: number): void {
  f.code.get(bits);
  f.code.i64Bits(MAGNITUDE_D);
  f.code.op(wasm.i64And);
  f.code.i64Bits(INFINITY_D);
  f.code.op(wasm.i64LtU);
}

/** Whether they are of a normal double, and not of the least exponent. */
function pushOrdinary(f: RegionFunction, bits: number): void {
  f.code.get(bits);
  f.code.i64(1);
  f.code.op(wasm.i64Shl);
  f.code.i64Bits(2n << 53n);
  f.code.op(wasm.i64Sub);
  f.code.i64Bits(0x7fdn << 53n);
  f.code.op(wasm.i64LtU);
}

/** The host's operation if that is enough and its result passes the test, else the core's. */
function arithmetic(
  host: (f: RegionFunction, instruction: Instruction) => void,
  test: (f: RegionFunction, bits: number) => void,
  core: Emit,
): Emit {
  return (f, instruction) => {
    const { code } = f;
    const result = f.borrow(I64);
    const rounding = instruction.extra;
    if (rounding !== 0 && rounding !== DYNAMIC) {
      core(f, instruction);
      return;
    }
    host(f, instruction);
    code.op(wasm.i64ReinterpretF64);
    code.set(result);
    pushHostSuffices(f, instruction);
    test(f, result);
    code.op(wasm.i32And);
    code.if(I64);
    code.get(result);
    code.else();
    core(f, instruction);
    code.end();
    f.release(I64, result);
  };
}

function hostBinary(op: number): Emit {
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

/** A comparison of doubles, the core's if one is NaN. */
function compare(op: number, core: string): Emit {
  const callIt = callCore(core, both, false);
  return (f, instruction) => {
    const { code } = f;
    const { rs1, rs2 } = instruction;
    for (const register of [rs1, rs2]) {
      pushDouble(f, register);
      pushDouble(f, register);
      code.op(wasm.f64Eq);
    }
    code.op(wasm.i32And);
    code.if(I64);
    pushDouble(f, rs1);
    pushDouble(f, rs2);
    code.op(op, wasm.i64ExtendI32U);
    code.else();
    callIt(f, instruction);
    code.end();
  };
}

/** The sign of rs2, changed by `change`, on rs1. */
function signInjection(change: (f: RegionFunction, instruction: Instruction) => void): Emit {
  return (f, instruction) => {
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
    code.op(wasm.i64And, wasm.i64Or);
  };
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

/** ±(rs1 * rs2) ± rs3 of doubles. */
function fusedDouble(negateProduct: boolean, negateAddend: boolean): Emit {
  return (f, instruction) => {
    const push = (register: number, negate: boolean) => {
      f.registers.get(register);
      if (!negate) return;
      f.code.i64Bits(SIGN_D);
      f.code.op(wasm.i64Xor);
    };
    push(instruction.rs1, negateProduct);
    push(instruction.rs2, false);
    push(instruction.imm, negateAddend);
    pushRounding(f, instruction);
    f.call('fmaD', [I64, I64, I64, I32], I64);
  };
}

function fusedSingle(negateProduct: boolean, negateAddend: boolean): Emit {
  return (f, instruction) => {
    for (const register of [instruction.rs1, instruction.rs2, instruction.imm]) f.registers.get(register);
    pushRounding(f, instruction);
    f.code.i32(Number(negateProduct));
    f.code.i32(Number(negateAddend));
    f.call('fmaS', [I64, I64, I64, I32, I32, I32], I64);
  };
}

function moveToInteger(word: boolean): Emit {
  return (f, { rs1 }) => {
    f.registers.get(rs1);
    if (word) f.code.op(wasm.i64Extend32S);
  };
}

function moveToSingle(f: RegionFunction, { rs1 }: Instruction): void {
  f.registers.get(rs1);
  f.code.i64(0xffff_ffff);
  f.code.op(wasm.i64And);
  f.code.i64Bits(BOX);
  f.code.op(wasm.i64Or);
}

function fromWord(op: number): Emit {
  return (f, { rs1 }) => {
    f.registers.get32(rs1);
    f.code.op(op, wasm.i64ReinterpretF64);
  };
}

const rounded = (name: string, operands = both) => callCore(name, operands, true);
const plain = (name: string, operands = both) => callCore(name, operands, false);

const EMITTERS = new Map<Op, Emit>([
  [Op.FADD_S, rounded('addS')],
  [Op.FSUB_S, rounded('subS')],
  [Op.FMUL_S, rounded('mulS')],
  [Op.FDIV_S, rounded('divS')],
  [Op.FSQRT_S, rounded('sqrtS', one)],
  [Op.FMADD_S, fusedSingle(false, false)],
  [Op.FMSUB_S, fusedSingle(false, true)],
  [Op.FNMSUB_S, fusedSingle(true, false)],
  [Op.FNMADD_S, fusedSingle(true, true)],
  [Op.FSGNJ_S, plain('sgnjS')],
  [Op.FSGNJN_S, plain('sgnjnS')],
  [Op.FSGNJX_S, plain('sgnjxS')],
  [Op.FMIN_S, plain('minS')],
  [Op.FMAX_S, plain('maxS')],
  [Op.FEQ_S, plain('eqS')],
  [Op.FLT_S, plain('ltS')],
  [Op.FLE_S, plain('leS')],
  [Op.FCLASS_S, plain('classS', one)],
  [Op.FCVT_W_S, rounded('cvtWS', one)],
  [Op.FCVT_WU_S, rounded('cvtWUS', one)],
  [Op.FCVT_L_S, rounded('cvtLS', one)],
  [Op.FCVT_LU_S, rounded('cvtLUS', one)],
  [Op.FCVT_S_W, rounded('cvtSW', one)],
  [Op.FCVT_S_WU, rounded('cvtSWU', one)],
  [Op.FCVT_S_L, rounded('cvtSL', one)],
  [Op.FCVT_S_LU, rounded('cvtSLU', one)],
  [Op.FCVT_S_D, rounded('cvtSD', one)],
  [Op.FMV_X_W, moveToInteger(true)],
  [Op.FMV_W_X, moveToSingle],
  [Op.FADD_D, arithmetic(hostBinary(wasm.f64Add), pushFinite, rounded('addD'))],
  [Op.FSUB_D, arithmetic(hostBinary(wasm.f64Sub), pushFinite, rounded('subD'))],
  [Op.FMUL_D, arithmetic(hostBinary(wasm.f64Mul), pushOrdinary, rounded('mulD'))],
  [Op.FDIV_D, arithmetic(hostBinary(wasm.f64Div), pushOrdinary, rounded('divD'))],
  [Op.FSQRT_D, arithmetic(hostSqrt, pushFinite, rounded('sqrtD', one))],
  [Op.FMADD_D, fusedDouble(false, false)],
  [Op.FMSUB_D, fusedDouble(false, true)],
  [Op.FNMSUB_D, fusedDouble(true, false)],
  [Op.FNMADD_D, fusedDouble(true, true)],
  [Op.FSGNJ_D, signInjection(takeSign)],
  [Op.FSGNJN_D, signInjection(negateSign)],
  [Op.FSGNJX_D, signInjection(multiplySigns)],
  [Op.FMIN_D, plain('minD')],
  [Op.FMAX_D, plain('maxD')],
  [Op.FEQ_D, compare(wasm.f64Eq, 'eqD')],
  [Op.FLT_D, compare(wasm.f64Lt, 'ltD')],
  [Op.FLE_D, compare(wasm.f64Le, 'leD')],
  [Op.FCLASS_D, plain('classD', one)],
  [Op.FCVT_W_D, rounded('cvtWD', one)],
  [Op.FCVT_WU_D, rounded('cvtWUD', one)],
  [Op.FCVT_L_D, rounded('cvtLD', one)],
  [Op.FCVT_LU_D, rounded('cvtLUD', one)],
  [Op.FCVT_D_W, fromWord(wasm.f64ConvertI32S)],
  [Op.FCVT_D_WU, fromWord(wasm.f64ConvertI32U)],
  [Op.FCVT_D_L, rounded('cvtDL', one)],
  [Op.FCVT_D_LU, rounded('cvtDLU', one)],
  [Op.FCVT_D_S, plain('cvtDS', one)],
  [Op.FMV_X_D, moveToInteger(false)],
  [Op.FMV_D_X, moveToInteger(false)],
]);

/** Whether the instruction needs mstatus.FS, as loads and stores of floating point do too. */
export function isFloat(op: Op): boolean {
  return (op >= Op.FADD_S && op <= Op.FMV_D_X) || (op >= Op.FLW && op <= Op.FSD);
}

/** Writes a floating-point instruction other than a load or store; false if it is none. */
export function emitFloat(f: RegionFunction, instruction: Instruction): boolean {
  const emit = EMITTERS.get(instruction.op);
  if (!emit) return false;
  if (instruction.rd === undefined) {
    emit(f, instruction);
    f.code.op(wasm.drop);
  } else f.registers.set(instruction.rd, () => emit(f, instruction));
  return true;
}

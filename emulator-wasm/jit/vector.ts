/**
 * Vector instructions. Those that SIMD of WebAssembly does in a few operations are compiled for the expected
 * vtype. The core executes all others, and rare cases of these, in a call, which costs less than an exit from
 * the region.
 */
import { VectorOp } from '../assembly/riscv/opcodes.ts';
import { CSR_VL, CSR_VLENB } from '../assembly/riscv/vector/opcodes.ts';
import { H_VL, H_VTYPE, H_X } from '../layout.ts';
import type { Emit } from './emit.ts';
import type { RegionFunction } from './function.ts';
import { hasSimd } from './host.ts';
import type { Vector } from './operations.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { type Plan, VectorContext } from './vector-code.ts';
import { planFloat } from './vector-float.ts';
import { planInteger } from './vector-integer.ts';
import { planMask } from './vector-mask.ts';
import { planMemory } from './vector-memory.ts';
import {
  fieldsOf,
  hasLength,
  isFaultFirst,
  setsType,
  typeOf,
  type VectorInstruction,
  type VectorType,
} from './vector-type.ts';
import { I64, wasm } from './wasm.ts';

const VLENB = 16;
/** The most registers that an instruction writes. */
const MOST_WRITTEN = 8;

const emitVector: Emit = (f, instruction, retired) => {
  const fields = fieldsOf(instruction);
  f.registers.flush();
  if (setsType(fields)) emitSetType(f, instruction, fields, retired);
  else {
    const { type } = f.vectors;
    const plan = type && hasSimd() ? planOf(fields, type) : undefined;
    if (type && plan) emitPlan(f, instruction, fields, type, plan, retired);
    else {
      emitCall(f, instruction, retired);
      f.vectors.forget(fields.vd, MOST_WRITTEN);
      if (instruction.rd !== undefined) {
        pushWritten(f, instruction.rd);
        f.registers.set(instruction.rd);
      }
    }
  }
};

function planOf(fields: VectorInstruction, type: VectorType): Plan | undefined {
  if (!fields.isOperation) return planMemory(fields, type);
  return planInteger(fields, type) ?? planMask(fields, type) ?? planFloat(fields, type);
}

/** Calls the core, which reads and writes the registers in the hart's block. */
function emitCall(f: RegionFunction, instruction: Instruction, retired: number): void {
  const { code } = f;
  f.registers.storeKept(instruction.rs1);
  f.registers.storeKept(instruction.rs2);
  code.get(HART);
  code.i32(instruction.imm);
  f.call('vectorOperation');
  code.op(wasm.i32Eqz);
  f.interpretIf(instruction.offset, retired);
  if (isFaultFirst(fieldsOf(instruction))) f.vectors.reloadLength();
}

/** Pushes a scalar register that the core has written. */
function pushWritten({ code }: RegionFunction, register: number): void {
  code.get(HART);
  code.memory(wasm.i64Load, register);
}

function emitPlan(
  f: RegionFunction,
  instruction: Instruction,
  fields: VectorInstruction,
  type: VectorType,
  plan: Plan,
  retired: number,
): void {
  const { code } = f;
  const { rd } = instruction;
  const result = f.borrow(I64);
  // Before any branch, because all later instructions of the block rely on it.
  f.vectors.load(type);
  const done = code.block();
  const context = new VectorContext(f, instruction, fields, type, code.block());
  plan.emit(context);
  if (plan.hasResult) code.set(result);
  if (context.usesCore) code.br(done);
  code.end();
  if (context.usesCore) {
    emitCall(f, instruction, retired);
    if (rd !== undefined) {
      pushWritten(f, rd);
      code.set(result);
    }
    f.vectors.reload(fields.vd, plan.writes);
  } else f.vectors.note(fields.vd, plan.writes);
  code.end();
  if (rd !== undefined) {
    code.get(result);
    f.registers.set(rd);
  }
  f.release(I64, result);
}

/** vsetvli, vsetivli, vsetvl (V 1.0, chapter 6). */
function emitSetType(
  f: RegionFunction,
  instruction: Instruction,
  fields: VectorInstruction,
  retired: number,
): void {
  const { code, vectors } = f;
  const { rd } = instruction;
  const type = typeOf(fields);
  if (!type) {
    emitCall(f, instruction, retired);
    if (rd !== undefined) {
      pushWritten(f, rd);
      f.registers.set(rd);
    }
    vectors.setType(undefined, false);
    return;
  }
  const { length } = vectors;
  const done = code.block();
  const slow = code.block();
  vectors.pushReady();
  code.op(wasm.i32Eqz);
  code.brIfUnlikely(slow);
  const isLongest = setLength(f, instruction, fields, type);
  code.get(HART);
  code.i64(type.bits);
  code.memory(wasm.i64Store, H_VTYPE);
  code.get(HART);
  code.get(length);
  code.op(wasm.i64ExtendI32U);
  code.memory(wasm.i64Store, H_VL);
  code.br(done);
  code.end();
  emitCall(f, instruction, retired);
  vectors.pushLength();
  code.set(length);
  code.end();
  vectors.setType(type, isLongest);
  if (rd === undefined) return;
  code.get(length);
  code.op(wasm.i64ExtendI32U);
  f.registers.set(rd);
  f.registers.noteWord(rd);
}

/** Sets the local with the length. Returns whether it is VLMAX. */
function setLength(
  f: RegionFunction,
  { rd, rs1 }: Instruction,
  fields: VectorInstruction,
  { longest }: VectorType,
): boolean {
  const { code, vectors } = f;
  if (hasLength(fields)) {
    code.i32(Math.min(fields.vs1, longest));
    code.set(vectors.length);
    return fields.vs1 >= longest;
  }
  // Without a length the current one stays, or the longest is set (6.2).
  const isLongest = rs1 === H_X && rd !== undefined;
  if (isLongest) code.i32(longest);
  else {
    const wanted = f.borrow(I64);
    if (rs1 === H_X) {
      vectors.pushLength();
      code.op(wasm.i64ExtendI32U);
    } else f.registers.get(rs1);
    code.set(wanted);
    code.get(wanted);
    code.i64(longest);
    code.get(wanted);
    code.i64(longest);
    code.ops(wasm.i64LtU, wasm.select, wasm.i32WrapI64);
    f.release(I64, wanted);
  }
  code.set(vectors.length);
  return isLongest;
}

/** Reads vl, vtype or vlenb. The interpreter decides whether vectors are off. */
const emitReadCsr: Emit = (f, { rd, imm, offset }, retired) => {
  const { code } = f;
  // After an instruction that sets them, vectors are on.
  if (!f.vectors.isCertain) {
    f.registers.flush();
    f.vectors.pushOff();
    f.interpretIf(offset, retired);
  }
  if (rd === undefined) return;
  if (imm === CSR_VLENB) code.i64(VLENB);
  else {
    code.get(HART);
    code.memory(wasm.i64Load, imm === CSR_VL ? H_VL : H_VTYPE);
  }
  f.registers.set(rd);
};

export const VECTOR = {
  [VectorOp.VECTOR]: emitVector,
  [VectorOp.READ_VECTOR_CSR]: emitReadCsr,
} satisfies Record<Vector, Emit>;

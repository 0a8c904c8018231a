/** Loads, stores and atomics, through the TLB. */
import { Op } from '../assembly/opcodes.ts';
import { ATOMIC_RESULT, STORE_TLB, TLB_MASK } from '../layout.ts';
import type { RegionFunction } from './function.ts';
import type { Instruction } from './page.ts';
import { HART, TLB } from './parameters.ts';
import { I32, I64, wasm } from './wasm.ts';

const TLB_INDEX_SHIFT = 8;
const TLB_ADDEND = 8;
const PAGE_MASK = -0x1000;

interface Access {
  readonly bytes: number;
  readonly code: number;
}

const LOADS = new Map<Op, Access>([
  [Op.LB, { bytes: 1, code: wasm.i64Load8S }],
  [Op.LH, { bytes: 2, code: wasm.i64Load16S }],
  [Op.LW, { bytes: 4, code: wasm.i64Load32S }],
  [Op.LD, { bytes: 8, code: wasm.i64Load }],
  [Op.LBU, { bytes: 1, code: wasm.i64Load8U }],
  [Op.LHU, { bytes: 2, code: wasm.i64Load16U }],
  [Op.LWU, { bytes: 4, code: wasm.i64Load32U }],
  [Op.FLW, { bytes: 4, code: wasm.i64Load32U }],
  [Op.FLD, { bytes: 8, code: wasm.i64Load }],
]);

const STORES = new Map<Op, Access>([
  [Op.SB, { bytes: 1, code: wasm.i64Store8 }],
  [Op.SH, { bytes: 2, code: wasm.i64Store16 }],
  [Op.SW, { bytes: 4, code: wasm.i64Store32 }],
  [Op.SD, { bytes: 8, code: wasm.i64Store }],
  [Op.FSW, { bytes: 4, code: wasm.i64Store32 }],
  [Op.FSD, { bytes: 8, code: wasm.i64Store }],
]);

/** NaN boxing of a single in a register of 64 bits. */
const BOX = 0xffff_ffff_0000_0000n;

/**
 * Writes a memory instruction; false if it is none.
 * @param retired instructions of the block before this one
 */
export function emitMemory(f: RegionFunction, instruction: Instruction, retired: number): boolean {
  const load = LOADS.get(instruction.op);
  if (load) emitLoad(f, instruction, load, retired);
  const store = STORES.get(instruction.op);
  if (store) emitStore(f, instruction, store, retired);
  const atomic = instruction.op >= Op.LR_W && instruction.op <= Op.AMOMAXU_D;
  if (atomic) emitAtomic(f, instruction, retired);
  return load !== undefined || store !== undefined || atomic;
}

function emitLoad(f: RegionFunction, instruction: Instruction, access: Access, retired: number): void {
  const load = () => {
    pushHostAddress(f, instruction, access.bytes, 'fillLoad', 0, retired);
    f.code.memory(access.code, 0);
    if (instruction.op !== Op.FLW) return;
    f.code.i64Bits(BOX);
    f.code.op(wasm.i64Or);
  };
  if (instruction.rd === undefined) {
    load();
    f.code.op(wasm.drop);
  } else f.registers.set(instruction.rd, load);
}

function emitStore(f: RegionFunction, instruction: Instruction, access: Access, retired: number): void {
  pushHostAddress(f, instruction, access.bytes, 'fillStore', STORE_TLB, retired);
  f.registers.get(instruction.rs2);
  f.code.memory(access.code, 0);
}

/** Pushes where in the shared memory the access goes; leaves the region if that is not RAM, or more than one page. */
function pushHostAddress(
  f: RegionFunction,
  { rs1, imm, offset }: Instruction,
  bytes: number,
  fill: string,
  tlb: number,
  retired: number,
): void {
  const { code } = f;
  const address = f.borrow(I64);
  const entry = f.borrow(I32);
  f.registers.get(rs1);
  if (imm !== 0) {
    code.i64(imm);
    code.op(wasm.i64Add);
  }
  code.tee(address);
  code.op(wasm.i32WrapI64);
  code.i32(TLB_INDEX_SHIFT);
  code.op(wasm.i32ShrU);
  code.i32(TLB_MASK);
  code.op(wasm.i32And);
  code.get(TLB);
  code.op(wasm.i32Add);
  code.tee(entry);
  code.memory(wasm.i64Load, tlb);
  code.get(address);
  if (bytes > 1) {
    code.i64(bytes - 1);
    code.op(wasm.i64Add);
  }
  code.i64(PAGE_MASK);
  code.op(wasm.i64And, wasm.i64Ne);
  code.if();
  code.get(HART);
  code.get(address);
  code.i32(bytes);
  f.call(fill, [I32, I64, I32], I32);
  code.op(wasm.i32Eqz);
  code.if();
  f.interpret(offset, retired);
  code.end();
  code.end();
  code.get(address);
  code.op(wasm.i32WrapI64);
  code.get(entry);
  code.memory(wasm.i32Load, tlb + TLB_ADDEND);
  code.op(wasm.i32Add);
  f.release(I64, address);
  f.release(I32, entry);
}

function emitAtomic(f: RegionFunction, { op, rd, rs1, rs2, offset }: Instruction, retired: number): void {
  const { code } = f;
  code.get(HART);
  code.i32(op);
  f.registers.get(rs1);
  f.registers.get(rs2);
  f.call('atomicRmw', [I32, I32, I64, I64], I32);
  code.op(wasm.i32Eqz);
  code.if();
  f.interpret(offset, retired);
  code.end();
  if (rd === undefined) return;
  f.registers.set(rd, () => {
    code.get(HART);
    code.memory(wasm.i64Load, ATOMIC_RESULT);
  });
}

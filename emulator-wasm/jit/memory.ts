/** Loads and stores, through the TLB. */
import {
  AtomicOp,
  FloatMemoryOp,
  IntegerOp,
  isAtomic,
  isMemory,
  MemoryOp,
} from '../assembly/riscv/opcodes.ts';
import { H_FENCE, RECENT_LOADS, RECENT_PAGES, RECENT_STORES, STORE_TLB, TLB_MASK } from '../layout.ts';
import type { Emit } from './emit.ts';
import type { RegionFunction } from './function.ts';
import { isX86 } from './host.ts';
import { type Memory, mapTable, type Op, rowOf } from './operations.ts';
import type { Instruction } from './page.ts';
import { HART, TLB } from './parameters.ts';
import { atomicCodes, I32, I64, wasm } from './wasm.ts';
import type { Access, Window } from './windows.ts';

const TLB_ADDEND = 8;
const PAGE_MASK = -0x1000;

interface Transfer {
  readonly bytes: number;
  readonly code: number;
  /** For a store of a word or less, the same from 32 bits. */
  readonly narrow?: number;
  /** Whether the loaded value is always a sign-extended word. */
  readonly isWord?: boolean;
}

const LOADS = {
  [MemoryOp.LB]: { bytes: 1, code: wasm.i64Load8S, isWord: true },
  [MemoryOp.LH]: { bytes: 2, code: wasm.i64Load16S, isWord: true },
  [MemoryOp.LW]: { bytes: 4, code: wasm.i64Load32S, isWord: true },
  [MemoryOp.LD]: { bytes: 8, code: wasm.i64Load },
  [MemoryOp.LBU]: { bytes: 1, code: wasm.i64Load8U, isWord: true },
  [MemoryOp.LHU]: { bytes: 2, code: wasm.i64Load16U, isWord: true },
  [MemoryOp.LWU]: { bytes: 4, code: wasm.i64Load32U },
  [FloatMemoryOp.FLW]: { bytes: 4, code: wasm.f32Load },
  [FloatMemoryOp.FLD]: { bytes: 8, code: wasm.f64Load },
};

const STORES = {
  [MemoryOp.SB]: { bytes: 1, code: wasm.i64Store8, narrow: wasm.i32Store8 },
  [MemoryOp.SH]: { bytes: 2, code: wasm.i64Store16, narrow: wasm.i32Store16 },
  [MemoryOp.SW]: { bytes: 4, code: wasm.i64Store32, narrow: wasm.i32Store },
  [MemoryOp.SD]: { bytes: 8, code: wasm.i64Store },
  [FloatMemoryOp.FSW]: { bytes: 4, code: wasm.i64Store32 },
  [FloatMemoryOp.FSD]: { bytes: 8, code: wasm.f64Store },
};

/** The distance of the TLB from the load TLB. */
export const READING = 0;
export const WRITING = STORE_TLB;

/** The access of an LR, SC or AMO. */
export function atomicAccess(instruction: Instruction): Access {
  const { op } = instruction;
  const writes = op !== AtomicOp.LR_W && op !== AtomicOp.LR_D;
  return { instruction, bytes: op < AtomicOp.LR_D ? 4 : 8, writes };
}

/** The instruction's access to memory, if it has one. */
function accessOf(instruction: Instruction): Access | undefined {
  const { op } = instruction;
  if (isAtomic(op)) return atomicAccess(instruction);
  if (!isMemory(op)) return undefined;
  const load = rowOf(LOADS, op);
  const transfer = load ?? rowOf(STORES, op);
  return transfer && { instruction, bytes: transfer.bytes, writes: load === undefined };
}

/** The accesses of instructions to memory. */
export function accessesOf(instructions: readonly Instruction[]): Access[] {
  const accesses: Access[] = [];
  for (let n = 0; n < instructions.length; n++) {
    const access = accessOf(instructions[n] as Instruction);
    if (access) accesses.push(access);
  }
  return accesses;
}

/** Sums of a table's address and an index. */
const SUMS: ReadonlySet<Op> = new Set([IntegerOp.ADD, IntegerOp.SH1ADD, IntegerOp.SH2ADD, IntegerOp.SH3ADD]);
/** A block with this many accesses to tables is one that reads them. */
const MANY_TABLES = 4;

/**
 * Whether a block mostly reads tables, as a cipher does. If a table extends over two pages, which of them is
 * read cannot be predicted, and its accesses should not be compared with recent pages.
 */
export function readsTables(instructions: readonly Instruction[]): boolean {
  const sums = new Set<number>();
  let count = 0;
  for (const { op, rd, rs1 } of instructions) {
    if (isMemory(op) && sums.has(rs1)) count++;
    if (rd === undefined) continue;
    if (SUMS.has(op)) sums.add(rd);
    else sums.delete(rd);
  }
  return count >= MANY_TABLES;
}

function emitLoad(f: RegionFunction, instruction: Instruction, transfer: Transfer, retired: number): void {
  const { op, rd } = instruction;
  const offset = pushHostAddress(f, { instruction, bytes: transfer.bytes, writes: false }, retired);
  f.code.memory(transfer.code, offset);
  if (rd === undefined) f.code.op(wasm.drop);
  else if (op === FloatMemoryOp.FLW) f.registers.setSingle(rd);
  else if (op === FloatMemoryOp.FLD) f.registers.setDouble(rd);
  else {
    f.registers.set(rd);
    if (transfer.isWord) f.registers.noteWord(rd);
  }
}

function emitStore(f: RegionFunction, instruction: Instruction, transfer: Transfer, retired: number): void {
  const offset = pushHostAddress(f, { instruction, bytes: transfer.bytes, writes: true }, retired);
  const { op, rs2 } = instruction;
  if (transfer.narrow !== undefined && f.registers.isNarrow(rs2)) {
    f.registers.get32(rs2);
    f.code.memory(transfer.narrow, offset);
    return;
  }
  if (op === FloatMemoryOp.FSD) f.registers.getDouble(rs2);
  else f.registers.get(rs2);
  f.code.memory(transfer.code, offset);
}

/**
 * Pushes the access's address in the shared memory, without an offset, which is returned. Accesses that miss
 * the TLB are left to the interpreter, because a call here would cost all registers even if it never happens.
 */
export function pushHostAddress(f: RegionFunction, access: Access, retired: number): number {
  const { code, windows } = f;
  const { rs1, imm } = access.instruction;
  if (!windows.covers(access)) {
    f.registers.flush();
    const window = windows.wanted(access);
    const isWide = window.to - window.from > access.bytes;
    if (!isWide && f.usesRecentPage(access.instruction)) {
      pushByPage(f, access.instruction, window, retired);
      return 0;
    }
    openWindow(f, access.instruction, window, isWide, retired);
  }
  code.get(windows.base(rs1));
  return imm - windows.origin(rs1);
}

function openWindow(
  f: RegionFunction,
  instruction: Instruction,
  window: Window,
  isWide: boolean,
  retired: number,
): void {
  const { code } = f;
  const { rs1, offset } = instruction;
  const address = f.borrow(I64);
  pushAddress(f, rs1, window.from);
  code.tee(address);
  const miss = () => (isWide ? f.leaveIf(offset, retired) : f.interpretIf(offset, retired));
  pushAddend(f, window.to - window.from, window.writable ? WRITING : READING, address, miss);
  code.get(address);
  code.ops(wasm.i32WrapI64, wasm.i32Add);
  code.set(f.windows.base(rs1));
  f.release(I64, address);
  f.windows.open(instruction, window, isWide);
}

function pushAddress(f: RegionFunction, register: number, offset: number): void {
  f.registers.get(register);
  if (offset === 0) return;
  f.code.i64(offset);
  f.code.op(wasm.i64Add);
}

/**
 * The place of an instruction's recent page beside the TLB, among those of stores or of loads. Its offset is
 * negative in a page of the region below the first.
 */
export function recentPage(offset: number, writable: boolean): number {
  return (writable ? RECENT_STORES : RECENT_LOADS) + ((offset >> 1) & (RECENT_PAGES - 1)) * 16;
}

/**
 * Opens a window for accesses at one address in a loop, and pushes that address in the shared memory. The
 * instruction's recent page takes half of the instructions of a TLB look-up. It is in memory, because a local
 * would occupy a register of the host throughout the loop.
 */
function pushByPage(f: RegionFunction, instruction: Instruction, window: Window, retired: number): void {
  const { code } = f;
  const { rs1, offset } = instruction;
  const { from, to, writable } = window;
  const recent = recentPage(offset, writable);
  const address = f.borrow(I64);
  pushAddress(f, rs1, from);
  code.tee(address);
  // A misaligned address differs too, because the access could reach into the page from the preceding one.
  code.i64(PAGE_MASK | (to - from - 1));
  code.op(wasm.i64And);
  code.get(TLB);
  code.memory(wasm.i64Load, recent);
  code.op(wasm.i64Ne);
  code.ifUnlikely();
  code.get(TLB);
  code.get(address);
  pushAddend(f, to - from, writable ? WRITING : READING, address, () => f.interpretIf(offset, retired));
  code.memory(wasm.i32Store, recent + TLB_ADDEND);
  code.get(TLB);
  pushPageOf(f, address, 1);
  code.memory(wasm.i64Store, recent);
  code.end();
  code.get(address);
  code.op(wasm.i32WrapI64);
  code.get(TLB);
  code.memory(wasm.i32Load, recent + TLB_ADDEND);
  code.op(wasm.i32Add);
  code.tee(f.windows.base(rs1));
  f.release(I64, address);
  f.windows.open(instruction, window, false);
}

/** Pushes the page of the last of `bytes` at the address. */
function pushPageOf(f: RegionFunction, address: number, bytes: number): void {
  const { code } = f;
  code.get(address);
  if (bytes > 1) {
    code.i64(bytes - 1);
    code.op(wasm.i64Add);
  }
  code.i64(PAGE_MASK);
  code.op(wasm.i64And);
}

/**
 * Pushes the distance from the address to the shared memory's, unless the bytes there `miss`. The address is
 * on the stack, and in a local.
 */
export function pushAddend(
  f: RegionFunction,
  bytes: number,
  tlb: number,
  address: number,
  miss: () => void,
): void {
  const { code } = f;
  const entry = f.borrow(I32);
  f.pushTlbIndex(TLB_MASK);
  code.get(TLB);
  code.op(wasm.i32Add);
  code.tee(entry);
  code.memory(wasm.i64Load, tlb);
  pushPageOf(f, address, bytes);
  code.op(wasm.i64Ne);
  miss();
  code.get(entry);
  code.memory(wasm.i32Load, tlb + TLB_ADDEND);
  f.release(I32, entry);
}

/**
 * On x86 a locked instruction is a full fence, and 43 ns faster than V8's MFENCE. Elsewhere accesses may pass
 * a read-modify-write.
 */
function emitFence({ code }: RegionFunction): void {
  if (!isX86) {
    code.fence();
    return;
  }
  code.get(HART);
  code.i32(0);
  code.atomic(atomicCodes(I32).add, H_FENCE);
  code.op(wasm.drop);
}

/** The emitters of all loads, stores and fences. */
export const MEMORY = {
  ...mapTable(
    LOADS,
    (transfer): Emit =>
      (f, instruction, retired) =>
        emitLoad(f, instruction, transfer, retired),
  ),
  ...mapTable(
    STORES,
    (transfer): Emit =>
      (f, instruction, retired) =>
        emitStore(f, instruction, transfer, retired),
  ),
  [MemoryOp.FENCE]: emitFence,
} satisfies Record<Memory, Emit>;

/**
 * Atomics (A extension), each of which is one WebAssembly atomic on the shared memory, as in the core's
 * `atomics.ts`. The interpreter executes those that are misaligned, because they trap.
 */
import { AtomicOp } from '../assembly/riscv/opcodes.ts';
import { H_RESERVED, RESERVED_VALUE, RESERVED_WIDTH } from '../layout.ts';
import type { Emit } from './emit.ts';
import type { RegionFunction } from './function.ts';
import { atomicAccess, pushHostAddress } from './memory.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { type AtomicCode, atomicCodes, I32, I64, wasm } from './wasm.ts';

/** An atomic at the address in the shared memory in the local `at`, with its width's operations. */
type Atomic = (f: RegionFunction, instruction: Instruction, at: number, width: Width) => void;

interface Width {
  readonly type: typeof I32 | typeof I64;
  readonly bytes: 4 | 8;
  /** Those of WebAssembly. */
  readonly code: AtomicCode;
  readonly load: number;
  readonly eq: number;
  readonly ltS: number;
  readonly ltU: number;
  /** Stores what the reservation's value is compared with. */
  readonly store: number;
  pushOperand(f: RegionFunction, register: number): void;
  setResult(f: RegionFunction, register: number): void;
}

const WORD: Width = {
  type: I32,
  bytes: 4,
  code: atomicCodes(I32),
  load: wasm.i32Load,
  eq: wasm.i32Eq,
  ltS: wasm.i32LtS,
  ltU: wasm.i32LtU,
  store: wasm.i32Store,
  pushOperand: (f, register) => f.registers.get32(register),
  setResult: (f, register) => f.registers.setWord(register),
};

const DOUBLE: Width = {
  type: I64,
  bytes: 8,
  code: atomicCodes(I64),
  load: wasm.i64Load,
  eq: wasm.i64Eq,
  ltS: wasm.i64LtS,
  ltU: wasm.i64LtU,
  store: wasm.i64Store,
  pushOperand: (f, register) => f.registers.get(register),
  setResult: (f, register) => f.registers.set(register),
};

/** Writes the value of the width's type on the stack to the destination register. */
function setResult(f: RegionFunction, { rd }: Instruction, width: Width): void {
  if (rd === undefined) f.code.op(wasm.drop);
  else width.setResult(f, rd);
}

function loadReserved(f: RegionFunction, instruction: Instruction, at: number, width: Width): void {
  const { code } = f;
  const value = f.borrow(width.type);
  code.get(at);
  code.atomic(width.code.load);
  code.set(value);
  code.get(HART);
  code.get(at);
  code.memory(wasm.i32Store, H_RESERVED);
  code.get(HART);
  code.i32(width.bytes);
  code.memory(wasm.i32Store, RESERVED_WIDTH);
  code.get(HART);
  code.get(value);
  code.memory(width.store, RESERVED_VALUE);
  code.get(value);
  f.release(width.type, value);
  setResult(f, instruction, width);
}

/** Stores if memory still holds the value that LR has loaded there. The result is 0 then, otherwise 1. */
function storeConditional(f: RegionFunction, instruction: Instruction, at: number, width: Width): void {
  const { code } = f;
  code.get(HART);
  code.memory(wasm.i32Load, H_RESERVED);
  code.get(at);
  code.op(wasm.i32Eq);
  code.get(HART);
  code.memory(wasm.i32Load, RESERVED_WIDTH);
  code.i32(width.bytes);
  code.ops(wasm.i32Eq, wasm.i32And);
  code.if(I32);
  code.get(at);
  code.get(HART);
  code.memory(width.load, RESERVED_VALUE);
  width.pushOperand(f, instruction.rs2);
  code.atomic(width.code.compareExchange);
  code.get(HART);
  code.memory(width.load, RESERVED_VALUE);
  code.ops(width.eq, wasm.i32Eqz);
  code.else();
  code.i32(1);
  code.end();
  code.get(HART);
  code.i32(0);
  code.memory(wasm.i32Store, H_RESERVED);
  setResult(f, instruction, WORD);
}

/** A read-modify-write of WebAssembly. */
const modify =
  (name: keyof AtomicCode): Atomic =>
  (f, instruction, at, width) => {
    f.code.get(at);
    width.pushOperand(f, instruction.rs2);
    f.code.atomic(width.code[name]);
    setResult(f, instruction, width);
  };

/** Stores the operand if it comes first by the comparison, or otherwise last. */
const choose =
  (comparison: 'ltS' | 'ltU', first: boolean): Atomic =>
  (f, instruction, at, width) => {
    const { code } = f;
    const [old, operand] = [f.borrow(width.type), f.borrow(width.type)];
    width.pushOperand(f, instruction.rs2);
    code.set(operand);
    const retry = code.loop();
    code.get(at);
    code.get(at);
    code.atomic(width.code.load);
    code.tee(old);
    code.get(old);
    code.get(operand);
    const [a, b] = first ? [old, operand] : [operand, old];
    code.get(a);
    code.get(b);
    code.ops(width[comparison], wasm.select);
    code.atomic(width.code.compareExchange);
    code.get(old);
    code.ops(width.eq, wasm.i32Eqz);
    code.brIf(retry);
    code.end();
    code.get(old);
    f.release(width.type, old, operand);
    setResult(f, instruction, width);
  };

/** In the order of AtomicOp. */
const ATOMICS: readonly Atomic[] = [
  loadReserved,
  storeConditional,
  modify('exchange'),
  modify('add'),
  modify('xor'),
  modify('and'),
  modify('or'),
  choose('ltS', true),
  choose('ltS', false),
  choose('ltU', true),
  choose('ltU', false),
];

/** Emits an LR, SC or AMO. */
export const emitAtomic: Emit = (f, instruction, retired) => {
  const { code } = f;
  const isDouble = instruction.op >= AtomicOp.LR_D;
  const width = isDouble ? DOUBLE : WORD;
  f.registers.flush();
  const offset = pushHostAddress(f, atomicAccess(instruction), retired);
  const at = f.borrow(I32);
  if (offset !== 0) {
    code.i32(offset);
    code.op(wasm.i32Add);
  }
  code.tee(at);
  code.i32(width.bytes - 1);
  code.op(wasm.i32And);
  f.interpretIf(instruction.offset, retired);
  const atomic = ATOMICS[instruction.op - (isDouble ? AtomicOp.LR_D : AtomicOp.LR_W)] as Atomic;
  atomic(f, instruction, at, width);
  f.release(I32, at);
};

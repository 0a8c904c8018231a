/** The common parts of vector instructions: checks of the length, active elements, operands, results. */
import { H_V } from '../layout.ts';
import type { RegionFunction } from './function.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { comparison, comparisons, lanes, onLanes, simd } from './simd.ts';
import type { VectorInstruction, VectorType } from './vector-type.ts';
import type { VectorUnit } from './vector-unit.ts';
import { type Code, I32, I64, type Label, V128, wasm } from './wasm.ts';

/** How an instruction is compiled. */
export interface Plan {
  /** The number of registers from vd on that it writes. */
  readonly writes: number;
  /** Whether it leaves a value of 64 bits for rd on the stack. */
  readonly hasResult?: boolean;
  /** Writes the instruction, with a branch where the core has to execute it. */
  emit(context: VectorContext): void;
}

/** Registers of a group of 2^`groups`. */
export function groupLength(groups: number): number {
  return groups <= 0 ? 1 : 1 << groups;
}

export function isAligned(register: number, groups: number): boolean {
  return register % groupLength(groups) === 0;
}

/** Whether two groups have no register in common. */
export function areDisjoint(a: number, aGroups: number, b: number, bGroups: number): boolean {
  return a + groupLength(aGroups) <= b || b + groupLength(bGroups) <= a;
}

const SPLATS = [simd.splat8, simd.splat16, simd.splat32, simd.splat64] as const;
const BYTES = Array.from({ length: 16 }, (_, n) => n);
/** Selects byte 0 eight times, then byte 1. */
const TWO_BYTES = BYTES.map((n) => n >> 3);

export class VectorContext {
  readonly f: RegionFunction;
  readonly code: Code;
  readonly unit: VectorUnit;
  readonly instruction: Instruction;
  readonly fields: VectorInstruction;
  readonly type: VectorType;
  readonly #slow: Label;
  #usesCore = false;
  /** Whether elements from the length on must be kept in registers of one element or more. */
  #hasTail = false;

  constructor(
    f: RegionFunction,
    instruction: Instruction,
    fields: VectorInstruction,
    type: VectorType,
    slow: Label,
  ) {
    this.f = f;
    this.code = f.code;
    this.unit = f.vectors;
    this.instruction = instruction;
    this.fields = fields;
    this.type = type;
    this.#slow = slow;
  }

  get usesCore(): boolean {
    return this.#usesCore;
  }

  /** The core executes the instruction if the condition on the stack holds. */
  leaveIf(): void {
    this.#usesCore = true;
    this.code.brIfUnlikely(this.#slow);
  }

  /** Requires that the length is known. */
  requireLength(): void {
    if (this.unit.isCertain) return;
    this.code.get(this.unit.length);
    this.code.i32(0);
    this.code.op(wasm.i32LtS);
    this.leaveIf();
  }

  requireLongest(): void {
    if (this.unit.isLongest) return;
    this.code.get(this.unit.length);
    this.code.i32(this.type.longest);
    this.code.op(wasm.i32Ne);
    this.leaveIf();
  }

  /** Prepares for results in a group of 2^`groups`: of several registers all elements must be written. */
  begin(groups: number): void {
    if (groups > 0 || (groups === 0 && this.unit.isLongest)) this.requireLongest();
    else {
      this.requireLength();
      this.#hasTail = true;
    }
  }

  /** Whether all elements are active. */
  get allActive(): boolean {
    return this.fields.unmasked && !this.#hasTail;
  }

  /** Pushes the length in bytes. */
  pushBytes(size: number): void {
    this.code.get(this.unit.length);
    if (size === 0) return;
    this.code.i32(size);
    this.code.op(wasm.i32Shl);
  }

  /** Pushes ones in the active elements of register `k` of a group. Some may be inactive. */
  pushActive(k: number, size: number): void {
    if (this.#hasTail) {
      this.pushBytes(size);
      this.pushBelow();
    }
    if (this.fields.unmasked) return;
    this.pushMask(k, size);
    if (this.#hasTail) this.code.simd(simd.and);
  }

  /** Pushes ones in the first bytes, whose number is on the stack. */
  pushBelow(): void {
    const count = this.f.borrow(I32);
    this.code.set(count);
    this.constant(BYTES);
    this.code.get(count);
    this.code.simd(simd.splat8, simd.ltS8);
    this.f.release(I32, count);
  }

  /** Pushes ones in the elements of register `k` whose bits in v0 are set. */
  pushMask(k: number, size: number): void {
    const { code } = this;
    const first = (k << (4 - size)) & 7;
    code.get(HART);
    code.memory(size === 0 ? wasm.i32Load16U : wasm.i32Load8U, H_V + ((k << (4 - size)) >> 3));
    if (size === 0) {
      code.simd(simd.splat16);
      const bytes = this.f.borrow(V128);
      code.set(bytes);
      code.get(bytes);
      code.get(bytes);
      code.simdBytes(simd.shuffle, TWO_BYTES);
      this.f.release(V128, bytes);
    } else code.simd(simd.splat8);
    const bits = BYTES.map((n) => {
      const bit = (first + (n >> size)) & 7;
      return n % (1 << size) === 0 ? 1 << bit : 0;
    });
    this.constant(bits);
    code.simd(simd.and);
    this.constant(bits);
    code.simd(comparison(comparisons.eq, size));
  }

  constant(bytes: readonly number[]): void {
    this.code.simdBytes(simd.constant, bytes);
  }

  /** Pushes a vector of copies of a number below 128. */
  splat(value: number, size: number): void {
    if (size === 3) this.code.i64(value);
    else this.code.i32(value);
    this.code.simd(SPLATS[size] as number);
  }

  /** Pushes a vector of copies of the integer register rs1. */
  splatRegister(size: number): void {
    const { registers } = this.f;
    if (size === 3) registers.get(this.instruction.rs1);
    else registers.get32(this.instruction.rs1);
    this.code.simd(SPLATS[size] as number);
  }

  /** Writes the vector on the stack to the active elements of register `k` of the group at vd. */
  set(k: number, size: number): void {
    const register = this.fields.vd + k;
    if (!this.allActive) {
      this.unit.get(register);
      this.pushActive(k, size);
      this.code.simd(simd.bitselect);
    }
    this.unit.set(register);
  }

  /** The same of elements that a mask does not make inactive. */
  setUnmasked(register: number, size: number): void {
    if (this.#hasTail) {
      this.unit.get(register);
      this.pushBytes(size);
      this.pushBelow();
      this.code.simd(simd.bitselect);
    }
    this.unit.set(register);
  }

  /** Joins the bits of the lanes of register `k`, on the stack, to those of the registers before it. */
  joinBits(k: number, size: number): void {
    this.code.simd(onLanes(lanes.bitmask, size));
    this.code.op(wasm.i64ExtendI32U);
    if (k === 0) return;
    this.code.i64(k << (4 - size));
    this.code.ops(wasm.i64Shl, wasm.i64Or);
  }

  /** Pushes a 1 for each active element, as there are in masks. VLMAX is at most 64. */
  pushBits(): void {
    const { code, type, unit } = this;
    if (type.longest === 64) {
      code.i64(-1);
      this.#pushLowBits();
      code.get(unit.length);
      code.i32(64);
      code.ops(wasm.i32Eq, wasm.select);
    } else this.#pushLowBits();
    if (this.fields.unmasked) return;
    code.get(HART);
    code.memory(wasm.i64Load, H_V);
    code.op(wasm.i64And);
  }

  #pushLowBits(): void {
    this.code.i64(-1);
    this.code.i64(-1);
    this.code.get(this.unit.length);
    this.code.ops(wasm.i64ExtendI32U, wasm.i64Shl, wasm.i64Xor);
  }

  /** Writes the active ones of the mask bits on the stack to vd. */
  setBits(): void {
    const { code, fields } = this;
    const address = H_V + 16 * fields.vd;
    const bits = this.f.borrow(I64);
    code.set(bits);
    code.get(HART);
    code.get(HART);
    code.memory(wasm.i64Load, address);
    code.get(HART);
    code.memory(wasm.i64Load, address);
    code.get(bits);
    code.op(wasm.i64Xor);
    this.pushBits();
    code.ops(wasm.i64And, wasm.i64Xor);
    code.memory(wasm.i64Store, address);
    this.f.release(I64, bits);
    this.unit.forget(fields.vd, 1);
  }
}

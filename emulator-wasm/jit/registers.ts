/** The guest's registers in a function's locals. */
import { H_F, H_X } from '../layout.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { type Code, F32, F64, I32, I64, wasm } from './wasm.ts';

/** Registers that only locals hold in a loop, and whether they are written there. */
export type KeptRegisters = ReadonlyMap<number, boolean>;

const NONE: KeptRegisters = new Map();

/** NaN boxing of a single in a register of 64 bits. */
export const BOX = 0xffff_ffff_0000_0000n;

/** A register's number in RegisterSet's words and in arrays: floating-point registers follow the others. */
const REGISTERS = 65;
const numberOf = (register: number) => register >> 3;

/** A set of registers. */
export class RegisterSet {
  #integers = 0;
  #floats = 0;

  has(register: number): boolean {
    // Shifts use the number modulo 32.
    return ((isFloatRegister(register) ? this.#floats : this.#integers) & (1 << numberOf(register))) !== 0;
  }

  add(register: number): void {
    if (isFloatRegister(register)) this.#floats |= 1 << numberOf(register);
    else this.#integers |= 1 << numberOf(register);
  }

  delete(register: number): void {
    if (isFloatRegister(register)) this.#floats &= ~(1 << numberOf(register));
    else this.#integers &= ~(1 << numberOf(register));
  }

  clear(): void {
    this.#integers = 0;
    this.#floats = 0;
  }

  copy(): RegisterSet {
    const copy = new RegisterSet();
    copy.#integers = this.#integers;
    copy.#floats = this.#floats;
    return copy;
  }

  /** Removes those that the other set has not. */
  intersect(other: RegisterSet): void {
    this.#integers &= other.#integers;
    this.#floats &= other.#floats;
  }
}

/**
 * Registers are identified by their offset in the hart's block, as in micro-ops. In loops, only locals hold
 * the most used registers. Everywhere else, written registers are stored to memory before the region can be
 * left, and locals hold registers that were read or written before, so that neither entering nor leaving
 * costs anything.
 */
export class Registers {
  readonly #code: Code;
  readonly #locals = new Map<number, number>();
  /** Those that the block's loop keeps. */
  #kept = NONE;
  /** The registers in locals. */
  #known = new RegisterSet();
  /** Those of them that are not in memory yet. */
  readonly #dirty: number[] = [];
  /** Those whose value is a sign-extended word or a boxed single. */
  #words = new RegisterSet();
  /** Those of them with 32 bits in a local of their own, while the local of 64 bits is out of date. */
  readonly #narrow = new Set<number>();
  readonly #wordLocals = new Map<number, number>();
  /** Those whose low 32 bits are in a local as a single. */
  readonly #singles = new RegisterSet();
  /** The number of reads of each register in the rest of the block. */
  readonly #reads = new Int32Array(REGISTERS);

  constructor(code: Code) {
    this.#code = code;
  }

  /**
   * @param kept the registers that the block's loop keeps, if it is in one
   * @param known the registers in locals at its beginning
   * @param words those whose value is a sign-extended word or a boxed single
   */
  beginBlock(
    instructions: readonly Instruction[],
    kept = NONE,
    known = new RegisterSet(),
    words = new RegisterSet(),
  ): void {
    this.#kept = kept;
    this.#known = known.copy();
    this.#words = words.copy();
    this.#singles.clear();
    this.#reads.fill(0);
    for (let n = 0; n < instructions.length; n++) {
      const { rs1, rs2 } = instructions[n] as Instruction;
      this.#countRead(rs1, 1);
      this.#countRead(rs2, 1);
    }
  }

  /** Returns the number of reads that are left then. */
  #countRead(register: number, more: number): number {
    const number = numberOf(register);
    const reads = (this.#reads[number] as number) + more;
    this.#reads[number] = reads;
    return reads;
  }

  /** Called before each instruction: loads registers that are read again later to locals. */
  prepare({ rs1, rs2 }: Instruction): void {
    if (this.#countRead(rs1, -1) > 0) this.#know(rs1);
    if (this.#countRead(rs2, -1) > 0) this.#know(rs2);
  }

  /** The registers that are in locals now, even when a loop is left. */
  get known(): RegisterSet {
    if (this.#kept === NONE) return this.#known;
    const known = this.#known.copy();
    for (const register of this.#kept.keys()) known.add(register);
    return known;
  }

  /** The registers whose value is a sign-extended word or a boxed single now. */
  get words(): RegisterSet {
    return this.#words;
  }

  isWord(register: number): boolean {
    return register === H_X || this.#words.has(register);
  }

  /** Whether the register has only a word, so that 64 bits of it cost a sign extension. */
  isNarrow(register: number): boolean {
    return this.#narrow.has(register);
  }

  #inLocal(register: number): boolean {
    return this.#kept.has(register) || this.#known.has(register);
  }

  #know(register: number): void {
    if (register === H_X || this.#inLocal(register)) return;
    this.#load(register);
    this.#known.add(register);
  }

  #load(register: number): void {
    this.#code.get(HART);
    this.#code.memory(isFloatRegister(register) ? wasm.f64Load : wasm.i64Load, register);
    this.#code.set(this.#local(register));
  }

  #store(register: number): void {
    this.#code.get(HART);
    this.#code.get(this.#local(register));
    this.#code.memory(isFloatRegister(register) ? wasm.f64Store : wasm.i64Store, register);
  }

  #local(register: number): number {
    const known = this.#locals.get(register);
    if (known !== undefined) return known;
    const local = this.#code.local(isFloatRegister(register) ? F64 : I64);
    this.#locals.set(register, local);
    return local;
  }

  /** Pushes a register's bits. */
  get(register: number): void {
    this.widen(register);
    if (this.#inLocal(register)) {
      this.#code.get(this.#local(register));
      if (isFloatRegister(register)) this.#code.op(wasm.i64ReinterpretF64);
    } else if (register === H_X) this.#code.i64(0);
    else {
      this.#code.get(HART);
      this.#code.memory(wasm.i64Load, register);
    }
  }

  /** Pushes a floating-point register as a double. */
  getDouble(register: number): void {
    this.widen(register);
    if (this.#inLocal(register)) this.#code.get(this.#local(register));
    else {
      this.#code.get(HART);
      this.#code.memory(wasm.f64Load, register);
    }
  }

  /** Writes the bits on the stack to a register. */
  set(register: number): void {
    if (isFloatRegister(register)) this.#code.op(wasm.f64ReinterpretI64);
    this.#write(register);
  }

  /** Writes the double on the stack to a floating-point register. */
  setDouble(register: number): void {
    this.#write(register);
  }

  /** Writes the sign extension of the word on the stack to a register. */
  setWord(register: number): void {
    this.#code.set(this.#wordLocal(register));
    this.#noteWrite(register);
    this.#words.add(register);
    this.#narrow.add(register);
  }

  /** Pushes the single in a floating-point register, which must be boxed. */
  getSingle(register: number): void {
    const local = this.#wordLocal(register);
    if (this.#singles.has(register)) {
      this.#code.get(local);
      return;
    }
    this.get(register);
    this.#code.ops(wasm.i32WrapI64, wasm.f32ReinterpretI32);
    this.#code.tee(local);
    this.#singles.add(register);
  }

  /** Boxes the single on the stack in a floating-point register. */
  setSingle(register: number): void {
    this.#code.set(this.#wordLocal(register));
    this.#noteWrite(register);
    this.#words.add(register);
    this.#narrow.add(register);
    this.#singles.add(register);
  }

  /** Notes that the register's value is a sign-extended word or a boxed single. */
  noteWord(register: number): void {
    this.#words.add(register);
  }

  #wordLocal(register: number): number {
    const known = this.#wordLocals.get(register);
    if (known !== undefined) return known;
    const local = this.#code.local(isFloatRegister(register) ? F32 : I32);
    this.#wordLocals.set(register, local);
    return local;
  }

  /**
   * Brings the register's local of 64 bits up to date. To be called before code that reads the register on
   * some ways only.
   */
  widen(register: number): void {
    if (!this.#narrow.delete(register)) return;
    this.#code.get(this.#wordLocal(register));
    if (isFloatRegister(register)) {
      this.#code.ops(wasm.i32ReinterpretF32, wasm.i64ExtendI32U);
      this.#code.i64Bits(BOX);
      this.#code.ops(wasm.i64Or, wasm.f64ReinterpretI64);
    } else this.#code.op(wasm.i64ExtendI32S);
    this.#code.set(this.#local(register));
  }

  #write(register: number): void {
    this.#code.set(this.#local(register));
    this.#noteWrite(register);
    this.#words.delete(register);
    this.#narrow.delete(register);
  }

  #noteWrite(register: number): void {
    this.#singles.delete(register);
    if (this.#kept.has(register)) return;
    this.#known.add(register);
    if (!this.#dirty.includes(register)) this.#dirty.push(register);
  }

  /** Called before a place where the region may be left, and at the end of the block. */
  flush(): void {
    if (this.#narrow.size > 0) for (const register of this.#narrow) this.widen(register);
    for (let n = 0; n < this.#dirty.length; n++) this.#store(this.#dirty[n] as number);
    this.#dirty.length = 0;
  }

  /**
   * Stores a register that the block's loop keeps, for code that reads it from memory. To be called after
   * `flush`.
   */
  storeKept(register: number): void {
    if (this.#kept.get(register)) this.#store(register);
  }

  /** Called where everything in locals becomes unknown. */
  forget(): void {
    this.#known.clear();
    this.#words.clear();
    this.#singles.clear();
  }

  /** Pushes the low word of a register. */
  get32(register: number): void {
    if (this.#narrow.has(register)) {
      this.#code.get(this.#wordLocal(register));
      if (isFloatRegister(register)) this.#code.op(wasm.i32ReinterpretF32);
      return;
    }
    this.get(register);
    this.#code.op(wasm.i32WrapI64);
  }

  /** Loads the registers that a loop keeps, except those that are in locals already. */
  enterLoop(kept: KeptRegisters): void {
    for (const register of kept.keys()) if (!this.#inLocal(register)) this.#load(register);
  }

  /** Stores the registers that a loop keeps and writes. */
  leaveLoop(kept: KeptRegisters): void {
    for (const [register, written] of kept) if (written) this.#store(register);
  }
}

function isFloatRegister(register: number): boolean {
  return register >= H_F;
}

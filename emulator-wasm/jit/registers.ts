/** The guest's registers in a function's locals. */
import { H_F, H_X } from '../layout.ts';
import type { Instruction } from './page.ts';
import { HART } from './parameters.ts';
import { type Code, F64, I64, wasm } from './wasm.ts';

/**
 * Registers are identified by their offset in the hart's block, as in micro-ops. In loops, only locals hold
 * the most used registers. Everywhere else, written registers are stored to memory before the region can be
 * left, and locals hold registers that were read or written before, so that neither entering nor leaving
 * costs anything.
 */
export class Registers {
  readonly #code: Code;
  readonly #locals = new Map<number, number>();
  readonly #kept: ReadonlyMap<number, boolean>;
  #keeps = false;
  /** The registers in locals. */
  #known = new Set<number>();
  /** Those of them that are not in memory yet. */
  readonly #dirty = new Set<number>();
  /** The number of reads of each register in the rest of the block. */
  readonly #reads = new Map<number, number>();

  /** @param kept registers that only locals hold in loops, and whether they are written there */
  constructor(code: Code, kept: ReadonlyMap<number, boolean>) {
    this.#code = code;
    this.#kept = kept;
  }

  /**
   * @param keeps whether the block is in a loop
   * @param known the registers in locals at its beginning
   */
  beginBlock(instructions: readonly Instruction[], keeps: boolean, known: Iterable<number>): void {
    this.#keeps = keeps;
    this.#known = new Set(known);
    this.#reads.clear();
    for (const { rs1, rs2 } of instructions) for (const register of [rs1, rs2]) this.#count(register, 1);
  }

  #count(register: number, more: number): number {
    const reads = (this.#reads.get(register) ?? 0) + more;
    this.#reads.set(register, reads);
    return reads;
  }

  /** Called before each instruction: loads registers that are read again later to locals. */
  prepare({ rs1, rs2 }: Instruction): void {
    for (const register of [rs1, rs2]) if (this.#count(register, -1) > 0) this.#know(register);
  }

  /** The registers that are in locals now, even when a loop is left. */
  get known(): ReadonlySet<number> {
    return this.#keeps ? new Set([...this.#known, ...this.#kept.keys()]) : this.#known;
  }

  #inLocal(register: number): boolean {
    return (this.#keeps && this.#kept.has(register)) || this.#known.has(register);
  }

  #know(register: number): void {
    if (register === H_X || this.#inLocal(register)) return;
    this.#load(this.#code, register);
    this.#known.add(register);
  }

  #load(code: Code, register: number): void {
    code.get(HART);
    code.memory(isFloatRegister(register) ? wasm.f64Load : wasm.i64Load, register);
    code.set(this.#local(register));
  }

  #store(code: Code, register: number): void {
    code.get(HART);
    code.get(this.#local(register));
    code.memory(isFloatRegister(register) ? wasm.f64Store : wasm.i64Store, register);
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
    if (this.#inLocal(register)) this.#code.get(this.#local(register));
    else {
      this.#code.get(HART);
      this.#code.memory(wasm.f64Load, register);
    }
  }

  /** Writes a register; `push` pushes its bits. */
  set(register: number, push: () => void): void {
    this.#write(register, () => {
      push();
      if (isFloatRegister(register)) this.#code.op(wasm.f64ReinterpretI64);
    });
  }

  /** Writes a floating-point register; `push` pushes a double. */
  setDouble(register: number, push: () => void): void {
    this.#write(register, push);
  }

  #write(register: number, push: () => void): void {
    push();
    this.#code.set(this.#local(register));
    if (this.#keeps && this.#kept.has(register)) return;
    this.#known.add(register);
    this.#dirty.add(register);
  }

  /** Called before a place where the region may be left, and at the end of the block. */
  flush(): void {
    for (const register of this.#dirty) this.#store(this.#code, register);
    this.#dirty.clear();
  }

  /** Called where everything in locals becomes unknown. */
  forget(): void {
    this.#known.clear();
  }

  /** Pushes the low word of a register. */
  get32(register: number): void {
    this.get(register);
    this.#code.op(wasm.i32WrapI64);
  }

  /** Writes code that loads the registers that loops keep, except those that are in locals already. */
  enterLoop(code: Code, known: ReadonlySet<number> = this.#known): void {
    for (const register of this.#kept.keys()) if (!known.has(register)) this.#load(code, register);
  }

  /** Writes code that stores the registers that loops write. */
  leaveLoop(code: Code): void {
    for (const [register, written] of this.#kept) if (written) this.#store(code, register);
  }
}

function isFloatRegister(register: number): boolean {
  return register >= H_F;
}

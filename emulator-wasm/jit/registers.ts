/** The guest's registers in a function's locals. */
import { H_F, H_X } from '../layout.ts';
import { HART } from './parameters.ts';
import { type Code, F64, I64, wasm } from './wasm.ts';

/**
 * Registers are named by their offset in the hart's block, as in micro-ops. The most used are kept in locals;
 * the others stay where they are, for each local makes every exit longer and the compilation much slower.
 */
export class Registers {
  readonly #code: Code;
  readonly #locals = new Map<number, number>();
  readonly #written = new Set<number>();

  /** @param kept registers to be kept in locals: those of floating point as doubles */
  constructor(code: Code, kept: Iterable<number>) {
    this.#code = code;
    for (const register of kept)
      this.#locals.set(register, code.local(isFloatRegister(register) ? F64 : I64));
  }

  /** Pushes a register's bits. */
  get(register: number): void {
    const local = this.#locals.get(register);
    if (local !== undefined) {
      this.#code.get(local);
      if (isFloatRegister(register)) this.#code.op(wasm.i64ReinterpretF64);
    } else if (register === H_X) this.#code.i64(0);
    else {
      this.#code.get(HART);
      this.#code.memory(wasm.i64Load, register);
    }
  }

  /** Pushes a floating-point register as a double. */
  getDouble(register: number): void {
    const local = this.#locals.get(register);
    if (local !== undefined) this.#code.get(local);
    else {
      this.#code.get(HART);
      this.#code.memory(wasm.f64Load, register);
    }
  }

  /** Writes a register; `push` pushes its bits. */
  set(register: number, push: () => void): void {
    if (!this.#locals.has(register)) {
      this.#code.get(HART);
      push();
      this.#code.memory(wasm.i64Store, register);
      return;
    }
    push();
    if (isFloatRegister(register)) this.#code.op(wasm.f64ReinterpretI64);
    this.#keep(register);
  }

  /** Writes a floating-point register; `push` pushes a double. */
  setDouble(register: number, push: () => void): void {
    if (this.#locals.has(register)) {
      push();
      this.#keep(register);
    } else {
      this.#code.get(HART);
      push();
      this.#code.memory(wasm.f64Store, register);
    }
  }

  #keep(register: number): void {
    this.#written.add(register);
    this.#code.set(this.#locals.get(register) as number);
  }

  /** Pushes the low word of a register. */
  get32(register: number): void {
    this.get(register);
    this.#code.op(wasm.i32WrapI64);
  }

  /** Code that loads the locals. */
  loadAll(code: Code): void {
    for (const [register, local] of this.#locals) {
      code.get(HART);
      code.memory(isFloatRegister(register) ? wasm.f64Load : wasm.i64Load, register);
      code.set(local);
    }
  }

  /** Code that stores what was written. */
  storeAll(code: Code): void {
    for (const register of this.#written) {
      code.get(HART);
      code.get(this.#locals.get(register) as number);
      code.memory(isFloatRegister(register) ? wasm.f64Store : wasm.i64Store, register);
    }
  }
}

function isFloatRegister(register: number): boolean {
  return register >= H_F;
}

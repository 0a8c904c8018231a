/** The guest's registers in a function's locals. */
import { H_X } from '../layout.ts';
import { HART } from './parameters.ts';
import { type Code, I64, wasm } from './wasm.ts';

/**
 * Registers are named by their offset in the hart's block, as in micro-ops. The most used are kept in locals;
 * the others stay where they are, for each local makes every exit longer and the compilation much slower.
 */
export class Registers {
  readonly #code: Code;
  readonly #locals = new Map<number, number>();
  readonly #written = new Set<number>();

  /** @param kept registers to be kept in locals */
  constructor(code: Code, kept: Iterable<number>) {
    this.#code = code;
    for (const register of kept) this.#locals.set(register, code.local(I64));
  }

  /** Pushes a register. */
  get(register: number): void {
    const local = this.#locals.get(register);
    if (local !== undefined) this.#code.get(local);
    else if (register === H_X) this.#code.i64(0);
    else {
      this.#code.get(HART);
      this.#code.memory(wasm.i64Load, register);
    }
  }

  /** Writes a register; `push` pushes its value. */
  set(register: number, push: () => void): void {
    const local = this.#locals.get(register);
    if (local === undefined) this.#code.get(HART);
    push();
    if (local === undefined) {
      this.#code.memory(wasm.i64Store, register);
      return;
    }
    this.#written.add(register);
    this.#code.set(local);
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
      code.memory(wasm.i64Load, register);
      code.set(local);
    }
  }

  /** Code that stores what was written. */
  storeAll(code: Code): void {
    for (const register of this.#written) {
      code.get(HART);
      code.get(this.#locals.get(register) as number);
      code.memory(wasm.i64Store, register);
    }
  }
}

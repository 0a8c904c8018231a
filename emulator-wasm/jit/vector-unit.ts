/**
 * The vector unit in a region. Its registers stay in the hart's block. A local has the vector length, or -1
 * if the core has to execute the vector instructions: the unit is off or not dirty yet, vstart is not 0, or
 * vtype is not the expected one.
 */
import { H_MSTATUS, H_V, H_VL, H_VSTART, H_VTYPE } from '../layout.ts';
import { HART } from './parameters.ts';
import { simd } from './simd.ts';
import type { VectorType } from './vector-type.ts';
import { type Code, I32, V128, wasm } from './wasm.ts';

/** mstatus.VS, which is Dirty with both bits. */
const VS = 3 << 9;

export class VectorUnit {
  readonly #code: Code;
  #length: number | undefined;
  #type: VectorType | undefined;
  /** Whether the local with the length is set. */
  #isLoaded = false;
  /** Whether it is certainly not -1, because the block has set it. */
  #isCertain = false;
  /** Whether it is certainly VLMAX. */
  #isLongest = false;
  readonly #locals = new Map<number, number>();
  /** The registers that are in locals as well. */
  readonly #known = new Set<number>();

  constructor(code: Code) {
    this.#code = code;
  }

  /** @param type the vtype that is expected at its beginning */
  beginBlock(type: VectorType | undefined): void {
    this.#type = type;
    this.#isLoaded = false;
    this.#isCertain = false;
    this.#isLongest = false;
    this.#known.clear();
  }

  /** The vtype, unless the length is -1. */
  get type(): VectorType | undefined {
    return this.#type;
  }

  get isCertain(): boolean {
    return this.#isCertain;
  }

  get isLongest(): boolean {
    return this.#isLongest;
  }

  /** The local with the length. */
  get length(): number {
    this.#length ??= this.#code.local(I32);
    return this.#length;
  }

  /** Called when an instruction has set vtype, and the length if the type is known. */
  setType(type: VectorType | undefined, isLongest: boolean): void {
    this.#type = type;
    this.#isLoaded = true;
    this.#isCertain = true;
    this.#isLongest = isLongest;
  }

  /** Pushes whether vectors are off. */
  pushOff(): void {
    this.#code.get(HART);
    this.#code.memory(wasm.i32Load, H_MSTATUS);
    this.#code.i32(VS);
    this.#code.ops(wasm.i32And, wasm.i32Eqz);
  }

  /** Pushes whether vectors are on and dirty, and no vstart waits. */
  pushReady(): void {
    const code = this.#code;
    code.get(HART);
    code.memory(wasm.i32Load, H_MSTATUS);
    code.i32(VS);
    code.op(wasm.i32And);
    code.i32(VS);
    code.op(wasm.i32Eq);
    code.get(HART);
    code.memory(wasm.i32Load, H_VSTART);
    code.ops(wasm.i32Eqz, wasm.i32And);
  }

  /** Sets the length, if it is not set already. */
  load({ bits }: VectorType): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    const code = this.#code;
    this.pushLength();
    code.i32(-1);
    this.pushReady();
    code.get(HART);
    code.memory(wasm.i64Load, H_VTYPE);
    code.i64(bits);
    code.ops(wasm.i64Eq, wasm.i32And, wasm.select);
    code.set(this.length);
  }

  /** The core may have set vl. */
  reloadLength(): void {
    this.#isLongest = false;
    if (!this.#isLoaded || !this.#type) return;
    const code = this.#code;
    code.get(this.length);
    code.i32(0);
    code.op(wasm.i32GeS);
    code.if();
    this.pushLength();
    code.set(this.length);
    code.end();
  }

  /** Pushes vl. */
  pushLength(): void {
    this.#code.get(HART);
    this.#code.memory(wasm.i32Load, H_VL);
  }

  /** Pushes a register. */
  get(register: number): void {
    if (this.#known.has(register)) this.#code.get(this.#local(register));
    else {
      this.#code.get(HART);
      this.#code.simdMemory(simd.load, addressOf(register));
    }
  }

  /** Writes the vector on the stack to a register. */
  set(register: number): void {
    const local = this.#local(register);
    this.#code.set(local);
    this.#code.get(HART);
    this.#code.get(local);
    this.#code.simdMemory(simd.store, addressOf(register));
  }

  /** The core has written `count` registers, which locals have on another way. */
  reload(first: number, count: number): void {
    for (let register = first; register < first + count; register++) {
      this.#code.get(HART);
      this.#code.simdMemory(simd.load, addressOf(register));
      this.#code.set(this.#local(register));
    }
    this.note(first, count);
  }

  /** Locals have `count` registers. */
  note(first: number, count: number): void {
    for (let register = first; register < first + count; register++) this.#known.add(register);
  }

  /** The core has written up to `count` registers. */
  forget(first: number, count: number): void {
    for (let register = first; register < first + count; register++) this.#known.delete(register);
  }

  #local(register: number): number {
    const known = this.#locals.get(register);
    if (known !== undefined) return known;
    const local = this.#code.local(V128);
    this.#locals.set(register, local);
    return local;
  }
}

/** Where the hart's block has a register. */
export function addressOf(register: number): number {
  return H_V + 16 * register;
}

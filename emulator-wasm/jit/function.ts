/**
 * The function of a region while it is written: the state that the translation of all instructions shares.
 */

import { H_JUMPS, H_PC, PAGE_TLB, PAGE_TLB_MASK, RECORD_HASH } from '../layout.ts';
import { DISPATCH, hasTailCalls } from './dispatch.ts';
import { type Import, importIndex } from './imports.ts';
import { type Instruction, PAGE_SIZE, pageNumber } from './page.ts';
import { BUDGET, FRAMES_SHIFT, HART, LEFT, PAGE, REGION_SIGNATURE, SELECTOR, TLB } from './parameters.ts';
import { type KeptRegisters, Registers } from './registers.ts';
import { VectorUnit } from './vector-unit.ts';
import { Code, type FunctionBody, I32, I64, type Label, type ValueType, wasm } from './wasm.ts';
import { Windows } from './windows.ts';

/**
 * The fields of an exit: the offset in the page, in bit 0 whether to interpret, and above the retired
 * instructions.
 */
const RETIRED_SHIFT = 16;
/** In a region of several pages, the bits above the offset are the page's place among them. */
const PLACE_SHIFT = 13;
const PLACE_MASK = 7;
const OFFSET_MASK = (1 << PLACE_SHIFT) - 1;

/** The labels to branch to with the target, or with a value from which the target is computed. */
interface Exits {
  readonly leave: Label;
  readonly side: Label;
}

/** Of a hart's block, and of its TLBs. */
const ALIGNMENT = 16;

/** A TLB's index is an address's page in entries of 16 bytes. */
const TLB_SHIFT = 8;

/** A loop that keeps registers in locals, which are stored where it is left. */
export interface KeptLoop {
  readonly kept: KeptRegisters;
  /** The offsets of accesses to pages that cannot be predicted. */
  readonly scattered: ReadonlySet<number>;
  readonly exits: Exits;
}

export class RegionFunction {
  readonly code = new Code(REGION_SIGNATURE.parameters.length);
  readonly registers: Registers;
  readonly windows: Windows;
  readonly vectors = new VectorUnit(this.code);
  readonly #spare = new Map<ValueType, number[]>();
  readonly #exit = this.code.local(I32);
  readonly #target = this.code.local(I64);
  /** A local with the number of callers << FRAMES_SHIFT. */
  readonly #frames = this.code.local(I32);
  readonly #outside: Exits;
  readonly loops: readonly KeptLoop[];
  #loop: KeptLoop | undefined;
  #usesRecentPages = false;
  /** A local with the result of `floatState`, if the region needs it. */
  #floatState: number | undefined;
  /** The numbers of the region's pages, the one with the hot code first. */
  readonly #places: readonly number[];
  /** A local with a bit for each page that was found to be there. */
  readonly #present: number;

  /**
   * @param loops the loops that keep registers in locals
   * @param wide whether several accesses may share a TLB look-up
   * @param places the numbers of the region's pages, the one with the hot code first
   */
  constructor(loops: readonly Omit<KeptLoop, 'exits'>[], wide: boolean, places: readonly number[]) {
    this.#places = places;
    this.#present = places.length > 1 ? this.code.local(I32) : -1;
    this.windows = new Windows(this.code, wide);
    this.registers = new Registers(this.code);
    this.#outside = this.#newExits();
    this.loops = loops.map((loop) => ({ ...loop, exits: this.#newExits() }));
  }

  #newExits(): Exits {
    return { leave: this.code.block(), side: this.code.block() };
  }

  /**
   * @param loop the loop that the block is in, if it is one that keeps registers
   * @param readsTables whether the block mostly reads tables
   */
  beginBlock(loop: KeptLoop | undefined, readsTables: boolean): void {
    this.#loop = loop;
    this.#usesRecentPages = loop !== undefined && !readsTables;
  }

  /** Whether a single access of the block is compared with its recent page. */
  usesRecentPage({ offset }: Instruction): boolean {
    return this.#usesRecentPages && !this.#loop?.scattered.has(offset);
  }

  get #exits(): Exits {
    return this.#loop?.exits ?? this.#outside;
  }

  /** Calls a function of the core. */
  call(name: Import): void {
    this.code.call(importIndex(name));
  }

  /** Returns a temporary local, which `release` takes back. */
  borrow(type: ValueType): number {
    return this.#spare.get(type)?.pop() ?? this.code.local(type);
  }

  release(type: ValueType, ...locals: number[]): void {
    const spare = this.#spare.get(type);
    if (spare) spare.push(...locals);
    else this.#spare.set(type, locals);
  }

  get floatState(): number {
    this.#floatState ??= this.code.local(I32);
    return this.#floatState;
  }

  /** Pushes where a TLB with this mask has the entry of the address on the stack. */
  pushTlbIndex(mask: number): void {
    const { code } = this;
    code.op(wasm.i32WrapI64);
    code.i32(TLB_SHIFT);
    code.op(wasm.i32ShrU);
    code.i32(mask);
    code.op(wasm.i32And);
  }

  /** Subtracts instructions from the budget. */
  retire(instructions: number): void {
    const { code } = this;
    if (instructions === 0) return;
    code.get(BUDGET);
    code.i32(instructions);
    code.op(wasm.i32Sub);
    code.set(BUDGET);
  }

  /** Leaves the region and continues at an offset from the start of the page. */
  leaveTo(offset: number): void {
    if (this.#isNear(offset)) {
      this.#setExit(offset, 0, 0);
      this.code.br(this.#exits.side);
      return;
    }
    this.pushAddress(offset);
    this.leaveToTop();
  }

  /** Pushes the virtual address of an offset from the start of the first page. */
  pushAddress(offset: number): void {
    this.code.get(PAGE);
    this.code.i64(offset);
    this.code.op(wasm.i64Add);
  }

  /** Leaves the region and continues at the address on the stack. */
  leaveToTop(): void {
    this.code.set(this.#target);
    this.code.br(this.#exits.leave);
  }

  /**
   * If the condition on the stack holds, which is unlikely, leaves the region at the instruction at `offset`,
   * after `retired` instructions of the block.
   */
  leaveIf(offset: number, retired: number): void {
    this.#setExit(offset, retired, 0);
    this.code.brIfUnlikely(this.#exits.side);
  }

  /** Leaves the instruction at `offset` to the interpreter, after `retired` instructions of the block. */
  interpret(offset: number, retired: number): void {
    this.#setExit(offset, retired, 1);
    this.code.br(this.#exits.side);
  }

  /** The same if the condition on the stack holds, which is unlikely. */
  interpretIf(offset: number, retired: number): void {
    this.#setExit(offset, retired, 1);
    this.code.brIfUnlikely(this.#exits.side);
  }

  #isNear(offset: number): boolean {
    return this.#placeOf(offset) >= 0;
  }

  /** The place of the page with an offset among the region's pages, or -1. */
  #placeOf(offset: number): number {
    return this.#places.indexOf(pageNumber(offset));
  }

  #setExit(offset: number, retired: number, interpreted: 0 | 1): void {
    const place = this.#placeOf(offset);
    const number = this.#places[place] as number;
    const inPage = (offset - number * PAGE_SIZE) | interpreted | (place << PLACE_SHIFT);
    this.code.i32(inPage | (retired << RETIRED_SHIFT));
    this.code.set(this.#exit);
  }

  /**
   * Returns the finished function. Its globals are the hashes of pages, by the pages' numbers.
   * @param entries the offsets of all entries
   */
  finish(entries: readonly number[]): FunctionBody {
    const { code } = this;
    code.op(wasm.unreachable);
    for (const { kept } of [...this.loops].reverse()) {
      code.end(); // side
      this.#computeTarget();
      code.end(); // leave
      this.registers.leaveLoop(kept);
      code.br(this.#outside.leave);
    }
    code.end(); // side
    this.#computeTarget();
    code.end(); // leave
    for (const local of [HART, TLB, this.#target, BUDGET, this.#frames]) code.get(local);
    if (hasTailCalls()) code.tailCall(importIndex(DISPATCH));
    else code.call(importIndex(DISPATCH));
    return code.finish((prologue) => this.#writePrologue(prologue, entries));
  }

  /**
   * Calls the guest's function whose address is in the local `target`, and goes on if it returns to the
   * offset `next`.
   */
  callFunction(target: number, next: number): void {
    const { code } = this;
    this.registers.forget();
    this.windows.closeAll();
    for (const local of [HART, TLB, target, BUDGET, this.#frames]) code.get(local);
    code.i32(1 << FRAMES_SHIFT);
    code.op(wasm.i32Add);
    code.call(importIndex(DISPATCH));
    code.tee(BUDGET);
    code.i32(LEFT);
    code.op(wasm.i32Eq);
    code.ifUnlikely();
    code.i32(LEFT);
    code.op(wasm.return);
    code.end();
    code.get(HART);
    code.memory(wasm.i64Load, H_PC);
    code.tee(target);
    this.pushAddress(next);
    code.op(wasm.i64Ne);
    code.ifUnlikely();
    code.get(target);
    this.leaveToTop();
    code.end();
  }

  /** Returns from the guest's function to the address in the local `target`. */
  returnTo(target: number): void {
    const { code } = this;
    if (hasTailCalls()) {
      code.get(this.#frames);
      code.if();
      code.get(HART);
      code.get(target);
      code.memory(wasm.i64Store, H_PC);
      code.get(BUDGET);
      code.op(wasm.return);
      code.end();
    }
    code.get(target);
    this.leaveToTop();
  }

  #computeTarget(): void {
    const { code } = this;
    code.get(BUDGET);
    code.get(this.#exit);
    code.i32(RETIRED_SHIFT);
    code.ops(wasm.i32ShrU, wasm.i32Sub);
    code.set(BUDGET);
    code.get(PAGE);
    code.get(this.#exit);
    code.i32(this.#places.length > 1 ? OFFSET_MASK : 0xffff);
    code.ops(wasm.i32And, wasm.i64ExtendI32U, wasm.i64Add);
    code.set(this.#target);
    for (const [place, number] of this.#places.entries()) {
      if (place === 0) continue;
      code.get(this.#exit);
      code.i32(PLACE_SHIFT);
      code.op(wasm.i32ShrU);
      code.i32(PLACE_MASK);
      code.op(wasm.i32And);
      code.i32(place);
      code.op(wasm.i32Eq);
      code.if();
      this.#addTo(code, this.#target, number * PAGE_SIZE);
      code.end();
    }
  }

  #addTo(code: Code, local: number, bytes: number): void {
    code.get(local);
    code.i64(bytes);
    code.op(wasm.i64Add);
    code.set(local);
  }

  /**
   * Before a jump to an offset in another page: leaves the region unless the page with the expected bytes is
   * there. Once found, a page stays there until the region is left, because the hart does nothing meanwhile
   * that could change that.
   */
  requirePage(offset: number): void {
    this.#requirePage(
      offset,
      () => this.interpretIf(offset, 0),
      () => this.leaveIf(offset, 0),
    );
  }

  /** The same before an instruction that straddles two pages, which is left to the interpreter otherwise. */
  requireSecondHalf({ offset, next }: Instruction, retired: number): void {
    const leave = () => this.interpretIf(offset, retired);
    this.#requirePage(next, leave, leave);
  }

  /**
   * @param missing leaves the region if the condition on the stack holds: the page TLB has not the page
   * @param differing the same: it has other bytes
   */
  #requirePage(offset: number, missing: () => void, differing: () => void): void {
    const { code } = this;
    const place = this.#placeOf(offset);
    const number = this.#places[place] as number;
    code.get(this.#present);
    code.i32(1 << place);
    code.ops(wasm.i32And, wasm.i32Eqz);
    code.if();
    const va = this.borrow(I64);
    const entry = this.borrow(I32);
    this.pushAddress(number * PAGE_SIZE);
    code.tee(va);
    this.pushTlbIndex(PAGE_TLB_MASK);
    code.get(HART);
    code.memory(wasm.i32Load, H_JUMPS);
    code.op(wasm.i32Add);
    code.tee(entry);
    code.memory(wasm.i64Load, PAGE_TLB);
    code.get(va);
    code.op(wasm.i64Ne);
    missing();
    code.get(entry);
    code.memory(wasm.i32Load, PAGE_TLB + 8);
    code.memory(wasm.i64Load, RECORD_HASH);
    code.global(number);
    code.op(wasm.i64Ne);
    differing();
    code.get(this.#present);
    code.i32(1 << place);
    code.op(wasm.i32Or);
    code.set(this.#present);
    code.end();
    this.release(I64, va);
    this.release(I32, entry);
  }

  #writePrologue(prologue: Code, entries: readonly number[]): void {
    this.#clearUpperHalves(prologue);
    prologue.get(SELECTOR);
    prologue.i32(-1 << FRAMES_SHIFT);
    prologue.op(wasm.i32And);
    prologue.set(this.#frames);
    prologue.get(SELECTOR);
    prologue.i32((1 << FRAMES_SHIFT) - 1);
    prologue.op(wasm.i32And);
    prologue.set(SELECTOR);
    if (this.#places.length > 1) this.#findPage(prologue, entries);
    if (this.#floatState === undefined) return;
    prologue.get(HART);
    prologue.call(importIndex('floatState'));
    prologue.set(this.#floatState);
  }

  /**
   * Masks aligned addresses, which changes nothing. But V8 knows that such a result has no upper half. A
   * parameter and its zero extension would each occupy a register of the host.
   */
  #clearUpperHalves(prologue: Code): void {
    for (const address of [HART, TLB]) {
      prologue.get(address);
      prologue.i32(-ALIGNMENT);
      prologue.op(wasm.i32And);
      prologue.set(address);
    }
  }

  /**
   * Makes PAGE the address of the first page, whichever page is entered. Entries of the same page follow each
   * other.
   */
  #findPage(prologue: Code, entries: readonly number[]): void {
    prologue.i32(1);
    prologue.set(this.#present);
    for (const [place, number] of this.#places.entries()) {
      if (place === 0) continue;
      const isHere = entries.map((offset) => pageNumber(offset) === number);
      const count = isHere.filter(Boolean).length;
      if (count === 0) continue;
      prologue.get(SELECTOR);
      prologue.i32(isHere.indexOf(true));
      prologue.op(wasm.i32Sub);
      prologue.i32(count);
      prologue.op(wasm.i32LtU);
      prologue.if();
      this.#addTo(prologue, PAGE, -number * PAGE_SIZE);
      prologue.i32(1 << place);
      prologue.set(this.#present);
      prologue.end();
    }
  }
}

/**
 * The function of a region while it is written: the state that the translation of all instructions shares.
 */
import { DISPATCH, DISPATCH_SIGNATURE, hasTailCalls } from './dispatch.ts';
import { RememberedPages } from './pages.ts';
import { BUDGET, HART, PAGE, REGION_SIGNATURE, SELECTOR, TLB } from './parameters.ts';
import { Registers } from './registers.ts';
import { Code, I32, I64, type Label, type ModuleWriter, type ValueType, wasm } from './wasm.ts';
import { Windows } from './windows.ts';

/**
 * The fields of an exit: the offset in the page, in bit 0 whether to interpret, and above the retired
 * instructions.
 */
const RETIRED_SHIFT = 16;
const OFFSET_MASK = 0xffff;

/** The labels to branch to with the target, or with a value from which the target is computed. */
interface Exits {
  readonly leave: Label;
  readonly side: Label;
}

export class RegionFunction {
  readonly code = new Code(REGION_SIGNATURE.parameters.length);
  readonly registers: Registers;
  readonly pages = new RememberedPages(this.code);
  readonly windows: Windows;
  readonly #module: ModuleWriter;
  readonly #spare = new Map<ValueType, number[]>();
  readonly #exit = this.code.local(I32);
  readonly #target = this.code.local(I64);
  readonly #outside: Exits;
  readonly #inLoops: Exits;
  #isInLoop = false;
  /** A local with the result of `floatState`, if the region needs it. */
  #floatState: number | undefined;

  /**
   * @param kept registers that loops keep in locals, and whether they are written there
   * @param wide whether several accesses may share a TLB look-up
   */
  constructor(module: ModuleWriter, kept: ReadonlyMap<number, boolean>, wide: boolean) {
    this.#module = module;
    this.windows = new Windows(this.code, wide);
    this.registers = new Registers(this.code, kept);
    this.#outside = { leave: this.code.block(), side: this.code.block() };
    this.#inLoops = { leave: this.code.block(), side: this.code.block() };
  }

  beginBlock(isInLoop: boolean): void {
    this.#isInLoop = isInLoop;
  }

  /** Whether the block is in a loop that keeps registers. */
  get isInLoop(): boolean {
    return this.#isInLoop;
  }

  get #exits(): Exits {
    return this.#isInLoop ? this.#inLoops : this.#outside;
  }

  /** Calls a function of the core. */
  call(name: string, parameters: readonly ValueType[], result: ValueType): void {
    this.code.call(this.#module.imported(name, { parameters, results: [result] }));
  }

  /** Returns a temporary local, which `release` takes back. */
  borrow(type: ValueType): number {
    return this.#spare.get(type)?.pop() ?? this.code.local(type);
  }

  release(type: ValueType, ...locals: number[]): void {
    this.#spare.set(type, [...(this.#spare.get(type) ?? []), ...locals]);
  }

  get floatState(): number {
    this.#floatState ??= this.code.local(I32);
    return this.#floatState;
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
    if (offset >= 0 && offset <= OFFSET_MASK) {
      this.#leaveBy(offset);
      return;
    }
    this.code.get(PAGE);
    this.code.i64(offset);
    this.code.op(wasm.i64Add);
    this.leaveToTop();
  }

  /** Leaves the region and continues at the address on the stack. */
  leaveToTop(): void {
    this.code.set(this.#target);
    this.code.br(this.#exits.leave);
  }

  /** Leaves the region at the instruction at `offset`, after `retired` instructions of the block. */
  leaveAt(offset: number, retired: number): void {
    this.#leaveBy(offset | (retired << RETIRED_SHIFT));
  }

  /** Leaves the instruction at `offset` to the interpreter, after `retired` instructions of the block. */
  interpret(offset: number, retired: number): void {
    this.#leaveBy(offset | 1 | (retired << RETIRED_SHIFT));
  }

  /** The same if the condition on the stack holds, which is unlikely. */
  interpretIf(offset: number, retired: number): void {
    this.code.ifUnlikely();
    this.interpret(offset, retired);
    this.code.end();
  }

  #leaveBy(exit: number): void {
    this.code.i32(exit);
    this.code.set(this.#exit);
    this.code.br(this.#exits.side);
  }

  /** Adds the finished function to the module. `count` entries from the `first` on are in loops. */
  finish(first: number, count: number): void {
    const { code } = this;
    code.op(wasm.unreachable);
    code.end(); // side, in loops
    this.#computeTarget();
    code.end(); // leave, in loops
    this.registers.leaveLoop(code);
    code.br(this.#outside.leave);
    code.end(); // side
    this.#computeTarget();
    code.end(); // leave
    for (const local of [HART, TLB, this.#target, BUDGET]) code.get(local);
    const dispatch = this.#module.imported(DISPATCH, DISPATCH_SIGNATURE);
    if (hasTailCalls()) code.tailCall(dispatch);
    else code.call(dispatch);
    this.#module.add(code, (prologue) => this.#writePrologue(prologue, first, count));
  }

  #computeTarget(): void {
    const { code } = this;
    code.get(BUDGET);
    code.get(this.#exit);
    code.i32(RETIRED_SHIFT);
    code.op(wasm.i32ShrU, wasm.i32Sub);
    code.set(BUDGET);
    code.get(PAGE);
    code.get(this.#exit);
    code.i32(OFFSET_MASK);
    code.op(wasm.i32And, wasm.i64ExtendI32U, wasm.i64Add);
    code.set(this.#target);
  }

  #writePrologue(prologue: Code, first: number, count: number): void {
    if (count > 0) {
      prologue.get(SELECTOR);
      prologue.i32(first);
      prologue.op(wasm.i32Sub);
      prologue.i32(count);
      prologue.op(wasm.i32LtU);
      prologue.if();
      this.registers.enterLoop(prologue, new Set());
      prologue.end();
    }
    this.pages.forgetAll(prologue);
    if (this.#floatState === undefined) return;
    prologue.get(HART);
    prologue.call(this.#module.imported('floatState', { parameters: [I32], results: [I32] }));
    prologue.set(this.#floatState);
  }
}

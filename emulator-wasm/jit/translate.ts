/** Translates a region of RISC-V code to a WebAssembly function. */
import { FarJumpOp, isBranch, isFloat, isJump } from '../assembly/riscv/opcodes.ts';
import { H_X, MAX_ENTRIES } from '../layout.ts';
import { hasTailCalls } from './dispatch.ts';
import { emitterOf } from './emitters.ts';
import { FLOAT_READY } from './float-result.ts';
import { type KeptLoop, RegionFunction } from './function.ts';
import { emitCondition } from './integer.ts';
import { accessesOf, readsTables } from './memory.ts';
import { type Instruction, pageNumber, straddles } from './page.ts';
import { BUDGET, PAGE, SELECTOR } from './parameters.ts';
import { type Block, isFarCall, isReturn, isSwitch, RETURNS, type Region } from './region.ts';
import { type KeptRegisters, RegisterSet } from './registers.ts';
import { scatteredAccesses } from './scattered.ts';
import { emitStructure, findStructure, headersOf, loopsOf, type Sequence } from './structure.ts';
import { expectedTypes } from './vector-flow.ts';
import type { VectorType } from './vector-type.ts';
import { type FunctionBody, I64, type Label, wasm } from './wasm.ts';
import { type Access, commonWindows, requestWindows, type Window, windowsAhead } from './windows.ts';

/** The number of registers in locals. The host has few more. */
const KEPT_REGISTERS = 12;
/** The assumed number of rounds of a loop per execution of the code around it. */
const LOOP_WEIGHT = 8;

export interface TranslatedRegion {
  /** Its globals are the hashes of pages, by the pages' numbers. */
  readonly function: FunctionBody;
  /** Offsets at which the region can be entered, the hot one first. */
  readonly entries: readonly number[];
  /** Offsets of instructions where it is left if they and later ones do not access the same page. */
  readonly wideAccesses: ReadonlySet<number>;
}

/** @param wide whether several accesses may share a TLB look-up */
export function translate(region: Region, wide: boolean): TranslatedRegion {
  return new Translation(region, wide).write();
}

/** The state that is known at the end of a block. */
interface Knowledge {
  /** The registers in locals. */
  readonly registers: RegisterSet;
  /** The registers whose values are sign-extended words. */
  readonly words: RegisterSet;
  readonly windows: ReadonlyMap<number, Window>;
}

/** At the beginning of a block that can be entered, or has a predecessor that is not written yet. */
const NOTHING: Knowledge = { registers: new RegisterSet(), words: new RegisterSet(), windows: new Map() };

class Translation {
  readonly #f: RegionFunction;
  /** The region's blocks, then one for each entry that is in a loop, which continues there. */
  readonly #blocks: Block[];
  /** The numbers of blocks by their start offsets. */
  readonly #numbers = new Map<number, number>();
  readonly #structure: Sequence;
  /**
   * The loop of each block in one that keeps registers in locals: it calls nothing and jumps nowhere else.
   */
  readonly #loops = new Map<number, KeptLoop>();
  /** The entries, by pages: those in loops are the blocks added for them. */
  readonly #entries: readonly number[];
  /** The entries' offsets. */
  readonly #starts: readonly number[];
  /** The accesses to memory of each block. */
  readonly #accesses: readonly (readonly Access[])[];
  readonly #successors: readonly (readonly number[])[];
  /** The vtype that each block expects. */
  readonly #vectorTypes: readonly (VectorType | undefined)[];
  /** The windows that the blocks behind each block request, as far as they are known. */
  readonly #ahead: ReadonlyMap<number, Window>[] = [];
  /** The predecessors of each block. Blocks that can be entered have none. */
  readonly #predecessors: readonly (readonly number[])[];
  /** The knowledge at the end of each block that is written already. */
  readonly #known: Knowledge[] = [];
  /** A local with the target of an indirect jump. */
  readonly #indirect: number;
  readonly #severalPages: boolean;

  constructor(region: Region, wide: boolean) {
    this.#blocks = reachable(region);
    for (const [number, { start }] of this.#blocks.entries()) this.#numbers.set(start, number);
    const numberOf = (start: number) => this.#numbers.get(start) ?? [];
    const successors = this.#blocks.map((block) => successorsOf(block).flatMap(numberOf));
    const [hot, ...others] = region.entries.flatMap(numberOf) as [number, ...number[]];
    // The budget is checked at jumps back, so the next quantum may begin there.
    const depths: number[] = [];
    const outline = findStructure({ successors, entries: [hot, ...others] }, depths);
    const headers = headersOf(outline);
    const isInLoop = this.#keptLoops(outline).some((loop) => loop.includes(hot));
    const needed = wide && isInLoop ? others : [hot, ...others];
    const isCode = (number: number) => this.#block(number).instructions.length > 0;
    const entries = this.#byPage([...new Set([...needed, ...headers.filter(isCode)])].slice(0, MAX_ENTRIES));
    const structure = enteredAt(entries, outline, successors, depths);
    const loops = this.#keptLoops(structure);
    const code = this.#blocks.map(({ instructions }) => instructions);
    const keptLoops = loops.map((numbers) => ({
      kept: mostUsedRegisters(numbers, this.#blocks, depths),
      scattered: scatteredAccesses(code, successors, numbers),
    }));
    const places = [...region.pages.keys()];
    this.#severalPages = places.length > 1;
    this.#f = new RegionFunction(keptLoops, wide, places);
    for (const [n, numbers] of loops.entries()) {
      for (const number of numbers) this.#loops.set(number, this.#f.loops[n] as KeptLoop);
    }
    this.#entries = entries.map((entry) =>
      this.#loops.has(entry) ? this.#addWayIn(entry, successors) : entry,
    );
    this.#structure = enteredAt(this.#entries, structure, successors, depths);
    this.#starts = entries.map((entry) => this.#block(entry).start);
    this.#successors = successors;
    this.#predecessors = predecessorsOf(successors, this.#entries);
    this.#vectorTypes = expectedTypes(this.#blocks, successors, region);
    this.#accesses = this.#blocks.map(({ instructions }) => accessesOf(instructions));
    this.#indirect = this.#f.code.local(I64);
  }

  /** The blocks of each loop that keeps registers in locals. */
  #keptLoops(structure: Sequence): number[][] {
    return loopsOf(structure, (number) => !staysNear(this.#block(number)));
  }

  /** Adds a block outside of loops that continues at an entry in a loop. */
  #addWayIn(entry: number, successors: number[][]): number {
    const { start } = this.#block(entry);
    successors.push([entry]);
    return this.#blocks.push({ start, instructions: [], next: start, targets: [], leaves: false }) - 1;
  }

  write(): TranslatedRegion {
    emitStructure(this.#structure, {
      code: this.#f.code,
      selector: SELECTOR,
      emitBlock: (number, branch) => this.#emit(number, branch),
      emitBackEdge: (number, top) => this.#emitBackEdge(this.#block(number), top),
    });
    return {
      function: this.#f.finish(this.#starts),
      entries: this.#starts,
      wideAccesses: this.#f.windows.wide,
    };
  }

  #byPage(numbers: readonly number[]): number[] {
    const pageOf = (number: number) => pageNumber(this.#block(number).start);
    return [...numbers].sort((a, b) => pageOf(a) - pageOf(b));
  }

  #block(number: number): Block {
    return this.#blocks[number] as Block;
  }

  #emit(number: number, branch: (target: number) => void): void {
    const block = this.#block(number);
    const loop = this.#loops.get(number);
    const before = this.#knownBefore(number);
    const { windows, registers } = this.#f;
    this.#f.beginBlock(loop, readsTables(block.instructions));
    registers.beginBlock(block.instructions, loop?.kept, before.registers, before.words);
    this.#f.vectors.beginBlock(this.#vectorTypes[number]);
    const isEntry = this.#starts.includes(block.start);
    const accesses = this.#accesses[number] as readonly Access[];
    windows.beginBlock(block.instructions, accesses, isEntry, before.windows, this.#windowsAhead(number));
    this.#emitBlock(block, (target) => {
      this.#cross(loop, this.#loops.get(target));
      branch(target);
    });
    this.#known[number] = { registers: registers.known, words: registers.words, windows: windows.all };
  }

  /**
   * The windows that the blocks behind a block request, as far as it passes them on. In a loop, a look-up for
   * a single access is cheaper than one for a window.
   */
  #windowsAhead(number: number): ReadonlyMap<number, Window> {
    const known = this.#ahead[number];
    if (known) return known;
    this.#ahead[number] = NOTHING.windows;
    if (this.#loops.has(number)) return NOTHING.windows;
    const successors = this.#successors[number] as readonly number[];
    const isEntered = (successor: number) => this.#predecessors[successor]?.length === 0;
    const requests = successors
      .filter((successor) => !isEntered(successor))
      .map((successor) => {
        const { instructions } = this.#block(successor);
        const accesses = this.#accesses[successor] as readonly Access[];
        return requestWindows(instructions, accesses, this.#windowsAhead(successor), new Map());
      });
    const windows = windowsAhead(requests, waysOut(this.#block(number)));
    this.#ahead[number] = windows;
    return windows;
  }

  #knownBefore(number: number): Knowledge {
    const before = this.#predecessors[number] as readonly number[];
    const first = this.#known[before[0] ?? -1];
    if (!first) return NOTHING;
    if (before.length === 1) return first;
    const registers = first.registers.copy();
    const words = first.words.copy();
    const windows = [first.windows];
    for (let n = 1; n < before.length; n++) {
      const end = this.#known[before[n] as number];
      if (!end) return NOTHING;
      registers.intersect(end.registers);
      words.intersect(end.words);
      windows.push(end.windows);
    }
    return { registers, words, windows: commonWindows(windows) };
  }

  /** Moves registers between locals and memory on the way from one block to the next. */
  #cross(from: KeptLoop | undefined, to: KeptLoop | undefined): void {
    if (from === to) return;
    const { registers } = this.#f;
    if (from) registers.leaveLoop(from.kept);
    if (to) registers.enterLoop(to.kept);
  }

  #emitBackEdge(target: Block, top: Label): void {
    const { code } = this.#f;
    code.get(BUDGET);
    code.i32(0);
    code.op(wasm.i32GtS);
    code.brIf(top);
    if (target.instructions.length > 0) this.#f.leaveTo(target.start);
    else this.#leaveToIndirect();
  }

  #leaveToIndirect(): void {
    this.#f.code.get(this.#indirect);
    this.#f.leaveToTop();
  }

  #emitBlock(block: Block, branch: (target: number) => void): void {
    const go = (offset: number) => {
      const number = this.#numbers.get(offset);
      if (number === undefined) {
        this.#f.leaveTo(offset);
        return;
      }
      if (this.#severalPages && crosses(block, offset)) this.#f.requirePage(offset);
      branch(number);
    };
    if (block.instructions.length === 0 && block.leaves) {
      this.#switchTargets(block.targets, go);
      if (block.start === RETURNS) this.#f.returnTo(this.#indirect);
      else this.#leaveToIndirect();
    } else this.#emitInstructions(block, go);
  }

  #emitInstructions(block: Block, go: (offset: number) => void): void {
    let floatChecked = false;
    for (let retired = 0; retired < block.instructions.length; retired++) {
      const instruction = block.instructions[retired] as Instruction;
      if (straddles(instruction)) {
        this.#f.registers.flush();
        this.#f.requireSecondHalf(instruction, retired);
      }
      this.#f.registers.prepare(instruction);
      if (!floatChecked && isFloat(instruction.op)) {
        this.#checkFloat(instruction, retired);
        floatChecked = true;
      }
      const emit = emitterOf(instruction.op);
      if (emit) {
        emit(this.#f, instruction, retired);
        this.#f.windows.noteWrite(instruction);
        continue;
      }
      this.#f.registers.flush();
      this.#f.retire(block.instructions.length);
      this.#emitJump(instruction, block, go);
      return;
    }
    this.#f.registers.flush();
    this.#f.retire(block.instructions.length);
    if (block.leaves) this.#f.leaveTo(block.next);
    else go(block.next);
  }

  #checkFloat(instruction: Instruction, retired: number): void {
    const { code } = this.#f;
    this.#f.registers.flush();
    code.get(this.#f.floatState);
    code.i32(FLOAT_READY);
    code.ops(wasm.i32And, wasm.i32Eqz);
    this.#f.interpretIf(instruction.offset, retired);
  }

  #emitJump(instruction: Instruction, block: Block, go: (offset: number) => void): void {
    const { op, imm } = instruction;
    if (isBranch(op)) {
      const { code } = this.#f;
      emitCondition(this.#f, instruction);
      code.if();
      go(imm);
      code.end();
      go(block.next);
    } else if (op === FarJumpOp.JALR) {
      this.#emitIndirect(instruction, block, go);
    } else if (isFarCall(instruction)) {
      this.#f.pushAddress(imm);
      this.#f.code.set(this.#indirect);
      this.#link(instruction);
      this.#emitCall(block, go);
    } else {
      this.#link(instruction);
      go(imm);
    }
  }

  /** Calls the function at the indirect address, and continues behind the call if that is in the region. */
  #emitCall(block: Block, go: (offset: number) => void): void {
    if (block.targets.length === 0 || !hasTailCalls()) {
      this.#leaveToIndirect();
      return;
    }
    this.#f.callFunction(this.#indirect, block.next);
    go(block.next);
  }

  #link(instruction: Instruction): void {
    const { rd, next } = instruction;
    if (rd === undefined) return;
    this.#f.windows.noteWrite(instruction);
    this.#f.pushAddress(next);
    this.#f.registers.set(rd);
    this.#f.registers.flush();
  }

  #emitIndirect(instruction: Instruction, block: Block, go: (offset: number) => void): void {
    const { code } = this.#f;
    this.#f.registers.get(instruction.rs1);
    if (instruction.imm !== 0) {
      code.i64(instruction.imm);
      code.op(wasm.i64Add);
    }
    code.i64(-2);
    code.op(wasm.i64And);
    code.set(this.#indirect);
    this.#link(instruction);
    const [first] = block.targets;
    if (isFarCall(instruction)) this.#emitCall(block, go);
    else if (first !== undefined && isSwitch(first)) go(first);
    else {
      this.#compareTargets(block.targets, go);
      if (isReturn(instruction)) this.#f.returnTo(this.#indirect);
      else this.#leaveToIndirect();
    }
  }

  #compareTargets(offsets: readonly number[], go: (offset: number) => void): void {
    const { code } = this.#f;
    for (const offset of offsets) {
      code.get(this.#indirect);
      code.get(PAGE);
      code.op(wasm.i64Sub);
      code.i64(offset);
      code.op(wasm.i64Eq);
      code.if();
      go(offset);
      code.end();
    }
  }

  #switchTargets(offsets: readonly number[], go: (offset: number) => void): void {
    for (const page of new Set(offsets.map(pageNumber))) {
      this.#switchInPage(
        offsets.filter((offset) => pageNumber(offset) === page),
        go,
      );
    }
  }

  /** A table with an entry for every halfword between the first target and the last. */
  #switchInPage(offsets: readonly number[], go: (offset: number) => void): void {
    const { code } = this.#f;
    const first = Math.min(...offsets);
    const last = Math.max(...offsets);
    const outside = code.block();
    const labels = offsets.map(() => code.block());
    const table: Label[] = [];
    for (let offset = first; offset <= last; offset += 2) table.push(outside);
    offsets.forEach((offset, n) => {
      table[(offset - first) / 2] = labels[n] as Label;
    });
    code.get(this.#indirect);
    code.get(PAGE);
    code.op(wasm.i64Sub);
    code.i64(first);
    code.op(wasm.i64Sub);
    // Bit 0 of a target is always 0. The shift is unsigned, so that far targets do not alias near ones.
    code.i64(1);
    code.op(wasm.i64ShrU);
    const index = this.#f.borrow(I64);
    code.tee(index);
    code.op(wasm.i32WrapI64);
    code.get(index);
    code.i64(table.length);
    code.op(wasm.i64GeU);
    code.brIf(outside);
    code.brTable(table, outside);
    this.#f.release(I64, index);
    for (const offset of [...offsets].reverse()) {
      code.end();
      go(offset);
    }
    code.end();
  }
}

/** Whether the way from a block to an offset leads into another page, or comes from many places. */
function crosses({ start }: Block, offset: number): boolean {
  return !isSwitch(offset) && (isSwitch(start) || pageNumber(start) !== pageNumber(offset));
}

/** The structure of code with these entries, which is the one that is known if it has the same ones. */
function enteredAt(
  entries: readonly number[],
  known: Sequence,
  successors: readonly (readonly number[])[],
  depths: number[],
): Sequence {
  const isKnown =
    entries.length === known.entries.length && entries.every((entry, n) => entry === known.entries[n]);
  return isKnown ? known : findStructure({ successors, entries }, depths);
}

function successorsOf(block: Block): number[] {
  const last = block.instructions.at(-1);
  const falls = !block.leaves && last !== undefined && !isJump(last.op);
  return falls ? [...block.targets, block.next] : [...block.targets];
}

/** The number of ways out of a block, into the region and elsewhere. */
function waysOut({ instructions }: Block): number {
  const op = instructions.at(-1)?.op;
  if (op === undefined || op === FarJumpOp.JALR) return Number.POSITIVE_INFINITY;
  return isBranch(op) ? 2 : 1;
}

/** The blocks that are reachable from the entries, in the order of the code. */
function reachable({ blocks, entries }: Region): Block[] {
  const found = new Set<number>();
  const queue = [...entries];
  for (const start of queue) {
    const block = blocks.get(start);
    if (!block || found.has(start)) continue;
    found.add(start);
    queue.push(...successorsOf(block));
  }
  return [...found].sort((a, b) => a - b).map((start) => blocks.get(start) as Block);
}

/** Whether the block certainly ends with a jump inside the page. */
function staysNear({ instructions, leaves }: Block): boolean {
  const op = instructions.at(-1)?.op;
  return !leaves && op !== undefined && op !== FarJumpOp.JALR && op !== FarJumpOp.JAL_FAR;
}

function predecessorsOf(successors: readonly (readonly number[])[], entries: readonly number[]): number[][] {
  const predecessors: number[][] = successors.map(() => []);
  for (let block = 0; block < successors.length; block++) {
    const targets = successors[block] as readonly number[];
    for (let n = 0; n < targets.length; n++) predecessors[targets[n] as number]?.push(block);
  }
  for (let n = 0; n < entries.length; n++) predecessors[entries[n] as number] = [];
  return predecessors;
}

/** The registers that a loop uses most, and whether they are written there. */
function mostUsedRegisters(
  loop: readonly number[],
  blocks: readonly Block[],
  depths: readonly number[],
): KeptRegisters {
  const uses = new Map<number, number>();
  const written = new Set<number>();
  const use = (register: number | undefined, weight: number) => {
    if (register !== undefined && register !== H_X) uses.set(register, (uses.get(register) ?? 0) + weight);
  };
  for (const number of loop) {
    const weight = LOOP_WEIGHT ** (depths[number] as number);
    for (const { rd, rs1, rs2 } of (blocks[number] as Block).instructions) {
      for (const register of [rd, rs1, rs2]) use(register, weight);
      if (rd !== undefined) written.add(rd);
    }
  }
  const ranked = [...uses].sort(([, a], [, b]) => b - a).slice(0, KEPT_REGISTERS);
  return new Map(ranked.map(([register]) => [register, written.has(register)]));
}

/** From a region of RISC-V to a WebAssembly function. */
import { Op } from '../assembly/opcodes.ts';
import { H_X, MAX_ENTRIES } from '../layout.ts';
import { emitFloat, FLOAT_READY, isFloat } from './float.ts';
import { RegionFunction } from './function.ts';
import { emitCondition, emitInteger } from './integer.ts';
import { accessesOf, emitMemory } from './memory.ts';
import { type Instruction, isBranch } from './page.ts';
import { BUDGET, PAGE, SELECTOR } from './parameters.ts';
import type { Block, Region } from './region.ts';
import { emitStructure, findStructure, headersOf, MAX_COMPARISONS, type Sequence } from './structure.ts';
import { I64, type Label, type ModuleWriter, wasm } from './wasm.ts';

/** So many registers are kept in locals; the host has not many more. */
const KEPT_REGISTERS = 12;
/** How much more often a loop runs than what is around it, supposedly. */
const LOOP_WEIGHT = 8;

/** Adds the region's function to the module; returns the offsets where it can be entered. */
export function translate(region: Region, module: ModuleWriter): readonly number[] {
  const translation = new Translation(region, module);
  translation.write();
  return translation.entries;
}

class Translation {
  readonly entries: readonly number[];
  readonly #f: RegionFunction;
  readonly #blocks: readonly Block[];
  readonly #structure: Sequence;
  /** In how many loops each block is. */
  readonly #depths: number[] = [];
  /** Numbers of blocks by their start. */
  readonly #numbers = new Map<number, number>();

  constructor(region: Region, module: ModuleWriter) {
    this.#blocks = reachable(region);
    for (const [number, { start }] of this.#blocks.entries()) this.#numbers.set(start, number);
    const numberOf = (start: number) => this.#numbers.get(start) ?? [];
    const successors = this.#blocks.map((block) => successorsOf(block).flatMap(numberOf));
    const needed = region.entries.flatMap(numberOf);
    // The budget runs out at jumps back, and the next quantum begins there.
    const headers = headersOf(findStructure({ successors, entries: needed }, []));
    const entries = [...new Set([...needed, ...headers])].slice(0, MAX_ENTRIES);
    this.#structure = findStructure({ successors, entries }, this.#depths);
    this.entries = entries.map((entry) => (this.#blocks[entry] as Block).start);
    this.#f = new RegionFunction(module, mostUsedRegisters(this.#blocks, this.#depths));
  }

  write(): void {
    emitStructure(this.#structure, {
      code: this.#f.code,
      selector: SELECTOR,
      emitBlock: (number, branch) => {
        const block = this.#blocks[number] as Block;
        this.#f.pages.beginBlock((this.#depths[number] as number) > 0, accessesOf(block.instructions));
        this.#emitBlock(block, branch);
      },
      emitBackEdge: (block, top) => this.#emitBackEdge((this.#blocks[block] as Block).start, top),
    });
    this.#f.finish();
  }

  #emitBackEdge(target: number, top: Label): void {
    const { code } = this.#f;
    code.get(BUDGET);
    code.i32(0);
    code.op(wasm.i32GtS);
    code.brIf(top);
    this.#f.leaveTo(target);
  }

  #emitBlock(block: Block, branch: (target: number) => void): void {
    let floatChecked = false;
    const go = (offset: number) => {
      const number = this.#numbers.get(offset);
      if (number === undefined) this.#f.leaveTo(offset);
      else branch(number);
    };
    for (const [retired, instruction] of block.instructions.entries()) {
      if (!floatChecked && isFloat(instruction.op)) {
        this.#checkFloat(instruction, retired);
        floatChecked = true;
      }
      if (this.#emitStraight(instruction, retired)) continue;
      this.#f.retire(block.instructions.length);
      this.#emitJump(instruction, block, go);
      return;
    }
    this.#f.retire(block.instructions.length);
    if (block.leaves) this.#f.leaveTo(block.next);
    else go(block.next);
  }

  /** Writes an instruction that does not jump; false if it is another. */
  #emitStraight(instruction: Instruction, retired: number): boolean {
    if (instruction.op === Op.FENCE) {
      this.#f.code.fence();
      return true;
    }
    return (
      emitInteger(this.#f, instruction) ||
      emitMemory(this.#f, instruction, retired) ||
      emitFloat(this.#f, instruction, retired)
    );
  }

  #checkFloat(instruction: Instruction, retired: number): void {
    const { code } = this.#f;
    code.get(this.#f.floatState);
    code.i32(FLOAT_READY);
    code.op(wasm.i32And, wasm.i32Eqz);
    code.if();
    this.#f.interpret(instruction.offset, retired);
    code.end();
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
    } else if (op === Op.JALR) {
      this.#emitIndirect(instruction, block, go);
    } else {
      this.#link(instruction);
      go(imm);
    }
  }

  #link({ rd, next }: Instruction): void {
    if (rd === undefined) return;
    const { code } = this.#f;
    this.#f.registers.set(rd, () => {
      code.get(PAGE);
      code.i64(next);
      code.op(wasm.i64Add);
    });
  }

  #emitIndirect(instruction: Instruction, block: Block, go: (offset: number) => void): void {
    const { code } = this.#f;
    const target = this.#f.borrow(I64);
    this.#f.registers.get(instruction.rs1);
    if (instruction.imm !== 0) {
      code.i64(instruction.imm);
      code.op(wasm.i64Add);
    }
    code.i64(-2);
    code.op(wasm.i64And);
    code.set(target);
    this.#link(instruction);
    const targets = block.targets.filter((offset) => this.#numbers.has(offset));
    if (targets.length <= MAX_COMPARISONS) this.#compareTargets(target, targets, go);
    else this.#switchTargets(target, targets, go);
    code.get(target);
    this.#f.leaveToTop();
    this.#f.release(I64, target);
  }

  #compareTargets(target: number, offsets: readonly number[], go: (offset: number) => void): void {
    const { code } = this.#f;
    for (const offset of offsets) {
      code.get(target);
      code.get(PAGE);
      code.op(wasm.i64Sub);
      code.i64(offset);
      code.op(wasm.i64Eq);
      code.if();
      go(offset);
      code.end();
    }
  }

  /** A table with an entry for every halfword between the first target and the last. */
  #switchTargets(target: number, offsets: readonly number[], go: (offset: number) => void): void {
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
    code.get(target);
    code.get(PAGE);
    code.op(wasm.i64Sub);
    code.i64(first);
    code.op(wasm.i64Sub);
    // An odd multiple of a halfword cannot be, and what is far away shall not come near.
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

function successorsOf(block: Block): number[] {
  const last = block.instructions.at(-1) as Instruction;
  const falls = !block.leaves && !(last.op >= Op.J_NEAR && last.op <= Op.JALR);
  return falls ? [...block.targets, block.next] : [...block.targets];
}

/** The blocks that can be come to from the entries; by the order of code. */
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

function mostUsedRegisters(blocks: readonly Block[], depths: readonly number[]): number[] {
  const uses = new Map<number, number>();
  const use = (register: number | undefined, weight: number) => {
    if (register !== undefined && register !== H_X) uses.set(register, (uses.get(register) ?? 0) + weight);
  };
  for (const [number, { instructions }] of blocks.entries()) {
    const weight = LOOP_WEIGHT ** (depths[number] as number);
    for (const { rd, rs1, rs2 } of instructions) for (const register of [rd, rs1, rs2]) use(register, weight);
  }
  const ranked = [...uses].sort(([, a], [, b]) => b - a);
  return ranked.slice(0, KEPT_REGISTERS).map(([register]) => register);
}

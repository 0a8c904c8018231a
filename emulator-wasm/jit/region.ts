/** Selects the code that is compiled together: a part of the control flow of a few pages, as basic blocks. */
import { FarJumpOp, isBranch, isJump, NearJumpOp, PseudoOp } from '../assembly/riscv/opcodes.ts';
import { H_X, MAX_ENTRIES } from '../layout.ts';
import { isCompiled } from './emitters.ts';
import { type CodePage, type Instruction, PAGE_SIZE, pageNumber } from './page.ts';

/**
 * A region that has this many instructions follows no more jumps. A straight run is never cut, because its
 * rest would become a region for each place where a quantum ends.
 */
const MAX_INSTRUCTIONS = 200;
/** A region that has this many ends where others begin: to compile code again costs more than to go there. */
const ENOUGH_INSTRUCTIONS = 50;
/** The maximum of pages in a region. */
const MAX_PAGES = 4;

/** The distance from a jump by table within which its targets are searched, in bytes. */
const TABLE_REACH = 1024;

/**
 * The blocks to which all returns with many targets, and all jumps by table, of the region go. They only
 * contain a switch. Their offsets are odd, so that no instruction is there, not even in the preceding page.
 */
export const RETURNS = -1;
const TABLE = -3;
/** Whether the block there is one of those. */
export function isSwitch(offset: number): boolean {
  return offset === RETURNS || offset === TABLE;
}

/** Jumps with at most this many targets have comparisons of their own. */
const MAX_COMPARISONS = 6;

export interface Block {
  /**
   * RETURNS or TABLE for a block without instructions, which continues at the requested one of its targets.
   */
  readonly start: number;
  readonly instructions: readonly Instruction[];
  /**
   * The offset at which the block continues if its last instruction does not jump, or is a branch not taken.
   */
  readonly next: number;
  /** The targets of the last instruction within the region. */
  readonly targets: readonly number[];
  /** Whether the interpreter must execute the next instruction. */
  readonly leaves: boolean;
}

export interface Region {
  /** The pages of its instructions by their numbers; page 0 is the first. */
  readonly pages: ReadonlyMap<number, CodePage>;
  /** The blocks by their start offsets. */
  readonly blocks: ReadonlyMap<number, Block>;
  /** Start offsets of the blocks at which the region must be entered, the hot one first. */
  readonly entries: readonly number[];
}

const RA = H_X + 8;
const T0 = H_X + 40;

function isLink(register: number | undefined): boolean {
  return register === RA || register === T0;
}

export function isReturn(instruction: Instruction): boolean {
  return instruction.op === FarJumpOp.JALR && instruction.rd === undefined && isLink(instruction.rs1);
}

/** Whether the instruction calls a function that is not part of the region, and that returns. */
export function isFarCall({ op, rd }: Instruction): boolean {
  return (op === FarJumpOp.JAL_FAR || op === FarJumpOp.JALR) && isLink(rd);
}

function isCall({ op, rd }: Instruction): boolean {
  return (
    (op === NearJumpOp.JAL_NEAR || op === FarJumpOp.JAL_FAR || op === FarJumpOp.JALR) && rd !== undefined
  );
}

/** The code around a region. */
export interface Surroundings {
  /** Whether another region can be entered at an offset. */
  isEntry(offset: number): boolean;
  /** Returns a page by its number, if it is known. */
  pageAt(number: number): CodePage | undefined;
  /** Returns the instruction that begins at the end of the page with a number. The next page is known. */
  straddling(number: number): Instruction;
}

/**
 * Returns the region around the code at `hot`, an offset in page 0.
 * @returns undefined if nothing can be compiled there
 */
export function findRegion(code: Surroundings, hot: number): Region | undefined {
  const survey = new Survey(code);
  survey.from(hot);
  if (!survey.instructions.has(hot)) return undefined;
  const blocks = new Map<number, Block>();
  for (const start of survey.leaders) {
    const block = survey.instructions.has(start) && survey.block(start);
    if (block) blocks.set(start, block);
  }
  for (const block of survey.switches()) blocks.set(block.start, block);
  return { pages: survey.pages, blocks, entries: entriesOf(hot, blocks, survey) };
}

function entriesOf(hot: number, blocks: ReadonlyMap<number, Block>, survey: Survey): number[] {
  const entries = new Set([hot, ...survey.continuations, ...survey.functions, ...survey.orphans]);
  return [...entries].filter((entry) => blocks.has(entry)).slice(0, MAX_ENTRIES / 2);
}

/** Follows the control flow from the hot code, nearest first, until the region is large enough. */
class Survey {
  readonly instructions = new Map<number, Instruction>();
  /** Offsets at which blocks must begin. */
  readonly leaders = new Set<number>();
  /** Targets of calls in the region, which may also be called from elsewhere. */
  readonly functions = new Set<number>();
  /** Return addresses of calls, and those to which functions of this page return. */
  readonly continuations = new Set<number>();
  readonly #nearContinuations = new Set<number>();
  /** Offsets to which the guest has jumped but no known jump leads: targets of jump tables and pointers. */
  readonly orphans = new Set<number>();
  readonly #switches = new Map<number, readonly number[]>();
  readonly #code: Surroundings;
  /** The pages that were asked for, by their numbers. */
  readonly #asked = new Map<number, CodePage | undefined>();
  /** Those in the region. */
  readonly #pages = new Map<number, CodePage>();
  #queue: number[] = [];
  /** Offsets of indirect jumps that may use a table. */
  readonly #tableJumps: number[] = [];

  constructor(code: Surroundings) {
    this.#code = code;
  }

  #ask(number: number): CodePage | undefined {
    if (!this.#asked.has(number)) this.#asked.set(number, this.#code.pageAt(number));
    return this.#asked.get(number);
  }

  /** Whether the page with an offset is in the region, or can be. */
  #admit(offset: number): boolean {
    const number = pageNumber(offset);
    if (this.#pages.has(number)) return true;
    const page = this.#pages.size < MAX_PAGES && this.#ask(number);
    if (page) this.#pages.set(number, page);
    return this.#pages.has(number);
  }

  #executed(offset: number): boolean {
    return this.#ask(pageNumber(offset))?.executed(offset) ?? false;
  }

  from(hot: number): void {
    this.#lead(hot);
    this.#drain();
    for (const number of new Set(this.#tableJumps.map(pageNumber))) this.#fromTables(number);
  }

  /** Follows the orphans near the indirect jumps of a page. */
  #fromTables(number: number): void {
    const jumps = this.#tableJumps.filter((offset) => pageNumber(offset) === number);
    const start = number * PAGE_SIZE;
    const first = Math.max(Math.min(...jumps) - TABLE_REACH, start);
    const last = Math.min(Math.max(...jumps) + TABLE_REACH, start + PAGE_SIZE - 2);
    for (let offset = first; offset <= last; offset += 2) {
      if (this.#full) break;
      if (!this.#executed(offset) || this.instructions.has(offset)) continue;
      if (this.orphans.size === MAX_ENTRIES / 2) break;
      this.orphans.add(offset);
      this.#lead(offset);
      this.#drain();
    }
  }

  get pages(): ReadonlyMap<number, CodePage> {
    return this.#pages;
  }

  get #full(): boolean {
    return this.instructions.size >= MAX_INSTRUCTIONS;
  }

  #lead(offset: number): void {
    if (this.leaders.has(offset) || !this.#admit(offset)) return;
    this.leaders.add(offset);
    this.#queue.push(offset);
  }

  #drain(): void {
    for (const start of this.#queue) if (!this.#full && !this.#isElsewhere(start)) this.#run(start);
    this.#queue = [];
  }

  /** Whether the code there is left to another region. */
  #isElsewhere(offset: number): boolean {
    return this.instructions.size >= ENOUGH_INSTRUCTIONS && this.#code.isEntry(offset);
  }

  /** A straight run of instructions. */
  #run(start: number): void {
    const page = this.#pages.get(pageNumber(start)) as CodePage;
    const end = (pageNumber(start) + 1) * PAGE_SIZE;
    let offset = start;
    while (!this.instructions.has(offset)) {
      if (offset >= end) {
        this.#follow(offset);
        return;
      }
      const instruction = this.#instructionAt(page, offset);
      if (!instruction) return;
      this.instructions.set(offset, instruction);
      offset = instruction.next;
      if (this.#ends(instruction)) return;
    }
    // Reaches instructions that the region has already.
    if (this.instructions.has(offset)) this.leaders.add(offset);
  }

  /** The instruction at an offset in a page, if it can be compiled. */
  #instructionAt(page: CodePage, offset: number): Instruction | undefined {
    const op = page.opAt(offset);
    if (op !== PseudoOp.STRADDLE) return isCompiled(op) ? page.at(offset) : undefined;
    const number = pageNumber(offset);
    if (!this.#ask(number + 1)) return undefined;
    const instruction = this.#code.straddling(number);
    return isCompiled(instruction.op) && this.#admit(instruction.next) ? instruction : undefined;
  }

  /** Notes a target if the guest has ever jumped to it. */
  #follow(offset: number): void {
    if (this.#executed(offset) || this.instructions.has(offset)) this.#lead(offset);
  }

  /** Notes the instruction's targets. Returns whether nothing falls through it. */
  #ends(instruction: Instruction): boolean {
    const { op, imm, next } = instruction;
    if (isBranch(op)) {
      this.#follow(imm);
      if (pageNumber(next) === pageNumber(instruction.offset)) this.#lead(next);
      else this.#follow(next);
      return true;
    }
    if (isCall(instruction)) {
      if (op === FarJumpOp.JALR && !isFarCall(instruction)) this.#tableJumps.push(instruction.offset);
      if (op === NearJumpOp.JAL_NEAR) {
        this.functions.add(imm);
        this.#lead(imm);
      }
      if (this.#executed(next)) {
        this.#lead(next);
        this.continuations.add(next);
        if (op === NearJumpOp.JAL_NEAR) this.#nearContinuations.add(next);
      }
      return true;
    }
    if (op === NearJumpOp.J_NEAR) this.#lead(imm);
    else if (op === FarJumpOp.JAL_FAR) this.#follow(imm);
    else if (op === FarJumpOp.JALR && !isReturn(instruction)) this.#tableJumps.push(instruction.offset);
    return isJump(op);
  }

  block(start: number): Block {
    const instructions: Instruction[] = [];
    let offset = start;
    do {
      const instruction = this.instructions.get(offset);
      if (!instruction)
        return { start, instructions, next: offset, targets: [], leaves: this.#mustLeave(offset) };
      instructions.push(instruction);
      offset = instruction.next;
      if (isBranch(instruction.op) || isJump(instruction.op)) {
        return { start, instructions, next: offset, targets: this.#targets(instruction), leaves: false };
      }
    } while (!this.leaders.has(offset));
    return { start, instructions, next: offset, targets: [], leaves: false };
  }

  #mustLeave(offset: number): boolean {
    const page = this.#pages.get(pageNumber(offset));
    return page !== undefined && !isCompiled(page.opAt(offset));
  }

  #targets(instruction: Instruction): number[] {
    const { op, imm, next } = instruction;
    if (isFarCall(instruction)) return this.#inside(next) ? [next] : [];
    if (isReturn(instruction)) return this.#indirect(RETURNS);
    if (op === FarJumpOp.JALR) return this.#indirect(TABLE);
    return (isBranch(op) || isJump(op)) && this.#inside(imm) ? [imm] : [];
  }

  #inside(offset: number): boolean {
    return this.leaders.has(offset) && this.instructions.has(offset);
  }

  #indirect(kind: number): number[] {
    const all = kind === RETURNS ? this.#nearContinuations : this.orphans;
    const targets = [...all].filter((offset) => this.#inside(offset));
    if (targets.length <= MAX_COMPARISONS) return targets;
    this.#switches.set(kind, targets);
    return [kind];
  }

  switches(): Block[] {
    return [...this.#switches].map(([start, targets]) => ({
      start,
      instructions: [],
      next: start,
      targets,
      leaves: true,
    }));
  }
}

/**
 * Windows into memory. One TLB look-up serves several accesses through a register. A window is a range of
 * offsets from the register that lies in one page. While the register stays the same, accesses inside the
 * window need no further look-up. Translations do not change while compiled code runs.
 *
 * Where the range reaches into a second page, the region is left. If that happens often, the code from there
 * on is compiled again, with a look-up for each access. That version must be able to continue where the other
 * stopped, so no wide window begins at an entry of a region.
 */
import { IntegerOp } from '../assembly/riscv/opcodes.ts';
import type { Instruction } from './page.ts';
import { type Code, I32 } from './wasm.ts';

/** The maximum size of a window, in bytes. The wider it is, the more often it reaches into a second page. */
const MAX_SPAN = 256;

/** The same of windows for accesses in later blocks, which are not always executed. */
const AHEAD_SPAN = 64;

export interface Access {
  readonly instruction: Instruction;
  readonly bytes: number;
  readonly writes: boolean;
}

export interface Window {
  /** The range of offsets from the register. */
  readonly from: number;
  readonly to: number;
  /** Whether stores may use it. */
  readonly writable: boolean;
  /** The offset from the register to which its base belongs. */
  readonly origin: number;
}

export class Windows {
  readonly #code: Code;
  /** Locals with the shared memory's address of the window's origin. */
  readonly #bases = new Map<number, number>();
  /** The windows that accesses of the block request, for themselves and later ones. */
  readonly #wanted = new Map<Instruction, Window>();
  #open = new Map<number, Window>();
  readonly #areWide: boolean;
  readonly #wide = new Set<number>();

  /** @param areWide whether one look-up may serve several accesses */
  constructor(code: Code, areWide: boolean) {
    this.#code = code;
    this.#areWide = areWide;
  }

  /**
   * @param isEntry whether the region can be entered here
   * @param open windows that are open when the block begins
   * @param ahead windows that later blocks request
   */
  beginBlock(
    instructions: readonly Instruction[],
    accesses: readonly Access[],
    isEntry: boolean,
    open: ReadonlyMap<number, Window>,
    ahead: ReadonlyMap<number, Window>,
  ): void {
    this.#open = new Map(open);
    this.#wanted.clear();
    if (!this.#areWide) return;
    requestWindows(instructions, accesses, ahead, this.#wanted);
    if (isEntry) this.#wanted.delete(instructions[0] as Instruction);
  }

  /** Whether the access needs no TLB look-up. */
  covers({ instruction, bytes, writes }: Access): boolean {
    const window = this.#open.get(instruction.rs1);
    const { imm } = instruction;
    return (
      window !== undefined && window.from <= imm && imm + bytes <= window.to && (window.writable || !writes)
    );
  }

  /** The window to look up for the access. */
  wanted(access: Access): Window {
    return this.#wanted.get(access.instruction) ?? windowOf(access);
  }

  /** @param isWide whether it was looked up for more than this access */
  open({ rs1, offset }: Instruction, window: Window, isWide: boolean): void {
    this.#open.set(rs1, window);
    if (isWide) this.#wide.add(offset);
  }

  /** Offsets of the instructions at which wide windows are looked up. */
  get wide(): ReadonlySet<number> {
    return this.#wide;
  }

  /** Called when the instruction has written its register. */
  noteWrite(instruction: Instruction): void {
    const { rd } = instruction;
    const window = rd === undefined ? undefined : this.#open.get(rd);
    if (rd !== undefined && window)
      replace(this.#open, rd, afterWrite(instruction, window, -instruction.imm));
  }

  closeAll(): void {
    this.#open.clear();
  }

  /** The offset from the register to which its base belongs. */
  origin(register: number): number {
    return (this.#open.get(register) as Window).origin;
  }

  base(register: number): number {
    const known = this.#bases.get(register);
    if (known !== undefined) return known;
    const local = this.#code.local(I32);
    this.#bases.set(register, local);
    return local;
  }

  get all(): ReadonlyMap<number, Window> {
    return this.#open;
  }
}

/**
 * The window of a register behind or before the instruction that writes it. A register that steps by a
 * constant keeps its window, at other offsets.
 */
function afterWrite({ op, rd, rs1 }: Instruction, window: Window, distance: number): Window | undefined {
  if (op !== IntegerOp.ADDI || rd !== rs1) return undefined;
  const { from, to, writable, origin } = window;
  return { from: from + distance, to: to + distance, writable, origin: origin + distance };
}

function replace(windows: Map<number, Window>, register: number, window: Window | undefined): void {
  if (window) windows.set(register, window);
  else windows.delete(register);
}

function windowOf({ instruction: { imm }, bytes, writes }: Access): Window {
  return { from: imm, to: imm + bytes, writable: writes, origin: imm };
}

/** A window for both if they are close to each other, otherwise for the first. */
function join(first: Window, second: Window | undefined): Window {
  if (!second) return first;
  const from = Math.min(first.from, second.from);
  const to = Math.max(first.to, second.to);
  if (to - from > MAX_SPAN) return first;
  return { from, to, writable: first.writable || second.writable, origin: from };
}

/**
 * Notes in `requests` the window that each access of a block requests, for itself and later ones. Returns
 * those that are requested at the beginning of the block.
 * @param ahead those at its end
 */
export function requestWindows(
  instructions: readonly Instruction[],
  accesses: readonly Access[],
  ahead: ReadonlyMap<number, Window>,
  requests: Map<Instruction, Window>,
): Map<number, Window> {
  const wanted = new Map(ahead);
  let left = accesses.length;
  for (let n = instructions.length - 1; n >= 0; n--) {
    const instruction = instructions[n] as Instruction;
    const { rd } = instruction;
    const later = rd === undefined ? undefined : wanted.get(rd);
    if (rd !== undefined && later) replace(wanted, rd, afterWrite(instruction, later, instruction.imm));
    const access = accesses[left - 1];
    if (access?.instruction !== instruction) continue;
    left--;
    const window = join(windowOf(access), wanted.get(instruction.rs1));
    wanted.set(instruction.rs1, window);
    requests.set(instruction, window);
  }
  return wanted;
}

/**
 * The windows for the accesses of blocks behind a block, which request these.
 * @param ways the number of ways out of the block. Stores must be certain, because the page may be read-only.
 */
export function windowsAhead(
  requests: readonly ReadonlyMap<number, Window>[],
  ways: number,
): Map<number, Window> {
  const windows = new Map<number, Window>();
  for (const request of requests) {
    for (const [register, window] of request) {
      const writers = requests.filter((each) => each.get(register)?.writable).length;
      const other = windows.get(register) ?? window;
      const from = Math.min(window.from, other.from);
      const to = Math.max(window.to, other.to);
      if (to - from <= AHEAD_SPAN)
        windows.set(register, { from, to, writable: writers === ways, origin: from });
    }
  }
  return windows;
}

/** The windows that are open at the end of all predecessors of a block. */
export function commonWindows(ends: readonly ReadonlyMap<number, Window>[]): Map<number, Window> {
  const windows = new Map<number, Window>();
  ends[0]?.forEach((window, register) => {
    const { origin } = window;
    let { from, to, writable } = window;
    for (let n = 1; n < ends.length; n++) {
      const other = ends[n]?.get(register);
      if (other?.origin !== origin) return;
      from = Math.max(from, other.from);
      to = Math.min(to, other.to);
      writable &&= other.writable;
    }
    if (from < to) windows.set(register, { from, to, writable, origin });
  });
  return windows;
}

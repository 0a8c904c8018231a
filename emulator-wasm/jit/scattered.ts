/**
 * Finds the accesses of loops whose addresses are computed from loaded numbers, as in a hash table. Which
 * page the next one needs cannot be predicted. Loaded pointers do not count, because most lists and trees
 * take up few pages.
 */
import { IntegerOp, isMemory, MemoryOp } from '../assembly/riscv/opcodes.ts';
import { H_F, H_X } from '../layout.ts';
import type { Op } from './operations.ts';
import type { Instruction } from './page.ts';

/** Loads of numbers that can be greater than an index in a page. */
const LOADS: ReadonlySet<Op> = new Set([MemoryOp.LH, MemoryOp.LHU, MemoryOp.LW, MemoryOp.LWU]);
/** A result of SRLI by this many bits or more, or of SRLIW by 32 less, is a byte. */
const TO_BYTE = 56;
/** With this mask or a smaller one, an index of words is in two pages at most. */
const SMALL_MASK = 1023;

/** A set of integer registers, as bits. */
type Registers = number;

const bitOf = (register: number): Registers => (register < H_F ? 1 << ((register - H_X) >> 3) : 0);

/** The registers with numbers from memory after an instruction. */
function after({ op, rd, rs1, rs2, imm }: Instruction, loaded: Registers): Registers {
  if (rd === undefined || rd >= H_F) return loaded;
  const isLoaded =
    LOADS.has(op) || (!isMemory(op) && !isSmall(op, imm) && (loaded & (bitOf(rs1) | bitOf(rs2))) !== 0);
  return isLoaded ? loaded | bitOf(rd) : loaded & ~bitOf(rd);
}

function isSmall(op: Op, imm: number): boolean {
  if (op === IntegerOp.ANDI) return imm >= 0 && imm <= SMALL_MASK;
  if (op === IntegerOp.SRLI) return imm >= TO_BYTE;
  if (op === IntegerOp.SRLIW) return imm >= TO_BYTE - 32;
  return op === IntegerOp.LI || op === IntegerOp.AUIPC;
}

/**
 * @param blocks the instructions of all blocks
 * @param successors the numbers of the blocks that follow each
 * @param loop the blocks of a loop
 * @returns the offsets of such accesses
 */
export function scatteredAccesses(
  blocks: readonly (readonly Instruction[])[],
  successors: readonly (readonly number[])[],
  loop: readonly number[],
): ReadonlySet<number> {
  const scattered = new Set<number>();
  const before = new Int32Array(blocks.length);
  const isInLoop = new Set(loop);
  const queue = [...loop];
  for (let number = queue.pop(); number !== undefined; number = queue.pop()) {
    let loaded = before[number] as Registers;
    for (const instruction of blocks[number] as readonly Instruction[]) {
      if (isMemory(instruction.op) && (loaded & bitOf(instruction.rs1)) !== 0)
        scattered.add(instruction.offset);
      loaded = after(instruction, loaded);
    }
    for (const next of successors[number] as readonly number[]) {
      if (!isInLoop.has(next) || (loaded & ~(before[next] as Registers)) === 0) continue;
      before[next] = (before[next] as Registers) | loaded;
      queue.push(next);
    }
  }
  return scattered;
}

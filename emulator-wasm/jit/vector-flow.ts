/** The vtype that each block of a region expects. */
import { VectorOp } from '../assembly/riscv/opcodes.ts';
import { type CodePage, type Instruction, PAGE_SIZE, pageNumber } from './page.ts';
import type { Block, Region } from './region.ts';
import { fieldsOf, isVector, setsType, typeOf, type VectorType } from './vector-type.ts';

/**
 * The vtype that each block probably has at its beginning: that at the end of a block before it, or else that
 * of the nearest instruction before it in the page that sets one. Compiled code compares it with the hart's.
 */
export function expectedTypes(
  blocks: readonly Block[],
  successors: readonly (readonly number[])[],
  { pages }: Region,
): (VectorType | undefined)[] {
  const before: (VectorType | undefined)[] = [];
  if (!blocks.some(({ instructions }) => instructions.some(isVector))) return before;
  const ends = blocks.map(({ instructions }) => lastType(instructions));
  const pass = (number: number, type: VectorType | undefined) => {
    if (!type) return;
    for (const next of successors[number] as readonly number[]) {
      if (before[next]) continue;
      before[next] = type;
      if (ends[next] === undefined) pass(next, type);
    }
  };
  for (const [number, type] of ends.entries()) pass(number, type ?? undefined);
  for (const [number, { start, instructions }] of blocks.entries()) {
    if (before[number] || !instructions.some(isVector)) continue;
    const page = pages.get(pageNumber(start));
    const type = page && nearestType(page, start);
    before[number] = type;
    if (ends[number] === undefined) pass(number, type);
  }
  return before;
}

/** The vtype that a block sets last: null if it is not known, undefined if it sets none. */
function lastType(instructions: readonly Instruction[]): VectorType | null | undefined {
  for (let n = instructions.length - 1; n >= 0; n--) {
    const instruction = instructions[n] as Instruction;
    if (!isVector(instruction)) continue;
    const fields = fieldsOf(instruction);
    if (setsType(fields)) return typeOf(fields) ?? null;
  }
  return undefined;
}

function nearestType(page: CodePage, start: number): VectorType | undefined {
  const first = pageNumber(start) * PAGE_SIZE;
  for (let offset = start - 2; offset >= first; offset -= 2) {
    if (page.opAt(offset) !== VectorOp.VECTOR) continue;
    const fields = fieldsOf(page.at(offset));
    const type = setsType(fields) ? typeOf(fields) : undefined;
    if (type) return type;
  }
  return undefined;
}

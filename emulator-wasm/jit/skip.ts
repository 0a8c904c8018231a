/**
 * Branches over a few operations. Where they depend on data, the host's processor predicts them wrongly: that
 * takes longer than the operations. So the operations are always executed, and their results chosen.
 */
import { IntegerOp, isBranch } from '../assembly/opcodes.ts';
import { type Instruction, pageNumber, straddles } from './page.ts';
import type { Block } from './region.ts';

/** The most operations that are executed in vain. */
const MAX_SKIPPED = 3;

/** Whether the operation is an integer's, and takes only a few cycles. */
function isCheap(instruction: Instruction): boolean {
  const { op, rd } = instruction;
  const isLong = op >= IntegerOp.MULH && op <= IntegerOp.REMUW;
  return op >= IntegerOp.LI && op < IntegerOp.END && !isLong && rd !== undefined && !straddles(instruction);
}

/**
 * Joins each block that ends with a branch over a few operations to the block of these.
 * @param entries the offsets at which the region is entered
 */
export function joinSkipped(blocks: readonly Block[], entries: readonly number[]): Block[] {
  const byStart = new Map(blocks.map((block) => [block.start, block]));
  const joined = new Set<Block>();
  const reached = new Set(entries);
  for (const { targets } of blocks) for (const target of targets) reached.add(target);
  const result = blocks.map((block) => {
    const skipped = byStart.get(block.next);
    if (!skipped || reached.has(skipped.start) || !isSkip(block, skipped)) return block;
    joined.add(skipped);
    return { ...block, skipped: skipped.instructions, next: skipped.next, targets: [] };
  });
  return result.filter((block) => !joined.has(block));
}

function isSkip({ start, instructions, next, targets }: Block, skipped: Block): boolean {
  const last = instructions.at(-1);
  return (
    last !== undefined &&
    isBranch(last.op) &&
    targets[0] === skipped.next &&
    skipped.targets.length === 0 &&
    !skipped.leaves &&
    skipped.instructions.length <= MAX_SKIPPED &&
    skipped.instructions.every(isCheap) &&
    pageNumber(start) === pageNumber(next) &&
    pageNumber(start) === pageNumber(skipped.next)
  );
}

/** What the translator knows how to compile. */
import { isAtomic, isBranch, isJump } from '../assembly/opcodes.ts';
import type { Emit } from './emit.ts';
import { FLOAT } from './float.ts';
import { INTEGER } from './integer.ts';
import { emitAtomic, MEMORY } from './memory.ts';
import { type Op, rowOf } from './operations.ts';

const EMITTERS = { ...INTEGER, ...MEMORY, ...FLOAT };

/** How a straight instruction is written; undefined for any other. */
export function emitterOf(op: Op): Emit | undefined {
  return isAtomic(op) ? emitAtomic : rowOf(EMITTERS, op);
}

/** Whether the operation can be part of a region; all others, unknown ones included, are the interpreter's. */
export function isCompiled(op: Op): boolean {
  return isBranch(op) || isJump(op) || emitterOf(op) !== undefined;
}

/** The operations that the translator can compile. */
import { isAtomic, isBranch, isJump } from '../assembly/riscv/opcodes.ts';
import { emitAtomic } from './atomic.ts';
import { COUNTER } from './counter.ts';
import type { Emit } from './emit.ts';
import { FLOAT } from './float.ts';
import { INTEGER } from './integer.ts';
import { MEMORY } from './memory.ts';
import { type Op, rowOf } from './operations.ts';
import { VECTOR } from './vector.ts';

const EMITTERS = { ...INTEGER, ...MEMORY, ...FLOAT, ...COUNTER, ...VECTOR };

/** The emitter of a straight instruction; undefined for any other. */
export function emitterOf(op: Op): Emit | undefined {
  return isAtomic(op) ? emitAtomic : rowOf(EMITTERS, op);
}

/**
 * Whether the operation can be part of a region. The interpreter executes all others, including unknown ones.
 */
export function isCompiled(op: Op): boolean {
  return isBranch(op) || isJump(op) || emitterOf(op) !== undefined;
}

/** Operations by what the translator does with them, and tables that have a row for each of some kind. */
import type {
  AtomicOp,
  CsrOp,
  FarBranchOp,
  FarJumpOp,
  FloatMemoryOp,
  FloatOp,
  HintOp,
  IntegerOp,
  MemoryOp,
  NearBranchOp,
  NearJumpOp,
  PseudoOp,
  SystemOp,
} from '../assembly/opcodes.ts';

export type Integer = Exclude<IntegerOp, IntegerOp.END>;
export type Memory = Exclude<MemoryOp, MemoryOp.END> | Exclude<FloatMemoryOp, FloatMemoryOp.END>;
export type Float = Exclude<FloatOp, FloatOp.END>;

/** What is compiled, and neither branches nor jumps. */
export type Straight = Integer | Memory | Float | AtomicOp;

/** What is in a micro-op. */
export type Op =
  | Straight
  | NearBranchOp
  | FarBranchOp
  | NearJumpOp
  | FarJumpOp
  | CsrOp
  | HintOp
  | SystemOp
  | PseudoOp;

/** A table with other rows of the same names. */
export function mapTable<K extends Op, From, To>(
  table: Readonly<Record<K, From>>,
  change: (row: From) => To,
): Record<K, To> {
  const rows = Object.entries<From>(table).map(([op, row]) => [op, change(row)] as const);
  return Object.fromEntries(rows) as Record<K, To>;
}

/** The row of an operation that need not be in the table. */
export function rowOf<T>(table: Readonly<Record<number, T>>, op: Op): T | undefined {
  return table[op];
}

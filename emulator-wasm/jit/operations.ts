/**
 * Operations grouped by their handling in the translator, and tables with a row for each operation of a kind.
 */
import type {
  AtomicOp,
  CacheOp,
  CounterOp,
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
  RareFloatOp,
  SystemOp,
  VectorOp,
} from '../assembly/riscv/opcodes.ts';

export type Integer = Exclude<IntegerOp, IntegerOp.END>;
export type Memory = Exclude<MemoryOp, MemoryOp.END> | Exclude<FloatMemoryOp, FloatMemoryOp.END>;
export type Float = Exclude<FloatOp, FloatOp.END>;

export type Counter = Exclude<CounterOp, CounterOp.END>;
export type Vector = Exclude<VectorOp, VectorOp.END>;

/** Operations that are compiled and neither branch nor jump. */
export type Straight = Integer | Memory | Float | AtomicOp | Counter | Vector;

/** Any operation of a micro-op. */
export type Op =
  | Straight
  | NearBranchOp
  | FarBranchOp
  | NearJumpOp
  | FarJumpOp
  | CsrOp
  | HintOp
  | CacheOp
  | RareFloatOp
  | SystemOp
  | PseudoOp;

/** Returns a table with the same keys and other rows. */
export function mapTable<K extends Op, From, To>(
  table: Readonly<Record<K, From>>,
  change: (row: From) => To,
): Record<K, To> {
  const rows = Object.entries<From>(table).map(([op, row]) => [op, change(row)] as const);
  return Object.fromEntries(rows) as Record<K, To>;
}

/** Returns the row of an operation, if the table has it. */
export function rowOf<T>(table: Readonly<Record<number, T>>, op: Op): T | undefined {
  return table[op];
}

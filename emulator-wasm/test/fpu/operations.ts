/** The instructions under test, in the order in which oracle.c numbers them. */

/** The exports of assembly/riscv/fpu. */
export class Fpu {
  readonly #exports: WebAssembly.Exports;

  constructor(exports: WebAssembly.Exports) {
    this.#exports = exports;
  }

  #call(name: string, args: (bigint | number)[]): unknown {
    return (this.#exports[name] as (...args: (bigint | number)[]) => unknown)(...args);
  }

  get flags(): number {
    return this.#call('getFlags', []) as number;
  }

  set flags(flags: number) {
    this.#call('setFlags', [flags]);
  }

  /** Calls an operation on raw registers (bigint) and other operands (number). */
  call(name: string, ...operands: (bigint | number)[]): bigint {
    return this.#call(name, operands) as bigint;
  }
}

export type OperandKind = 'double' | 'single' | 'integer';

export interface Operation {
  name: string;
  operands: OperandKind;
  execute(fpu: Fpu, a: bigint, b: bigint, c: bigint, rm: number): bigint;
}

const SIGN = 1n << 63n;

/** The caller negates doubles. Singles must be unboxed first, so fmaS negates them itself. */
function fma(format: string, negateProduct: boolean, negateC: boolean): Operation['execute'] {
  if (format === 'S') {
    return (fpu, a, b, c, rm) => fpu.call('fmaS', a, b, c, rm, Number(negateProduct), Number(negateC));
  }
  return (fpu, a, b, c, rm) => fpu.call('fmaD', negateProduct ? a ^ SIGN : a, b, negateC ? c ^ SIGN : c, rm);
}

function arithmetic(format: string, operands: OperandKind): Operation[] {
  const table: Record<string, Operation['execute']> = {};
  for (const name of ['add', 'sub', 'mul', 'div']) {
    table[name] = (fpu, a, b, _c, rm) => fpu.call(name + format, a, b, rm);
  }
  table.sqrt = (fpu, a, _b, _c, rm) => fpu.call(`sqrt${format}`, a, rm);
  table.madd = fma(format, false, false);
  table.msub = fma(format, false, true);
  table.nmsub = fma(format, true, false);
  table.nmadd = fma(format, true, true);
  for (const name of ['min', 'max', 'eq', 'lt', 'le']) {
    table[name] = (fpu, a, b) => fpu.call(name + format, a, b);
  }
  table.class = (fpu, a) => fpu.call(`class${format}`, a);
  for (const name of ['sgnj', 'sgnjn', 'sgnjx']) {
    table[name] = (fpu, a, b) => fpu.call(name + format, a, b);
  }
  return Object.entries(table).map(([name, execute]) => ({ name: name + format, operands, execute }));
}

function conversion(name: string, operands: OperandKind): Operation {
  return { name, operands, execute: (fpu, a, _b, _c, rm) => fpu.call(name, a, rm) };
}

function operationsOf(format: string, operands: OperandKind): Operation[] {
  const integers = ['W', 'WU', 'L', 'LU'];
  return [
    ...arithmetic(format, operands),
    ...integers.map((integer) => conversion(`cvt${integer}${format}`, operands)),
    ...integers.map((integer) => conversion(`cvt${format}${integer}`, 'integer')),
  ];
}

export const operations: Operation[] = [
  ...operationsOf('D', 'double'),
  ...operationsOf('S', 'single'),
  conversion('cvtSD', 'double'),
  conversion('cvtDS', 'single'),
];

/** Operations whose results need rounding in many ways, and therefore the most tests. */
export const roundingOperations = operations.filter(({ name }) =>
  /^(add|sub|mul|div|sqrt|madd|msub|nmsub|nmadd)[DS]$|^cvtSD$/.test(name),
);

/**
 * The functions that compiled code may call. Every module of compiled code imports all of them in this order,
 * so that a function's body is valid in any of these modules.
 */
import { DISPATCH, DISPATCH_SIGNATURE } from './dispatch.ts';
import type { Signature } from './module.ts';
import { I32, I64, type ValueType } from './wasm.ts';

const of = (result: ValueType, ...parameters: ValueType[]): Signature => ({ parameters, results: [result] });
const unary = of(I64, I64);
const roundedUnary = of(I64, I64, I32);

/** The dispatcher, and functions of the core. The last parameter of those that round is the mode. */
export const IMPORTS = {
  [DISPATCH]: DISPATCH_SIGNATURE,
  floatState: of(I32, I32),
  counterValue: of(I64, I32, I32, I32),
  vectorOperation: of(I32, I32, I32),
  classS: unary,
  cvtWS: roundedUnary,
  cvtWUS: roundedUnary,
  cvtLS: roundedUnary,
  cvtLUS: roundedUnary,
  classD: unary,
  cvtWD: roundedUnary,
  cvtWUD: roundedUnary,
  cvtLD: roundedUnary,
  cvtLUD: roundedUnary,
} as const satisfies Record<string, Signature>;

export type Import = keyof typeof IMPORTS;

const INDICES = Object.fromEntries(Object.keys(IMPORTS).map((name, index) => [name, index])) as Record<
  Import,
  number
>;

/** All that a module imports. @param globals their values, which TypeScript's library does not allow here */
export function importsWith(imports: WebAssembly.Imports, globals: readonly bigint[]): WebAssembly.Imports {
  return { ...imports, globals: globals as unknown as WebAssembly.ModuleImports };
}

/** The index of the function in each module. */
export function importIndex(name: Import): number {
  return INDICES[name];
}

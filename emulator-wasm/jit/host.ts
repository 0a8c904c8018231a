/** What the translator knows of the host's processor and engine. */

import { ModuleWriter } from './module.ts';
import { simd } from './simd.ts';
import { Code, F64, I32 } from './wasm.ts';

/**
 * Whether it is an x86, whose invalid operations make negative NaNs. A processor that makes positive ones is
 * taken for another kind.
 */
function findX86(): boolean {
  const number = new Float32Array(1);
  number[0] = Number.POSITIVE_INFINITY;
  number[0] -= number[0];
  return (new Int32Array(number.buffer)[0] as number) < 0;
}

export const isX86 = findX86();

let simdFound: boolean | undefined;

/** Whether the engine has SIMD. */
export function hasSimd(): boolean {
  simdFound ??= findSimd();
  return simdFound;
}

function findSimd(): boolean {
  const writer = new ModuleWriter({ parameters: [I32], results: [I32] });
  const code = new Code(1);
  code.get(0);
  code.simd(simd.splat8, simd.anyTrue);
  writer.add(code.finish());
  return WebAssembly.validate(writer.finish());
}

let fuses: boolean | undefined;

/** Whether the engine has relaxed SIMD, and its relaxed_madd rounds once. */
export function fusesMultiplyAdd(): boolean {
  fuses ??= findFusion();
  return fuses;
}

function findFusion(): boolean {
  const writer = new ModuleWriter({ parameters: [F64, F64, F64], results: [F64] });
  const code = new Code(3);
  code.multiplyAdd(0, 1, 2);
  writer.add(code.finish());
  const bytes = writer.finish();
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const multiplyAdd = exports[0] as (a: number, b: number, c: number) => number;
  const a = 1 + 2 ** -30;
  return multiplyAdd(a, a, -(a * a)) !== 0;
}

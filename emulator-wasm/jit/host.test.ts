import { setFlagsFromString } from 'node:v8';
import { expect, it } from 'vitest';
import { fusesMultiplyAdd, isX86 } from './host.ts';

it('knows an x86', () => {
  expect(isX86).toBe(process.arch === 'x64');
});

it('knows whether a product and a sum are rounded once', () => {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  expect(fusesMultiplyAdd()).toBe(true);
});

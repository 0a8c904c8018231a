import { expect, it } from 'vitest';
import { ModuleWriter } from './module.ts';
import { REGION_SIGNATURE } from './parameters.ts';
import { Rehearsal } from './rehearsal.ts';
import type { Translation } from './translator.ts';
import { Code, wasm } from './wasm.ts';

/** A module whose function traps. */
function trap(): Translation {
  const code = new Code(REGION_SIGNATURE.parameters.length);
  code.op(wasm.unreachable);
  const writer = new ModuleWriter(REGION_SIGNATURE);
  writer.add(code.finish());
  const bytes = writer.finish();
  const module = new WebAssembly.Module(bytes);
  return { module, bytes: bytes.length, globals: [], regions: [{ pages: [], stored: 0 }] };
}

/** A clock by which the trial takes these times, the last of them from then on. */
function clockOf(...times: readonly number[]): () => number {
  const left = [...times];
  let now = 0;
  let isEnd = false;
  return () => {
    if (isEnd) now += (left.length > 1 ? left.shift() : left[0]) as number;
    isEnd = !isEnd;
    return now;
  };
}

it('calls functions when the trial has become faster', () => {
  const rehearsal = new Rehearsal(clockOf(12, 10, 5, 4, 3));
  rehearsal.add(trap());
  expect(rehearsal.proceed()).toBe(true);
  expect(rehearsal.proceed()).toBe(true);
  expect(() => rehearsal.proceed()).toThrow(WebAssembly.RuntimeError);
  expect(rehearsal.proceed()).toBe(false);
});

it('gives up in an engine that compiles at once', () => {
  const rehearsal = new Rehearsal(clockOf(12, 10, 5));
  rehearsal.add(trap());
  let attempts = 1;
  while (rehearsal.proceed()) attempts++;
  expect(attempts).toBe(100);
  rehearsal.add(trap());
  expect(rehearsal.proceed()).toBe(false);
});

import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import loadWabt from 'wabt';
import { assemble } from '../test/support/toolchain.ts';
import { DecodedPage, translateAlone } from '../test/support/translation.ts';
import type { Region } from './region.ts';

const host = vi.hoisted(() => ({ hasSimd: true }));
vi.mock('./host.ts', () => ({ isX86: false, hasSimd: () => host.hasSimd, fusesMultiplyAdd: () => false }));

it('needs no SIMD where the engine has none', async () => {
  const { bytes, labels } = await assemble(join(import.meta.dirname, 'golden/vector.S'));
  const page = await DecodedPage.create();
  page.decode(bytes);
  const region = page.region(0, (offset) => labels.includes(offset)) as Region;
  const wabt = await loadWabt();
  const readWithout = () => {
    const { module } = translateAlone(region, true);
    expect(WebAssembly.validate(module)).toBe(true);
    wabt.readWasm(module, { threads: true, tail_call: true, simd: false, readDebugNames: false }).destroy();
  };
  expect(readWithout).toThrow();
  host.hasSimd = false;
  expect(readWithout).not.toThrow();
});

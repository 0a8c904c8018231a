import { expect, test } from 'vitest';
import {
  H_WAKE,
  HART_STRIDE,
  HARTS,
  M_HARTS,
  M_RAM_BASE,
  PLIC_CONTEXT_STRIDE,
  PLIC_CONTEXTS,
} from '../../../../emulator-wasm/layout.ts';
import { GuestMemory } from './guest-memory.ts';

const COUNT = 3;
const SOURCE = 5;

test('an interrupt wakes the harts that have it enabled, in M-mode or S-mode, and no others', () => {
  const buffer = new SharedArrayBuffer(HARTS + COUNT * HART_STRIDE);
  const view = new DataView(buffer);
  view.setUint32(M_HARTS, COUNT, true);
  view.setUint32(M_RAM_BASE, buffer.byteLength, true);
  const enable = (context: number, sources: number) =>
    view.setUint32(PLIC_CONTEXTS + context * PLIC_CONTEXT_STRIDE, sources, true);
  enable(0, ~(1 << SOURCE));
  enable(3, 1 << SOURCE);
  enable(4, 1 << SOURCE);
  new GuestMemory(buffer).raiseLine(SOURCE);
  const wakes = [0, 1, 2].map((hart) => view.getUint32(HARTS + hart * HART_STRIDE + H_WAKE, true));
  expect(wakes).toEqual([0, 1, 1]);
});

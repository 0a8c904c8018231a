import { expect, it } from 'vitest';
import { H_INSTRET, HARTS, MACHINE, PAGE_WRITTEN } from '../../layout.ts';
import { runOnMachine } from '../support/machine.ts';
import { garbageElf } from './garbage.ts';

const CASES = 12;
const SEED = 5;

// Whatever a guest runs, the core neither crashes nor hangs nor leaves its memory.
it.each(Array.from({ length: CASES }, (_, i) => i))('case %i', { timeout: 20_000 }, async (index) => {
  const elf = garbageElf(SEED, index);
  // Rejects if the core traps; comes back only if the harts leave `run` when told to.
  const { machine } = await runOnMachine(elf, { harts: 2, milliseconds: 400 });
  expect(machine.view.getBigUint64(HARTS + H_INSTRET, true)).toBeGreaterThan(1000n);
  const zero = (from: number, to: number) =>
    new Uint8Array(machine.memory.buffer, from, to - from).every((byte) => byte === 0);
  expect(zero(0, MACHINE)).toBe(true);
  expect(zero(machine.pageFlags.byteOffset + machine.pageFlags.length, machine.ram.byteOffset)).toBe(true);
  expect(machine.pageFlags.every((flags) => (flags & ~PAGE_WRITTEN) === 0)).toBe(true);
});

import { expect, it } from 'vitest';
import {
  H_INSTRET,
  HARTS,
  MACHINE,
  MODE_FIRMWARE,
  PAGE_DIRTY,
  PAGE_STORED,
  PAGE_WRITTEN,
} from '../../layout.ts';
import { runOnMachine } from '../support/machine.ts';
import { lostWords } from '../support/saved.ts';
import { garbageElf } from './garbage.ts';

const CASES = 12;
const SEED = 5;

// No guest program makes the core crash, hang, or leave its memory.
let instructions = 0n;
const cases = Array.from({ length: CASES }, (_, index) => ({ index, firmware: index % 2 === 1 }));

it.each(cases)('case $index, firmware $firmware', { timeout: 20_000 }, async ({ index, firmware }) => {
  const mode = firmware ? MODE_FIRMWARE : 0;
  const elf = garbageElf(SEED, index, firmware);
  // Rejects if the core traps. Resolves only if the harts leave `run` when told to.
  const { machine } = await runOnMachine(elf, { harts: 2, mode, milliseconds: 400 });
  instructions += machine.view.getBigUint64(HARTS + H_INSTRET, true);
  const zero = (from: number, to: number) =>
    new Uint8Array(machine.memory.buffer, from, to - from).every((byte) => byte === 0);
  expect(zero(0, MACHINE)).toBe(true);
  expect(zero(machine.pageFlags.byteOffset + machine.pageFlags.length, machine.ram.byteOffset)).toBe(true);
  expect(machine.pageFlags.every((flags) => (flags & ~(PAGE_WRITTEN | PAGE_STORED | PAGE_DIRTY)) === 0)).toBe(
    true,
  );
  // Whatever registers hold, a saved state keeps it.
  expect(lostWords(machine)).toEqual([]);
});

it('executes many instructions', () => {
  expect(instructions).toBeGreaterThan(100_000n);
});

import { expect, it } from 'vitest';
import { HintOp, PseudoOp, SystemOp } from '../assembly/riscv/opcodes.ts';
import { Random } from '../test/support/random.ts';
import { DecodedPage, translateAlone } from '../test/support/translation.ts';
import { PAGE_SIZE } from './page.ts';
import { Rehearsal } from './rehearsal.ts';

const PAGES = 400;
const JAL = 0x6f;
const JALR = 0x67;
const RA = 1;
const SIGN = 0x8000_0000;

/** Opcodes, the values of funct3 that are used, and the bits of the rest that may be set. */
const FORMS: readonly (readonly [opcode: number, functions: readonly number[], free: number])[] = [
  [0x03, [0, 1, 2, 3, 4, 5, 6], 0xffff_8f80],
  [0x07, [2, 3], 0xffff_8f80],
  [0x13, [0, 2, 3, 4, 6, 7], 0xffff_8f80],
  [0x23, [0, 1, 2, 3], 0xffff_8f80],
  [0x33, [0, 1, 2, 3, 4, 5, 6, 7], 0x03ff_8f80],
  [0x63, [0, 1, 4, 5, 6, 7], 0xffff_8f80],
  [0x63, [0, 1, 4, 5, 6, 7], 0xffff_8f80],
  [JALR, [0], 0x000f_8f80],
  [JALR, [0], RA << 15],
  [JAL, [0], 0x7ff0_0f80],
];

function randomInstruction(random: Random): number {
  const [opcode, functions, free] = random.pick(FORMS);
  const bits = (random.u32() & free) | (random.pick(functions) << 12) | opcode;
  // A jump backwards has the sign in all bits above those of the offset in a page.
  return (opcode === JAL && random.below(2) ? bits | SIGN | 0xff000 : bits) >>> 0;
}

function randomPage(random: Random): Uint8Array {
  const page = new DataView(new ArrayBuffer(PAGE_SIZE));
  for (let offset = 0; offset < PAGE_SIZE; offset += 4)
    page.setUint32(offset, randomInstruction(random), true);
  return new Uint8Array(page.buffer);
}

/** In an engine whose functions become faster. */
function newRehearsal(): Rehearsal {
  const times = [0, 1, 0, 1];
  return new Rehearsal(() => times.shift() ?? 0);
}

it('makes a valid module of any page, which ends on a stage', async () => {
  const random = new Random(1);
  const rehearsal = newRehearsal();
  const page = await DecodedPage.create();
  let entries = 0;
  for (let n = 0; n < PAGES; n++) {
    page.decode(randomPage(random));
    const executed = Array.from({ length: PAGE_SIZE / 2 }, () => random.below(3) > 0);
    const hot = random.below(PAGE_SIZE / 2) * 2;
    const region = page.region(hot, (offset) => executed[offset / 2] as boolean);
    if (!region) continue;
    const translated = translateAlone(region, random.below(2) === 0);
    entries += translated.entries.length;
    const module = new WebAssembly.Module(translated.module);
    const bytes = translated.module.length;
    rehearsal.add({ module, bytes, globals: [], regions: [{ pages: [], stored: 0 }] });
    expect(rehearsal.proceed()).toBe(false);
    expect(translated.entries.every((offset) => offset >= 0 && offset < PAGE_SIZE)).toBe(true);
  }
  expect(entries).toBeGreaterThan(PAGES);
});

const NOP = Uint8Array.of(0x13, 0, 0, 0);
const UNKNOWN = 8;

function straight(length: number): Uint8Array {
  return Uint8Array.from(Array.from({ length }, () => [...NOP]).flat());
}

it('does not cut a straight run', async () => {
  const page = await DecodedPage.create();
  page.decode(straight(PAGE_SIZE / 4));
  const [block] = page.region(4)?.blocks.values() ?? [];
  expect(block?.instructions.length).toBe(PAGE_SIZE / 4 - 1);
});

/** `j` to an address 512 bytes further. */
const JUMP = Uint8Array.of(JAL, 0, 0, 0x20);

it.each([
  [20, 'compiles code of another region again', PAGE_SIZE / 4 - 512 / 4 + 1],
  [60, 'ends where another region begins', 60 + 1],
])('after %i instructions, it %s', async (length, _, all) => {
  const page = await DecodedPage.create();
  const code = straight(PAGE_SIZE / 4);
  code.set(JUMP, length * 4);
  page.decode(code);
  const target = length * 4 + 512;
  const blocks = page.region(0, undefined, (offset) => offset === target)?.blocks;
  expect([...(blocks?.keys() ?? [])].includes(target)).toBe(length < 50);
  const sizes = [...(blocks?.values() ?? [])].map(({ instructions }) => instructions.length);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(all);
});

it.each([
  ['a number no operation has', PseudoOp.END],
  ['the largest number', 0xffff],
  ['a hint', HintOp.PAUSE],
  ['a system instruction', SystemOp.ECALL],
  ['a pseudo-op', PseudoOp.STRADDLE],
])('leaves %s to the interpreter', async (_, op) => {
  const page = await DecodedPage.create();
  page.decode(straight(4));
  page.setOperation(UNKNOWN, op);
  const region = page.region(0);
  const [block, ...others] = [...(region?.blocks.values() ?? [])];
  expect(others).toEqual([]);
  expect(block).toMatchObject({ start: 0, next: UNKNOWN, targets: [], leaves: true });
  expect(block?.instructions.map(({ offset }) => offset)).toEqual([0, 4]);
  expect(WebAssembly.validate(translateAlone(region as NonNullable<typeof region>, true).module)).toBe(true);
  expect(page.region(UNKNOWN)).toBeUndefined();
});

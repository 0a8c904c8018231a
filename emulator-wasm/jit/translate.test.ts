import { expect, it } from 'vitest';
import { H_CODE_PAGE, HARTS } from '../layout.ts';
import { coreModule, MachineMemory } from '../test/support/core.ts';
import { Random } from '../test/support/random.ts';
import { decoder } from './decoder.ts';
import { CodePage, PAGE_SIZE } from './page.ts';
import { REGION_SIGNATURE } from './parameters.ts';
import { findRegion } from './region.ts';
import { translate } from './translate.ts';
import { ModuleWriter } from './wasm.ts';

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
  // A jump backwards: the sign is in all bits above those of its place in a page.
  return (opcode === JAL && random.below(2) ? bits | SIGN | 0xff000 : bits) >>> 0;
}

function randomPage(random: Random): Uint8Array {
  const page = new DataView(new ArrayBuffer(PAGE_SIZE));
  for (let offset = 0; offset < PAGE_SIZE; offset += 4)
    page.setUint32(offset, randomInstruction(random), true);
  return new Uint8Array(page.buffer);
}

it('makes a valid module of whatever is in a page', async () => {
  const random = new Random(1);
  const { memory } = new MachineMemory(1, 1 << 20, 0);
  const decodePage = decoder(await coreModule(), memory);
  const page = new CodePage(memory, HARTS);
  let entries = 0;
  for (let n = 0; n < PAGES; n++) {
    new Uint8Array(memory.buffer).set(randomPage(random), HARTS + H_CODE_PAGE);
    decodePage(HARTS);
    const executed = Array.from({ length: PAGE_SIZE / 2 }, () => random.below(3) > 0);
    const region = findRegion(
      page,
      random.below(PAGE_SIZE / 2) * 2,
      (offset) => executed[offset / 2] as boolean,
    );
    if (!region) continue;
    const module = new ModuleWriter(REGION_SIGNATURE);
    const translated = translate(region, module, random.below(2) === 0);
    entries += translated.entries.length;
    expect(WebAssembly.validate(module.finish())).toBe(true);
    expect(translated.entries.every((offset) => offset >= 0 && offset < PAGE_SIZE)).toBe(true);
  }
  expect(entries).toBeGreaterThan(PAGES);
});

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { MODE_ICOUNT, MODE_JIT, MODE_JIT_ALL } from '../../layout.ts';
import { runOnMachine } from '../support/machine.ts';
import { compile } from '../support/toolchain.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const RUNTIME = ['common', 'machine'].map((name) => join(FOLDER, 'runtime', name));

it('time by instruction count makes runs identical, including interrupts', async () => {
  const elf = await compile(join(FOLDER, 'clock.c'), RUNTIME);
  const outputs: string[] = [];
  for (let i = 0; i < 3; i++) {
    outputs.push((await runOnMachine(elf, { mode: MODE_ICOUNT, milliseconds: 20_000 })).output);
  }
  expect(outputs[0]).toMatch(/passed\n$/);
  expect(outputs[1]).toEqual(outputs[0]);
  expect(outputs[2]).toEqual(outputs[0]);
});

it('compiled code reads the same times as interpreted code', async () => {
  const elf = await compile(join(FOLDER, 'clock.c'), RUNTIME);
  const readings = async (mode: number) =>
    (await runOnMachine(elf, { mode: MODE_ICOUNT | mode, milliseconds: 20_000 })).output.split('\n')[0];
  expect(await readings(MODE_JIT | MODE_JIT_ALL)).toBe(await readings(0));
});

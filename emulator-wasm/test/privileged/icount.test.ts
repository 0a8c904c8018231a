import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { MODE_ICOUNT } from '../../layout.ts';
import { runOnMachine } from '../support/machine.ts';
import { compile } from '../support/toolchain.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const RUNTIME = ['common', 'machine'].map((name) => join(FOLDER, 'runtime', name));

it('time by instruction count makes runs the same, interrupts included', async () => {
  const elf = await compile(join(FOLDER, 'clock.c'), RUNTIME);
  const runs = [];
  for (let i = 0; i < 3; i++) runs.push(await runOnMachine(elf, { mode: MODE_ICOUNT, milliseconds: 20_000 }));
  expect(runs[0]?.output).toMatch(/passed\n$/);
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]).toEqual(runs[0]);
});

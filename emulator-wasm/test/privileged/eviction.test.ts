import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inlineTranslation } from '../../jit/inline.ts';
import type { Limits } from '../../jit/install.ts';
import { M_EVICTIONS, MODE_JIT, MODE_JIT_ALL, POWER_OFF } from '../../layout.ts';
import { coreModule, MachineMemory, PRIV_M } from '../support/core.ts';
import { readElf } from '../support/elf.ts';
import { instantiate } from '../support/instance.mjs';
import { compile } from '../support/toolchain.ts';

const FOLDER = import.meta.dirname;
const RUNTIME = ['common', 'machine'].map((name) => join(FOLDER, 'runtime', name));
const LIMITS: Record<string, Limits> = {
  'few regions': { regions: 5, modules: 1000, bytes: 1 << 20 },
  'few modules': { regions: 1000, modules: 3, bytes: 1 << 20 },
  'few bytes': { regions: 1000, modules: 1000, bytes: 8 << 10 },
  'a module at a time': { regions: 1, modules: 1, bytes: 1 },
};

/** Nearly each block is compiled each time it runs. */
const MACROS = process.env.LONG_TESTS ? [] : ['FEWER=8'];

/** Runs a program with each block compiled when it is first entered. */
async function runCompiled(program: string, limits: Limits) {
  const machine = new MachineMemory(1, 64 << 20, MODE_JIT | MODE_JIT_ALL);
  const elf = readElf(await readFile(await compile(join(FOLDER, program), RUNTIME, MACROS)));
  machine.loadElf(elf);
  let output = '';
  const print = (bytes: Uint8Array) => {
    output += Buffer.from(bytes).toString();
  };
  const start = performance.timeOrigin + performance.now();
  const hot = (exports: WebAssembly.Exports) => inlineTranslation(exports, machine.memory, 0, limits);
  const core = instantiate(await coreModule(), machine.memory, print, start, hot);
  core.reset(0, BigInt(elf.entry), PRIV_M, 0n);
  const power = core.run(0, 1n << 40n);
  return { power, output, evictions: machine.view.getUint32(M_EVICTIONS, true) };
}

describe.each(Object.entries(LIMITS))('room for %s', (_, limits) => {
  it.each(['smc.c', 'traps.c', 'returns.c'])('%s', async (program) => {
    const { power, output, evictions } = await runCompiled(program, limits);
    expect(output).toMatch(/passed\n$/);
    expect(power).toBe(POWER_OFF);
    expect(evictions).toBeGreaterThan(10);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { POWER_OFF } from '../../layout.ts';
import { runOnMachine } from '../support/machine.ts';
import { qemuSystem } from '../support/qemu.ts';
import { lostWords } from '../support/saved.ts';
import { compile } from '../support/toolchain.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const RUNTIME = ['common', 'machine'].map((name) => join(FOLDER, 'runtime', name));
/**
 * This program enters code at a quarter of a million places, which are too many to compile, and in which QEMU
 * spends more time than in all other programs.
 */
const WIDE = 'code_size.c';
const jit = process.env.JIT;
const programs = readdirSync(FOLDER).filter((name) => name.endsWith('.c') && !(jit && name === WIDE));

describe.each(programs)('%s', (name) => {
  const source = join(FOLDER, name);
  // A program that QEMU cannot run says why in its first comment.
  const coreOnly = /Core only:/.test(readFileSync(source, 'utf8'));
  const isLong = name === WIDE && !process.env.LONG_TESTS;

  it.skipIf(coreOnly || isLong || jit)('passes in QEMU', { timeout: 60_000 }, async () => {
    const { status, output } = await qemuSystem(await compile(source, RUNTIME));
    expect(output.toString()).toMatch(/passed\n$/);
    expect(status).toBe(0);
  });

  it('passes on the core', { timeout: 60_000 }, async () => {
    const elf = await compile(source, RUNTIME);
    const { output, power, exitCode, machine } = await runOnMachine(elf, { milliseconds: 20_000 });
    expect(output).toMatch(/passed\n$/);
    expect({ power, exitCode }).toEqual({ power: POWER_OFF, exitCode: 0 });
    expect(lostWords(machine)).toEqual([]);
  });
});

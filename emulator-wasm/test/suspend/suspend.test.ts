/** Programs that check themselves, suspended at random moments and resumed, also in other machines. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type BareMetalOptions, Machine } from '../../../src/machine/machine.ts';
import { nodePlatform } from '../../../src/machine/platform/node.ts';
import { Random } from '../support/random.ts';
import { compile } from '../support/toolchain.ts';
import { Disturbance } from './disturbance.ts';

const FOLDER = import.meta.dirname;
const RUNTIME = ['common', 'machine'].map((name) => join(FOLDER, '../privileged/runtime', name));
const LITMUS = join(FOLDER, '../litmus/machine');
const ROUNDS = process.env.LONG_TESTS ? 500 : 10;
const TIME = process.env.LONG_TESTS ? 600_000 : 60_000;

const platform = nodePlatform(join(FOLDER, '../../../public'));
let emulator: WebAssembly.Module;
let machine: Machine | undefined;

beforeAll(async () => {
  emulator = await platform.loadEmulator();
});
afterEach(() => machine?.stop());

/** Runs a program that is suspended `ROUNDS` times, a third of them to go on in another machine. */
async function disturb(
  elf: string,
  options: Pick<BareMetalOptions, 'cpus' | 'jit'>,
): Promise<{ output: string; code: number }> {
  let output = '';
  const common = {
    emulator,
    jit: options.jit,
    onConsole: (bytes: Uint8Array) => {
      output += Buffer.from(bytes).toString();
    },
  };
  const memoryBytes = 32 << 20;
  machine = await Machine.start(platform, { ...common, ...options, memoryBytes, elf: await readFile(elf) });
  const disturbance = new Disturbance(machine, common, new Random(options.cpus));
  for (let round = 0; round < ROUNDS && (await disturbance.next()); round++) machine = disturbance.machine;
  // Some programs end by themselves.
  await machine.write(Buffer.from('.')).catch(() => {});
  const { code } = await machine.exit;
  return { output, code };
}

describe.each([
  { cpus: 1, jit: 'off' },
  { cpus: 1, jit: 'all' },
  { cpus: 4, jit: 'off' },
  { cpus: 4, jit: 'all' },
] as const)('with $cpus CPUs, JIT $jit', (options) => {
  test('registers, exceptions, reservations, time and timers go on', { timeout: TIME }, async () => {
    const elf = await compile(join(FOLDER, 'work.c'), RUNTIME);
    const { output, code } = await disturb(elf, options);
    expect(output).toMatch(new RegExp(`${options.cpus} harts\npassed\n$`));
    expect(code).toBe(0);
  });
});

describe.each(['counters', 'interrupts', 'messages'])('four harts that run %s', (name) => {
  test('go on in step', { timeout: TIME }, async () => {
    const elf = await compile(join(LITMUS, `${name}.c`), RUNTIME);
    const { output, code } = await disturb(elf, { cpus: 4, jit: 'hot' });
    expect(output).toMatch(/passed\n$/);
    expect(code).toBe(0);
  });
});

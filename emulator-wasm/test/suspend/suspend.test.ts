/** Programs that check themselves, suspended at random moments and resumed, also in other machines. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type BareMetalOptions, Machine, type SuspendedMachine } from '../../../src/machine/machine.ts';
import { nodePlatform } from '../../../src/machine/platform/node.ts';
import { Random } from '../support/random.ts';
import { compile } from '../support/toolchain.ts';

const FOLDER = import.meta.dirname;
const RUNTIME = ['common', 'machine'].map((name) => join(FOLDER, '../privileged/runtime', name));
const LITMUS = join(FOLDER, '../litmus/machine');
const PAGE = 4096;
const ROUNDS = process.env.LONG_TESTS ? 500 : 10;
const TIME = process.env.LONG_TESTS ? 600_000 : 60_000;

const platform = nodePlatform(join(FOLDER, '../../../public'));
let emulator: WebAssembly.Module;
let machine: Machine | undefined;

beforeAll(async () => {
  emulator = await platform.loadEmulator();
});
afterEach(() => machine?.stop());

/** Keeps a copy of a machine's RAM as whoever saves it does, by the pages that are dirty. */
class SavedRam {
  readonly bytes: Uint8Array;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  save(suspended: SuspendedMachine): void {
    const dirty = suspended.dirtyPages();
    for (let page = 0; page < suspended.ram.length / PAGE; page++) {
      if (((dirty[page >>> 3] as number) >>> (page & 7)) & 1)
        this.bytes.set(suspended.ram.subarray(page * PAGE, (page + 1) * PAGE), page * PAGE);
    }
    suspended.markSaved();
  }
}

/** Runs a program that is suspended `ROUNDS` times, a third of them to go on in another machine. */
async function disturb(
  elf: string,
  options: Pick<BareMetalOptions, 'cpus' | 'jit'>,
): Promise<{ output: string; code: number }> {
  const random = new Random(options.cpus);
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
  const saved = new SavedRam(memoryBytes);
  for (let round = 0; round < ROUNDS; round++) {
    await delay(random.below(20));
    const suspended = await machine.suspend().catch(() => undefined);
    if (!suspended) break;
    if (random.below(2) === 0) {
      saved.save(suspended);
      expect(Buffer.compare(saved.bytes, suspended.ram)).toBe(0);
    }
    if (random.below(3) > 0) {
      await suspended.resume();
      continue;
    }
    saved.save(suspended);
    const state = structuredClone(suspended.state);
    await machine.stop();
    machine = await Machine.start(platform, {
      ...common,
      state,
      fillRam: (ram) => ram.set(saved.bytes),
    });
  }
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

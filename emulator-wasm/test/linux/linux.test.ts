import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Machine } from '../../../src/machine/machine.ts';
import type { JitMode } from '../../../src/options/jit.mjs';
import { qemuUser } from '../support/qemu.ts';
import { executable, initramfsWithPrograms, PROGRAMS, pathInGuest, platform } from './programs.ts';

const TIMEOUT = 120_000;
/** The number of instructions that must run as compiled code for the test to be meaningful. */
const LEAST_COMPILED = 5e6;
const DISK_BYTES = 1 << 16;
/** Prints its results, which are compared with QEMU's. */
const WITH_ORACLE = 'floating.c';

async function boot(jit: JitMode, cpus: number): Promise<Machine> {
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    initramfsWithPrograms(),
  ]);
  const disk = { kind: 'memory', data: new Uint8Array(DISK_BYTES), readOnly: false } as const;
  const size = { cpus, memoryBytes: 256 << 20, disks: [disk] };
  return Machine.start(platform, { emulator, kernel, initrd, commandLine: 'quiet', jit, ...size });
}

const CONFIGURATIONS: [JitMode, number][] = [
  ['hot', 1],
  ['hot', 4],
  ['all', 1],
];
if (process.env.LONG_TESTS) CONFIGURATIONS.push(['off', 1], ['off', 4], ['all', 4]);

describe.each(CONFIGURATIONS)('compiled: %s, harts: %i', { timeout: TIMEOUT }, (jit, cpus) => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await boot(jit, cpus);
  }, TIMEOUT);
  afterAll(() => machine?.stop());

  test.each(PROGRAMS)('%s', async (program) => {
    const before = machine.stats().jit.compiled;
    const { stdin, stdout, stderr, exit } = machine.run({ args: [pathInGuest(program)] });
    await stdin.close();
    const [output, errors, status] = await Promise.all([
      new Response(stdout).text(),
      new Response(stderr).text(),
      exit,
    ]);
    expect(output).toMatch(/(^|\n)passed\n$/);
    expect({ errors, status }).toEqual({ errors: '', status: 0 });
    if (program === WITH_ORACLE) {
      const expected = await qemuUser(await executable(program));
      expect(output).toBe(expected.output.toString());
    }
    const compiled = machine.stats().jit.compiled - before;
    if (jit === 'off') expect(compiled).toBe(0);
    else expect(compiled).toBeGreaterThan(LEAST_COMPILED);
  });
});

import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeCpio } from '../../../scripts/setup/cpio.mjs';
import { type JitMode, Machine } from '../../../src/machine/machine.ts';
import { nodePlatform } from '../../../src/machine/platform/node.ts';
import { qemuUser, type Run } from '../support/qemu.ts';
import { compileForLinux } from '../support/toolchain.ts';

const FOLDER = import.meta.dirname;
const PUBLIC = join(FOLDER, '../../../public');
const PROGRAMS = readdirSync(FOLDER).filter((name) => name.endsWith('.c'));
const TIMEOUT = 120_000;
/** Instructions of a program that have to run as compiled code, or it tests nothing. */
const LEAST_COMPILED = 5e6;

/** Prints what it finds, for QEMU to judge. */
const WITH_ORACLE = 'floating.c';
let oracle: Promise<Run>;

const executables = new Map<string, string>();
beforeAll(async () => {
  for (const name of PROGRAMS) executables.set(name, await compileForLinux(join(FOLDER, name)));
  oracle = qemuUser(executables.get(WITH_ORACLE) as string);
});

const pathInGuest = (name: string) => `/bin/${basename(name, '.c')}`;

/** Linux whose first file system holds the programs too: the kernel unpacks several archives, one after the other. */
async function boot(jit: JitMode, cpus: number): Promise<Machine> {
  const platform = nodePlatform(PUBLIC);
  const files = PROGRAMS.map(async (name) => ({
    path: pathInGuest(name).slice(1),
    type: 'file' as const,
    data: await readFile(executables.get(name) as string),
  }));
  const [emulator, kernel, base, added] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    platform.loadFile('kernel/initramfs.cpio'),
    Promise.all(files).then(writeCpio),
  ]);
  const initrd = Buffer.concat([base, added]);
  const size = { cpus, memoryBytes: 256 << 20 };
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

  test.each(PROGRAMS)('%s', async (name) => {
    const before = machine.stats().jit.compiled;
    const { stdin, stdout, stderr, exit } = machine.run({ args: [pathInGuest(name)] });
    await stdin.close();
    const [output, errors, status] = await Promise.all([
      new Response(stdout).text(),
      new Response(stderr).text(),
      exit,
    ]);
    expect(errors).toBe('');
    if (name === WITH_ORACLE) expect(output).toBe((await oracle).output.toString());
    expect(output).toMatch(/(^|\n)passed\n$/);
    expect(status).toBe(0);
    const compiled = machine.stats().jit.compiled - before;
    if (jit === 'off') expect(compiled).toBe(0);
    else expect(compiled).toBeGreaterThan(LEAST_COMPILED);
  });
});

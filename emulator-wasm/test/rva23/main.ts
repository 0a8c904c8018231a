/**
 * By hand: compiles C programs for RVA23U64 by a compiler that vectorises, and compares their output in the
 * machine with that in QEMU.
 *
 *     node --import tsx emulator-wasm/test/rva23/main.ts FOLDER [SOURCE…]
 *
 * The folder gets the compiler. Without sources it is `loops.c`; several are one program.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeCpio } from '../../../scripts/setup/cpio.mjs';
import { compileRva23 } from '../../../scripts/testing/rva23-gcc.mjs';
import { Machine } from '../../../src/machine/machine.ts';
import { nodePlatform } from '../../../src/machine/platform/node.ts';
import type { JitMode } from '../../../src/options/jit.mjs';
import { qemuRva23 } from '../support/qemu.ts';

const platform = nodePlatform(join(import.meta.dirname, '../../../public'));
const CONFIGURATIONS: readonly (readonly [JitMode, number])[] = [
  ['off', 1],
  ['hot', 1],
  ['hot', 4],
  ['all', 1],
];

async function runInMachine(program: string, jit: JitMode, cpus: number): Promise<string> {
  const file = { path: 'bin/program', type: 'file', data: await readFile(program) } as const;
  const [emulator, kernel, base] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    platform.loadFile('kernel/initramfs.cpio'),
  ]);
  const initrd = Buffer.concat([base, writeCpio([file])]);
  const size = { cpus, memoryBytes: 256 << 20, disks: [] };
  const machine = await Machine.start(platform, {
    emulator,
    kernel,
    initrd,
    commandLine: 'quiet',
    jit,
    ...size,
  });
  const { stdin, stdout, exit } = machine.run({ args: ['/bin/program'] });
  await stdin.close();
  const [output, status] = await Promise.all([new Response(stdout).text(), exit]);
  await machine.stop();
  return `${output}status ${status}\n`;
}

const [folder, ...sources] = process.argv.slice(2);
if (!folder) throw new Error('usage: main.ts FOLDER [SOURCE…]');
const program = await compileRva23(
  resolve(folder),
  sources.length > 0 ? sources : [join(import.meta.dirname, 'loops.c')],
);
const { status, output } = await qemuRva23(program);
const expected = `${output}status ${status}\n`;
for (const [jit, cpus] of CONFIGURATIONS) {
  const agrees = (await runInMachine(program, jit, cpus)) === expected;
  console.log(`compiled: ${jit}, processors: ${cpus}: ${agrees ? 'as in QEMU' : 'different'}`);
  if (!agrees) process.exitCode = 1;
}
process.exit();

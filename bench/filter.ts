import { readFile } from 'node:fs/promises';
import { Machine } from '../src/machine/machine.ts';
import { GUEST_FOLDER, writeGuestInitramfs } from './guest.ts';
import { KERNEL, MEMORY_MIB } from './linux.ts';
import { benchPlatform } from './platform.ts';
import { printTable } from './table.ts';

/** Prints the cost that the seccomp filter of containers adds to a short system call. */
export async function benchFilter(wasm: string): Promise<void> {
  console.log(
    'A system call (getppid) with and without the filter of containers: the best of 25 rounds of 200 000',
  );
  const [without = '', filtered = ''] = (await measure(wasm)).trim().split(' ');
  printTable(
    ['', 'ns'],
    [
      ['without', without],
      ['with', filtered],
    ],
  );
}

async function measure(wasm: string): Promise<string> {
  const platform = benchPlatform(wasm);
  const machine = await Machine.start(platform, {
    emulator: await platform.loadEmulator(),
    kernel: await platform.loadFile(KERNEL),
    initrd: await readFile(await writeGuestInitramfs()),
    cpus: 1,
    memoryBytes: MEMORY_MIB * 2 ** 20,
    commandLine: 'quiet',
  });
  try {
    return await new Response(machine.run({ args: [`${GUEST_FOLDER}/filter`] }).stdout).text();
  } finally {
    await machine.stop();
  }
}

import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { INIT_STARTED } from '../src/machine/protocol.ts';
import { bootLinux, INITRD } from './linux.ts';
import { benchPlatform, PUBLIC } from './platform.ts';
import { startAlone } from './process.ts';
import { qemuLinux } from './qemu.ts';
import { median, printTable } from './table.ts';
import { processTime } from './threads.ts';

const REQUIRED = 1;
/** The pause before each boot, in ms, so that the clean-up of the previous one does not disturb it. */
const SETTLE = 500;

/** The cost from the start of the virtual machine to the first line of PID 1, in seconds. */
export interface BootSample {
  elapsed: number;
  /** Processor time of all threads of the emulator. */
  cpu: number;
  /** Guest instructions; 0 if the emulator does not count them. */
  instructions: number;
}

/** Boots firmware and kernel in a fresh qemu-system-riscv64. */
export function bootInQemu(): Promise<BootSample> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const qemu = startAlone('qemu-system-riscv64', qemuLinux(join(PUBLIC, INITRD), ''));
    let output = '';
    qemu.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = output.includes(INIT_STARTED);
      output += text;
      if (before || !output.includes(INIT_STARTED)) return;
      const elapsed = (performance.now() - start) / 1000;
      resolve({ elapsed, cpu: processTime(qemu.pid as number), instructions: 0 });
      qemu.kill('SIGKILL');
    });
    qemu.on('error', reject);
    qemu.on('exit', (code, signal) =>
      reject(new Error(`QEMU ended (${signal ?? code}) before PID 1 started: ${output}`)),
    );
  });
}

/**
 * Boots the kernel in a fresh Node, because a process that has booted before has optimised the core already.
 * @param wasm the path of the core
 */
async function bootInNode(wasm: string): Promise<BootSample> {
  const program = [...process.execArgv, process.argv[1] as string, BOOT_HERE, '--wasm', wasm];
  return JSON.parse(await text(startAlone(process.execPath, program).stdout));
}

/** The argument with which the benchmark starts itself to boot once in a new process. */
export const BOOT_HERE = 'boot-here';

/** Boots the kernel in this process, and prints its cost. */
export async function bootHere(wasm: string): Promise<void> {
  const before = process.cpuUsage();
  const { seconds, instructions } = await bootLinux(benchPlatform(wasm));
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ elapsed: seconds, cpu: (user + system) / 1e6, instructions }));
}

export function benchBootInNode(wasm: string, repeat: number): Promise<void> {
  return benchBoot('Boot in Node', repeat, () => bootInNode(wasm));
}

/** Boots `repeat` times, in QEMU and with `boot` in turn, and prints a table. */
export async function benchBoot(
  title: string,
  repeat: number,
  boot: () => Promise<BootSample>,
): Promise<void> {
  const samples = { qemu: [] as BootSample[], ours: [] as BootSample[] };
  for (let round = 0; round < repeat; round++) {
    await sleep(SETTLE);
    samples.qemu.push(await bootInQemu());
    await sleep(SETTLE);
    samples.ours.push(await boot());
  }
  console.log(`${title}: from the start of the virtual machine to PID 1, medians of ${repeat}`);
  printTable(
    ['', 'seconds', 'best', 'processor s', 'M instructions'],
    Object.entries(samples).map(describeBoots),
  );
  const elapsed = (from: BootSample[]) => median(from.map(({ elapsed }) => elapsed));
  const ratio = elapsed(samples.ours) / elapsed(samples.qemu);
  console.log(`boot takes ${ratio.toFixed(2)} × qemu's time (required: at most ${REQUIRED.toFixed(2)})\n`);
}

function describeBoots([name, samples]: [string, BootSample[]]): string[] {
  const middle = (key: keyof BootSample) => median(samples.map((sample) => sample[key]));
  const millions = middle('instructions') / 1e6;
  const best = Math.min(...samples.map(({ elapsed }) => elapsed));
  return [
    name,
    middle('elapsed').toFixed(3),
    best.toFixed(3),
    middle('cpu').toFixed(2),
    millions ? millions.toFixed(1) : '',
  ];
}

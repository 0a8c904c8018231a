import { readFile } from 'node:fs/promises';
import { runOnCore } from './core.ts';
import { runInQemu } from './qemu.ts';
import { parseReport, type Sample } from './sample.ts';
import { geometricMean, median, printLeast, printNone, printTable } from './table.ts';
import { threadClock } from './threads.ts';
import { compileWorkloads, GROUPS, type Workload } from './workloads.ts';

/** Of each ratio to QEMU, and of that of `mix`. */
const LEAST = 1;
const LEAST_OF_MIX = 1.8;
const STARTUP_RUNS = 5;

export type Runner = (workload: Workload) => Promise<Sample>;

interface Comparison {
  name: string;
  qemu: Sample[];
  ours: Sample[];
}

/** Runs each workload `repeat` times, in both emulators in turn. */
async function compare(workloads: Workload[], repeat: number, ours: Runner): Promise<Comparison[]> {
  const comparisons = workloads.map((workload) => ({ workload, qemu: [] as Sample[], ours: [] as Sample[] }));
  for (let round = 0; round < repeat; round++) {
    for (const comparison of comparisons) {
      comparison.qemu.push(await runInQemu(comparison.workload));
      comparison.ours.push(await ours(comparison.workload));
    }
  }
  return comparisons.map(({ workload, qemu, ours }) => ({ name: workload.name, qemu, ours }));
}

const cpuOf = (samples: Sample[]) => median(samples.map(({ cpu }) => cpu));

function printComparisons(comparisons: Comparison[], startup: Comparison, required: number): void {
  const ratios = new Map<string, number>();
  const rows = comparisons.map(({ name, qemu, ours }) => {
    const qemuSeconds = cpuOf(qemu) - cpuOf(startup.qemu);
    const ourSeconds = cpuOf(ours) - cpuOf(startup.ours);
    const ratio = qemuSeconds / ourSeconds;
    ratios.set(name, ratio);
    const mips = median(ours.map(({ instructions }) => instructions)) / ourSeconds / 1e6;
    return [name, qemuSeconds.toFixed(3), ourSeconds.toFixed(3), mips.toFixed(0), ratio.toFixed(2)];
  });
  printTable(['workload', 'qemu s', 'ours s', 'MIPS', '× qemu'], rows);
  for (const [title, names] of Object.entries(GROUPS)) {
    const some = names.flatMap((name) => ratios.get(name) ?? []);
    if (some.length) printLeast(`geometric mean of ${some.length} ${title}`, geometricMean(some), required);
  }
  const mix = ratios.get('mix');
  if (mix) printLeast('mix', mix, LEAST_OF_MIX);
  const slow = [...ratios].filter(([, ratio]) => ratio < LEAST).map(([name]) => name);
  printNone('slower than qemu', slow);
  console.log();
}

/**
 * Runs the named workloads in QEMU and with `ours`, and prints a table.
 * @param required of the geometric mean of the ratios to QEMU
 */
export async function benchWorkloads(
  title: string,
  names: string[],
  repeat: number,
  ours: Runner,
  required: number,
): Promise<void> {
  console.log(`${title}: processor seconds, start-up subtracted, medians of ${repeat}`);
  const { startup, workloads } = await compileWorkloads(names);
  const [idle] = await compare([startup], STARTUP_RUNS, ours);
  if (idle) printComparisons(await compare(workloads, repeat, ours), idle, required);
}

/** Runs workloads in the calling thread. @param mode MODE_* */
export async function nodeRunner(wasm: string, mode?: number): Promise<Runner> {
  const module = await WebAssembly.compile(await readFile(wasm));
  const clock = threadClock('/proc/thread-self');
  return async ({ name, path }) => {
    const elf = await readFile(path);
    const start = clock();
    const output = runOnCore(module, elf, mode);
    return { cpu: clock() - start, ...parseReport(name, output) };
  };
}

/**
 * `npm run bench -- [SECTION…] [WORKLOAD…] [--repeat N] [--wasm PATH]`
 *
 * Measures the machine against qemu-system-riscv64, side by side in one run.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runOnCore } from './core.ts';
import { runInQemu } from './qemu.ts';
import { parseReport, type Sample } from './sample.ts';
import { geometricMean, median, printTable } from './table.ts';
import { compileWorkloads, type Workload, workloadNames } from './workloads.ts';

const REQUIRED_RATIO = 0.35;

/** Processor time of the calling thread, in seconds. */
function threadTime(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e9;
}

async function runInNode(module: WebAssembly.Module, { name, path }: Workload): Promise<Sample> {
  const elf = await readFile(path);
  const start = threadTime();
  const output = runOnCore(module, elf);
  return { cpu: threadTime() - start, ...parseReport(name, output) };
}

interface Comparison {
  name: string;
  qemu: Sample[];
  ours: Sample[];
}

async function compare(
  workloads: Workload[],
  repeat: number,
  qemu: (workload: Workload) => Promise<Sample>,
  ours: (workload: Workload) => Promise<Sample>,
): Promise<Comparison[]> {
  const comparisons = workloads.map(({ name }): Comparison => ({ name, qemu: [], ours: [] }));
  for (let round = 0; round < repeat; round++) {
    for (const [index, workload] of workloads.entries()) {
      comparisons[index]?.qemu.push(await qemu(workload));
      comparisons[index]?.ours.push(await ours(workload));
    }
  }
  return comparisons;
}

const cpuOf = (samples: Sample[]) => median(samples.map(({ cpu }) => cpu));

function printComparisons(comparisons: Comparison[], startup: { qemu: number; ours: number }): void {
  const ratios: number[] = [];
  const rows = comparisons.map(({ name, qemu, ours }) => {
    const qemuSeconds = cpuOf(qemu) - startup.qemu;
    const ourSeconds = cpuOf(ours) - startup.ours;
    const mips = (ours[0]?.instructions ?? 0) / ourSeconds / 1e6;
    ratios.push(qemuSeconds / ourSeconds);
    return [
      name,
      qemuSeconds.toFixed(3),
      ourSeconds.toFixed(3),
      mips.toFixed(0),
      (qemuSeconds / ourSeconds).toFixed(2),
    ];
  });
  printTable(['workload', 'qemu s', 'ours s', 'MIPS', 'ratio'], rows);
  console.log(`geometric mean ${geometricMean(ratios).toFixed(3)} × qemu (required: ${REQUIRED_RATIO})`);
}

async function benchNode(wasm: string, names: string[], repeat: number): Promise<void> {
  const module = await WebAssembly.compile(await readFile(wasm));
  const { startup, workloads } = await compileWorkloads(names);
  const [idle] = await compare([startup], 5, runInQemu, (workload) => runInNode(module, workload));
  if (!idle) return;
  const comparisons = await compare(workloads, repeat, runInQemu, (workload) => runInNode(module, workload));
  printComparisons(comparisons, { qemu: cpuOf(idle.qemu), ours: cpuOf(idle.ours) });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repeat: { type: 'string', default: '3' },
    wasm: { type: 'string', default: join(import.meta.dirname, '../public/emulator.wasm') },
  },
});
const all = await workloadNames();
await benchNode(values.wasm, positionals.length ? positionals : all, Number(values.repeat));

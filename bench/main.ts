/**
 * `npm run bench -- [SECTION…] [WORKLOAD…] [--repeat N] [--wasm PATH]`
 *
 * Measures the machine against qemu-system-riscv64, side by side in one run. Without sections
 * all are measured, and without workloads all of those run.
 */
import { readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BootSample, bootHere, bootInNode, bootInQemu } from './boot.ts';
import { withChromium } from './chromium.ts';
import { runOnCore } from './core.ts';
import { runInQemu } from './qemu.ts';
import { parseReport, type Sample } from './sample.ts';
import { geometricMean, median, printTable } from './table.ts';
import { threadClock } from './threads.ts';
import { compileWorkloads, type Workload, workloadNames } from './workloads.ts';

const REQUIRED_RATIO = 0.35;
const REQUIRED_BOOT = 1;
const BOOTS_PER_REPEAT = 3;
const STARTUP_RUNS = 5;

type Runner = (workload: Workload) => Promise<Sample>;

interface Comparison {
  name: string;
  qemu: Sample[];
  ours: Sample[];
}

/** Runs each workload `repeat` times in both emulators by turns. */
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

function printComparisons(comparisons: Comparison[], startup: Comparison): void {
  const ratios: number[] = [];
  const rows = comparisons.map(({ name, qemu, ours }) => {
    const qemuSeconds = cpuOf(qemu) - cpuOf(startup.qemu);
    const ourSeconds = cpuOf(ours) - cpuOf(startup.ours);
    const ratio = qemuSeconds / ourSeconds;
    ratios.push(ratio);
    const mips = median(ours.map(({ instructions }) => instructions)) / ourSeconds / 1e6;
    return [name, qemuSeconds.toFixed(3), ourSeconds.toFixed(3), mips.toFixed(0), ratio.toFixed(2)];
  });
  printTable(['workload', 'qemu s', 'ours s', 'MIPS', 'ratio'], rows);
  console.log(`geometric mean ${geometricMean(ratios).toFixed(3)} × qemu (required: ${REQUIRED_RATIO})\n`);
}

async function benchWorkloads(title: string, names: string[], repeat: number, ours: Runner): Promise<void> {
  console.log(`${title}: processor seconds, start-up subtracted, medians of ${repeat}`);
  const { startup, workloads } = await compileWorkloads(names);
  const [idle] = await compare([startup], STARTUP_RUNS, ours);
  if (idle) printComparisons(await compare(workloads, repeat, ours), idle);
}

/** Runs workloads in this very thread. */
async function nodeRunner(wasm: string): Promise<Runner> {
  const module = await WebAssembly.compile(await readFile(wasm));
  const clock = threadClock('/proc/thread-self');
  return async ({ name, path }) => {
    const elf = await readFile(path);
    const start = clock();
    const output = runOnCore(module, elf);
    return { cpu: clock() - start, ...parseReport(name, output) };
  };
}

async function benchBoot(title: string, repeat: number, boot: () => Promise<BootSample>): Promise<void> {
  const samples = { qemu: [] as BootSample[], ours: [] as BootSample[] };
  for (let round = 0; round < repeat; round++) {
    samples.qemu.push(await bootInQemu());
    samples.ours.push(await boot());
  }
  console.log(`${title}: from the start of the virtual machine to PID 1, medians of ${repeat}`);
  const middle = (from: BootSample[], key: keyof BootSample) => median(from.map((sample) => sample[key]));
  const row = (name: string, from: BootSample[]) => {
    const instructions = middle(from, 'instructions');
    const millions = instructions ? (instructions / 1e6).toFixed(1) : '';
    return [name, middle(from, 'elapsed').toFixed(3), middle(from, 'cpu').toFixed(2), millions];
  };
  printTable(
    ['', 'seconds', 'processor s', 'M instructions'],
    [row('qemu', samples.qemu), row('ours', samples.ours)],
  );
  const ratio = middle(samples.ours, 'elapsed') / middle(samples.qemu, 'elapsed');
  console.log(
    `boot takes ${ratio.toFixed(2)} × qemu's time (required: at most ${REQUIRED_BOOT.toFixed(2)})\n`,
  );
}

const SECTIONS = ['node', 'chromium', 'boot-node', 'boot-chromium'];

interface Plan {
  sections: string[];
  names: string[];
  repeat: number;
  wasm: string;
}

async function readPlan(): Promise<Plan> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      repeat: { type: 'string', default: '3' },
      wasm: { type: 'string', default: join(import.meta.dirname, '../public/emulator.wasm') },
    },
  });
  const all = await workloadNames();
  const names = positionals.filter((word) => all.includes(word));
  const sections = positionals.filter((word) => SECTIONS.includes(word));
  const repeat = Number(values.repeat);
  if (names.length + sections.length < positionals.length || !Number.isInteger(repeat) || repeat < 1) {
    throw new Error(
      `usage: npm run bench -- [${[...SECTIONS, ...all].join(' | ')}]… [--repeat N] [--wasm PATH]`,
    );
  }
  return {
    sections: sections.length ? sections : SECTIONS,
    names: names.length ? names : all,
    repeat,
    wasm: values.wasm,
  };
}

async function main(): Promise<void> {
  const { sections, names, repeat, wasm } = await readPlan();
  const [{ model = 'CPU' } = {}, ...others] = cpus();
  // Other programs that run meanwhile disturb elapsed times, and by the caches processor times too.
  console.log(
    `${others.length + 1} × ${model}, Node ${process.version}, load average ${loadavg()[0]?.toFixed(1)}\n`,
  );
  const boots = repeat * BOOTS_PER_REPEAT;
  if (sections.includes('node')) {
    await benchWorkloads('Workloads in Node', names, repeat, await nodeRunner(wasm));
  }
  if (sections.includes('boot-node')) await benchBoot('Boot in Node', boots, () => bootInNode(BOOT_HERE));
  if (!sections.includes('chromium') && !sections.includes('boot-chromium')) return;
  await withChromium(wasm, async (chromium) => {
    if (sections.includes('chromium')) {
      await benchWorkloads('Workloads in Chromium', names, repeat, chromium.runWorkload);
    }
    if (sections.includes('boot-chromium')) await benchBoot('Boot in Chromium', boots, chromium.boot);
  });
}

/** The argument by which the benchmark starts itself to boot once. */
const BOOT_HERE = 'boot-here';

if (process.argv[2] === BOOT_HERE) {
  console.log(JSON.stringify(await bootHere()));
} else {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

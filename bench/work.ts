import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { INIT_STARTED } from '../src/machine/protocol.ts';
import { type Launch, measureUntil, StoredImage, type Stretch } from './containers.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import { INITRD, MEMORY_MIB } from './linux.ts';
import { PUBLIC } from './platform.ts';
import { COLD, type Program, WARM } from './programs.ts';
import { qemuLinux } from './qemu.ts';
import { geometricMean, median, printTable } from './table.ts';

const WITH_SETUP = join(import.meta.dirname, '../scripts/with-setup.mjs');
const INTERPRETED = ['--jit', 'off'];
/** Of the geometric mean of the ratios to QEMU. */
const REQUIRED = 0.8;
/** How much longer than the interpreter alone cold work may take. */
const TOLERANCE = 1.05;
/** Cold work is short: it is repeated so many times as often, for 5 % is little of half a second. */
const COLD_TIMES = 5;
/** Before each run, so that what the one before left to be cleaned up does not disturb it, in ms. */
const SETTLE = 300;

const WAYS = ['qemu', 'compiled', 'interpreted'] as const;
type Way = (typeof WAYS)[number];

interface Task {
  readonly title: string;
  readonly from?: RegExp | undefined;
  readonly to: RegExp;
  launch(way: Way): Launch | Promise<Launch>;
}

type Samples = Record<Way, Stretch[]>;

/** Seconds, medians. */
interface Figures {
  readonly title: string;
  readonly elapsed: Record<Way, number>;
  readonly cpu: Record<Way, number>;
}

const BOOT: Task = {
  title: 'boot to PID 1',
  to: new RegExp(`^${INIT_STARTED}`, 'm'),
  launch(way) {
    if (way === 'qemu') return { command: 'qemu-system-riscv64', args: qemuLinux(join(PUBLIC, INITRD), '') };
    const options = ['--memory', `${MEMORY_MIB}M`, '--append', 'quiet'];
    const jit = way === 'interpreted' ? INTERPRETED : [];
    return { command: process.execPath, args: [WITH_SETUP, 'boot', ...options, ...jit] };
  },
};

/** Runs real programs in QEMU, and in our machine with the JIT and without it, by turns, and prints tables. */
export async function benchWork(repeat: number): Promise<void> {
  const boot = await measureTask(BOOT, repeat * COLD_TIMES);
  const cold = [boot, ...(await measurePrograms(COLD, repeat * COLD_TIMES))];
  printFigures(`Cold work, from the start of the process: medians of ${repeat * COLD_TIMES}`, cold);
  const warm = await measurePrograms(WARM, repeat);
  printFigures(`Warm work, without boot and preparation: medians of ${repeat}`, warm);
  printVerdict(cold, warm);
}

async function measurePrograms(programs: readonly Program[], rounds: number): Promise<Figures[]> {
  const figures: Figures[] = [];
  for (const tag of new Set(programs.map((program) => program.tag))) {
    const reference = findTestImage(tag);
    if (!reference) continue;
    await withFolder(async (folder) => {
      const image = await StoredImage.pull(reference, folder);
      for (const program of programs.filter((each) => each.tag === tag))
        figures.push(await measureTask(taskOf(program, image), rounds));
    });
  }
  return figures;
}

function taskOf({ title, from, to, command }: Program, image: StoredImage): Task {
  return {
    title,
    from,
    to,
    launch: (way) =>
      way === 'qemu' ? image.qemu(command) : image.ours(command, way === 'interpreted' ? INTERPRETED : []),
  };
}

/** @throws when the program printed something else in one of them, between the marks */
async function measureTask(task: Task, rounds: number): Promise<Figures> {
  const samples: Samples = { qemu: [], compiled: [], interpreted: [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of WAYS) {
      const launch = await task.launch(way);
      await sleep(SETTLE);
      samples[way].push(await measureUntil(launch, task.to, task.from));
    }
  }
  if (task.from) requireSameOutput(task.title, samples);
  const middle = (key: 'elapsed' | 'cpu') =>
    byWay((way) => median(samples[way].map((sample) => sample[key])));
  return { title: task.title, elapsed: middle('elapsed'), cpu: middle('cpu') };
}

function byWay<T>(of: (way: Way) => T): Record<Way, T> {
  return { qemu: of('qemu'), compiled: of('compiled'), interpreted: of('interpreted') };
}

function requireSameOutput(title: string, samples: Samples): void {
  const outputs = new Set(WAYS.flatMap((way) => samples[way]).map(({ output }) => output));
  if (outputs.size > 1) throw new Error(`${title} printed different things:\n${[...outputs].join('\n')}`);
}

const toQemu = ({ elapsed }: Figures) => elapsed.qemu / elapsed.compiled;
const toInterpreter = ({ elapsed }: Figures) => elapsed.interpreted / elapsed.compiled;

function printFigures(title: string, figures: readonly Figures[]): void {
  console.log(title);
  printTable(
    ['', ...['qemu', 'JIT', 'no JIT'].flatMap((way) => [`${way} s`, 'cpu s']), '× qemu', '× no JIT'],
    figures.map((row) => [
      row.title,
      ...WAYS.flatMap((way) => [row.elapsed[way].toFixed(2), row.cpu[way].toFixed(2)]),
      toQemu(row).toFixed(2),
      toInterpreter(row).toFixed(2),
    ]),
  );
  console.log();
}

function printVerdict(cold: readonly Figures[], warm: readonly Figures[]): void {
  const mean = geometricMean([...cold, ...warm].map(toQemu)).toFixed(2);
  console.log(`geometric mean of all: ${mean} × qemu (required: ${REQUIRED.toFixed(2)})`);
  const slower = [
    ...cold.filter((row) => toInterpreter(row) < 1 / TOLERANCE),
    ...warm.filter((row) => toInterpreter(row) <= 1),
  ];
  const names = slower.map(({ title }) => title).join(', ') || 'nothing';
  console.log(`slower than without the JIT (cold work by more than 5 %): ${names} (required: nothing)\n`);
}

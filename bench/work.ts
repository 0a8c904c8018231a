import { join } from 'node:path';
import { INIT_STARTED } from '../src/machine/protocol.ts';
import { INITRD, MEMORY_MIB } from './linux.ts';
import { type Figures, INTERPRETED, measurePrograms, measureTask, type Task } from './measure.ts';
import { PUBLIC } from './platform.ts';
import { COLD, WARM } from './programs.ts';
import { qemuLinux } from './qemu.ts';
import { geometricMean, printTable } from './table.ts';

const WITH_SETUP = join(import.meta.dirname, '../scripts/with-setup.mjs');
/** Of the geometric mean of the ratios to QEMU. */
const REQUIRED = 0.8;
/** How much longer than the interpreter alone cold work may take. */
const TOLERANCE = 1.05;
/** Cold work takes half a second, of which 5 % is little, so it is repeated more often by this factor. */
const COLD_TIMES = 5;

const WAYS = ['qemu', 'compiled', 'interpreted'] as const;
type WorkFigures = Figures<(typeof WAYS)[number]>;

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

/** Runs real programs in QEMU, and in our machine with and without the JIT, in turn, and prints tables. */
export async function benchWork(repeat: number): Promise<void> {
  const boot = await measureTask(BOOT, WAYS, repeat * COLD_TIMES);
  const cold = [boot, ...(await measurePrograms(COLD, WAYS, repeat * COLD_TIMES))];
  printFigures(`Cold work, from the start of the process: medians of ${repeat * COLD_TIMES}`, cold);
  const warm = await measurePrograms(WARM, WAYS, repeat);
  printFigures(`Warm work, without boot and preparation: medians of ${repeat}`, warm);
  printVerdict(cold, warm);
}

const toQemu = ({ elapsed }: WorkFigures) => elapsed.qemu / elapsed.compiled;
const toInterpreter = ({ elapsed }: WorkFigures) => elapsed.interpreted / elapsed.compiled;

function printFigures(title: string, figures: readonly WorkFigures[]): void {
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

function printVerdict(cold: readonly WorkFigures[], warm: readonly WorkFigures[]): void {
  const mean = geometricMean([...cold, ...warm].map(toQemu)).toFixed(2);
  console.log(`geometric mean of all: ${mean} × qemu (required: ${REQUIRED.toFixed(2)})`);
  const slower = [
    ...cold.filter((row) => toInterpreter(row) < 1 / TOLERANCE),
    ...warm.filter((row) => toInterpreter(row) <= 1),
  ];
  const names = slower.map(({ title }) => title).join(', ') || 'nothing';
  console.log(`slower than without the JIT (cold work by more than 5 %): ${names} (required: nothing)\n`);
}

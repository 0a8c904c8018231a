/** Measures programs that the JIT must not slow down: wide ones, and those that write code themselves. */
import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { compileWriter } from './guest.ts';
import { type Figures, measurePrograms } from './measure.ts';
import { widePrograms } from './programs.ts';
import { printTable } from './table.ts';

const WAYS = ['compiled', 'interpreted'] as const;
/** The most time and processor time with the JIT, relative to those without it. */
const MOST = { elapsed: 1.1, cpu: 1.3 };

/**
 * Runs wide programs with the JIT and without it, in turn, and prints a table.
 * @param busy whether to keep all processors busy with other processes
 */
export async function benchWide(repeat: number, busy: boolean): Promise<void> {
  const programs = widePrograms(await compileWriter());
  const others = busy ? cpus().map(() => spawn('sh', ['-c', 'while :; do :; done'], { detached: true })) : [];
  try {
    const figures = await measurePrograms(programs, WAYS, repeat);
    printWide(
      `Wide work${busy ? ', the processors busy with other processes' : ''}: medians of ${repeat}`,
      figures,
    );
  } finally {
    for (const other of others) other.kill('SIGKILL');
  }
}

function printWide(title: string, figures: readonly Figures<(typeof WAYS)[number]>[]): void {
  const ratio = (row: (typeof figures)[number], key: 'elapsed' | 'cpu') =>
    row[key].compiled / row[key].interpreted;
  console.log(title);
  printTable(
    ['', 'JIT s', 'cpu s', 'no JIT s', 'cpu s', '× time', '× cpu'],
    figures.map((row) => [
      row.title,
      ...WAYS.flatMap((way) => [row.elapsed[way].toFixed(2), row.cpu[way].toFixed(2)]),
      ratio(row, 'elapsed').toFixed(2),
      ratio(row, 'cpu').toFixed(2),
    ]),
  );
  const slower = figures.filter(
    (row) => ratio(row, 'elapsed') > MOST.elapsed || ratio(row, 'cpu') > MOST.cpu,
  );
  const names = slower.map((row) => row.title).join(', ') || 'nothing';
  console.log(
    `more than ${MOST.elapsed} × the time or ${MOST.cpu} × the processor time: ${names} (required: nothing)\n`,
  );
}

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseReport, type Sample } from './sample.ts';
import type { Workload } from './workloads.ts';

const run = promisify(execFile);

const TIMEOUT = 60_000;
// bash prints the processor time of the child it waited for, to the millisecond.
const TIMED = 'TIMEFORMAT="cpu %U %S"; time "$@" </dev/null';

/** Runs a workload in a fresh qemu-system-riscv64; its processor time includes QEMU's start-up. */
export async function runInQemu({ name, path }: Workload): Promise<Sample> {
  const qemu = ['qemu-system-riscv64', '-M', 'virt', '-m', '128M', '-bios', 'none', '-kernel', path];
  const { stdout, stderr } = await run('bash', ['-c', TIMED, 'bash', ...qemu, '-nographic'], {
    timeout: TIMEOUT,
  });
  const times = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr);
  if (!times) throw new Error(`no times for ${name} in QEMU: ${stderr.trim()}`);
  return { ...parseReport(name, stdout), cpu: Number(times[1]) + Number(times[2]) };
}

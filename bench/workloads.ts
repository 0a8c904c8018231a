import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const HERE = import.meta.dirname;
/** The folder of the compiled workloads. */
export const WORKLOADS_FOLDER = join(HERE, '../dist/bench');
const COMPILER = 'riscv64-linux-gnu-gcc';
const FLAGS = [
  ...['-O2', '-Wall', '-Wextra', '-Werror', '-mabi=lp64d', '-mcmodel=medany'],
  ...['-ffreestanding', '-fno-tree-loop-distribute-patterns', '-fno-pic', '-no-pie'],
  ...['-nostdlib', '-static', '-Wl,--build-id=none', '-T', join(HERE, 'runtime/link.ld')],
];

/** A bare-metal program: an ELF that runs in QEMU's `virt` machine and in ours. */
export interface Workload {
  name: string;
  path: string;
}

const SCALAR = ['-march=rv64gc'];
const VECTOR = ['-march=rv64gcv', '-DVECTOR'];

async function compile(source: string, flags = SCALAR, suffix = ''): Promise<Workload> {
  const name = basename(source, '.c');
  const path = join(WORKLOADS_FOLDER, name + suffix);
  const runtime = ['start.S', 'runtime.c'].map((file) => join(HERE, 'runtime', file));
  await run(COMPILER, [...FLAGS, ...flags, ...runtime, source, '-o', path]);
  return { name, path };
}

/** The names of all workloads, in groups that have a geometric mean each. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  kernels: [
    'bytecode',
    'calls',
    'crc32',
    'lz',
    'matmul',
    'mix',
    'quicksort',
    'recursion',
    'sieve',
    'strings',
  ],
  'other shapes': ['bigint', 'cipher', 'hash', 'sortby', 'trees'],
};

/** Compiles the named workloads, and the empty one. */
export async function compileWorkloads(
  names: string[],
): Promise<{ startup: Workload; workloads: Workload[] }> {
  await mkdir(WORKLOADS_FOLDER, { recursive: true });
  const startup = await compile(join(HERE, 'runtime/startup.c'));
  const workloads: Workload[] = [];
  for (const name of names) workloads.push(await compile(join(HERE, 'workloads', `${name}.c`)));
  return { startup, workloads };
}

export const VECTOR_WORKLOADS = ['copy', 'length', 'saxpy', 'product'];

/** Compiles a workload without and with vector instructions. */
export async function compileVectorWorkload(name: string): Promise<{ scalar: Workload; vector: Workload }> {
  await mkdir(WORKLOADS_FOLDER, { recursive: true });
  const source = join(HERE, 'vector', `${name}.c`);
  return {
    scalar: await compile(source, SCALAR, '-scalar'),
    vector: await compile(source, VECTOR, '-vector'),
  };
}

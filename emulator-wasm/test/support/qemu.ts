/** QEMU as the oracle: user mode for instruction semantics, the `virt` board for privileged behaviour. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Exactly our extensions, because QEMU's others could hide an encoding that must trap. */
const CPU = [
  'rv64',
  'zba=true',
  'zbb=true',
  'zbs=true',
  'zbc=false',
  'v=false',
  'h=false',
  'svinval=false',
].join(',');

export interface Run {
  readonly status: number;
  readonly output: Buffer;
  /** Messages of QEMU itself. */
  readonly errors: string;
}

interface Surroundings {
  readonly directory?: string;
  readonly input?: string;
}

function run(
  program: string,
  args: readonly string[],
  milliseconds: number,
  { directory, input }: Surroundings = {},
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: directory,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    // A program that ends early does not read all of its input.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, milliseconds);
    child.stdout?.on('data', (bytes: Buffer) => output.push(bytes));
    child.stderr?.on('data', (bytes: Buffer) => errors.push(bytes));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const text = Buffer.concat(output);
      if (status !== null) resolve({ status, output: text, errors: Buffer.concat(errors).toString() });
      else {
        const cause = late ? `still running after ${milliseconds} ms` : `ended by ${signal}`;
        reject(new Error(`${program}: ${cause}\n${Buffer.concat(errors)}${text.subarray(-2000)}`));
      }
    });
  });
}

/** Runs a Linux executable. Rejects if a signal ends it or it takes longer than `milliseconds`. */
export function qemuUser(elf: string, milliseconds = 60_000): Promise<Run> {
  return run('qemu-riscv64', ['-cpu', CPU, elf], milliseconds);
}

/** A QEMU that has RVA23, which the set-up fetches where it can. */
const RVA23_QEMU = fileURLToPath(new URL('../../../dist/rva23-qemu/qemu-riscv64', import.meta.url));

export const hasRva23Qemu = existsSync(RVA23_QEMU);

const RVA23_OPTIONS = ['-cpu', 'rva23s64', '-d', 'nochain'];

/**
 * The same on a processor with RVA23U64, and Zifencei, which that profile lacks. Blocks of code are not
 * chained: after one that clears vstart, QEMU may run a block that was translated for the largest vl.
 */
export function qemuRva23(elf: string, milliseconds = 60_000): Promise<Run> {
  return run(RVA23_QEMU, [...RVA23_OPTIONS, elf], milliseconds);
}

/** The same in a folder that has the program's loader and data. The program is named relatively to it. */
export function qemuRva23In(
  directory: string,
  [program = '', ...args]: readonly string[],
  input: string,
): Promise<Run> {
  return run(RVA23_QEMU, [...RVA23_OPTIONS, '-L', directory, join(directory, program), ...args], 600_000, {
    directory,
    input,
  });
}

export interface Board {
  readonly harts?: number;
  /** With OpenSBI the executable runs in S-mode. */
  readonly firmware?: boolean;
  readonly milliseconds?: number;
}

/** Runs a bare-metal executable until it writes to the test finisher; `status` is its exit code. */
export function qemuSystem(elf: string, board: Board = {}): Promise<Run> {
  const { harts = 1, firmware = false, milliseconds = 60_000 } = board;
  const machine = ['-M', 'virt', '-m', '64M', '-cpu', CPU, '-smp', `${harts}`];
  const ports = ['-display', 'none', '-serial', 'stdio', '-monitor', 'none'];
  const images = ['-bios', firmware ? 'default' : 'none', '-kernel', elf];
  return run('qemu-system-riscv64', [...machine, ...ports, ...images], milliseconds);
}

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeCpio } from '../scripts/setup/cpio.mjs';
import { INITRD } from './linux.ts';
import { PUBLIC } from './platform.ts';
import { WORKLOADS_FOLDER } from './workloads.ts';

const run = promisify(execFile);

const SOURCES = join(import.meta.dirname, 'guest');
const COMPILER = 'riscv64-linux-gnu-gcc';
const FLAGS = ['-O2', '-static', '-Wall', '-Wextra', '-Werror'];
const PROGRAMS = ['boot', 'disk', 'filter', 'net'];

/** The guest's folder for the programs of `bench/guest`. */
export const GUEST_FOLDER = '/bench';

/** Compiles `bench/guest/writer.c`, a program of a kilobyte because it needs no library. */
export async function compileWriter(): Promise<Buffer> {
  await mkdir(WORKLOADS_FOLDER, { recursive: true });
  const output = join(WORKLOADS_FOLDER, 'guest-writer');
  const small = ['-nostdlib', '-s', '-fno-asynchronous-unwind-tables', '-Wl,--build-id=none,-n'];
  await run(COMPILER, [...FLAGS, ...small, join(SOURCES, 'writer.c'), '-o', output]);
  return readFile(output);
}

/** Writes our initramfs with the programs of `bench/guest` added, and returns its path. */
export async function writeGuestInitramfs(): Promise<string> {
  await mkdir(WORKLOADS_FOLDER, { recursive: true });
  const files = await Promise.all(
    PROGRAMS.map(async (name) => {
      const output = join(WORKLOADS_FOLDER, `guest-${name}`);
      await run(COMPILER, [...FLAGS, join(SOURCES, `${name}.c`), '-o', output]);
      return { path: `bench/${name}`, type: 'file' as const, data: await readFile(output) };
    }),
  );
  const ours = await readFile(join(PUBLIC, INITRD));
  const path = join(WORKLOADS_FOLDER, 'guest.cpio');
  // The kernel unpacks several concatenated archives.
  await writeFile(path, Buffer.concat([ours, writeCpio([{ path: 'bench', type: 'directory' }, ...files])]));
  return path;
}

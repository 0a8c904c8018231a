/** Makes the first file system: our init and BusyBox, in the cpio archive that the kernel unpacks. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCpio } from './cpio.mjs';
import { kernel } from './kernel.mjs';
import { inProject } from './places.mjs';
import { run } from './run.mjs';
import { keyOf } from './step.mjs';

const INIT = 'kernel/init';
/** The program by which shells of a container use channels. */
const HELPER = 'linuxrun-channel';

const FLAGS = [
  ...['-std=gnu11', '-Os', '-march=rv64gc', '-mabi=lp64d'],
  ...['-Wall', '-Wextra', '-Werror'],
  ...['-ffreestanding', '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-ident'],
  ...['-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections,--build-id=none'],
  ...['-static', '-nostdlib', '-nostdinc', '-s', '-include', 'nolibc.h'],
];

/**
 * Compiles a static program for the guest.
 * @param {string} folder the folder of the sources
 * @param {readonly string[]} sources C files that use nolibc
 * @param {string} output
 */
export async function compileForGuest(folder, sources, output) {
  const folders = ['-isystem', inProject('dist/kernel-headers'), '-I.'];
  await run('riscv64-linux-gnu-gcc', [...FLAGS, ...folders, ...sources, '-lgcc', '-o', output], {
    cwd: folder,
  });
}

/** @param {string} output */
async function compileInit(output) {
  const sources = (await readdir(inProject(INIT))).filter((name) => name.endsWith('.c')).sort();
  await compileForGuest(inProject(INIT), sources, output);
}

/** @type {import('./step.mjs').Step} */
export const initramfs = {
  name: 'initramfs',
  title: 'init and its file system',
  sources: [INIT, 'dist/busybox', 'scripts/setup/initramfs.mjs', 'scripts/setup/cpio.mjs'],
  // init depends on the kernel's headers and is built with the same compiler.
  versions: async () => [await keyOf(kernel)],
  outputs: { 'initramfs.cpio': 'public/kernel/initramfs.cpio' },
  async run(work) {
    const init = join(work, 'init');
    await compileInit(init);
    const helper = join(work, HELPER);
    await compileForGuest(inProject(INIT), [`helper/${HELPER}.c`], helper);
    const archive = writeCpio([
      { path: 'dev', type: 'directory' },
      // The kernel opens this as init's standard streams, before anything is mounted.
      { path: 'dev/console', type: 'character device', mode: 0o600, device: [5, 1] },
      { path: 'bin', type: 'directory' },
      { path: 'bin/busybox', type: 'file', data: await readFile(inProject('dist/busybox')) },
      { path: 'bin/sh', type: 'symlink', target: 'busybox', mode: 0o777 },
      { path: `bin/${HELPER}`, type: 'file', data: await readFile(helper) },
      { path: 'init', type: 'file', data: await readFile(init) },
    ]);
    await writeFile(join(work, 'initramfs.cpio'), archive);
  },
};

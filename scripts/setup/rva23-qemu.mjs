/**
 * Fetches a QEMU with RVA23 from Debian's backports, the oracle of those extensions. apt verifies it. It is a
 * static program beside the system's own QEMU, which stays the oracle of everything else and the yardstick of
 * speed.
 */
import { execFileSync } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { download, MIRROR } from './apt.mjs';
import { run } from './run.mjs';

const PACKAGE = 'qemu-user';
const SUITE = 'bookworm-backports';

/** @type {import('./step.mjs').Step} */
export const rva23Qemu = {
  name: 'rva23-qemu',
  title: 'QEMU with RVA23',
  versions: () => [PACKAGE, MIRROR, SUITE],
  outputs: { qemu: 'dist/rva23-qemu/qemu-riscv64' },
  async run(work) {
    const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
    const file = await download(join(work, 'apt'), SUITE, PACKAGE, architecture);
    await run('dpkg', ['-x', file, join(work, 'unpacked')]);
    await rename(join(work, 'unpacked/usr/bin/qemu-riscv64'), join(work, 'qemu'));
  },
};

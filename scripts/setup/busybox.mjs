/** Fetches BusyBox for riscv64 from Debian. apt verifies it, and the system's own packages stay untouched. */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadPackage, MIRROR, SUITES } from './apt.mjs';
import { run } from './run.mjs';

const PACKAGE = 'busybox-static';

/**
 * Unpacks the package, with the program at `busybox` and the description of the package in `DEBIAN`.
 * @param {string} work @param {string} [architecture] Debian's name
 * @returns {Promise<string>} the folder
 */
export async function unpackBusybox(work, architecture) {
  const unpacked = join(work, 'unpacked');
  await mkdir(unpacked, { recursive: true });
  const file = await downloadPackage(work, PACKAGE, architecture);
  await run('dpkg', ['-x', file, unpacked]);
  await run('dpkg', ['-e', file, join(unpacked, 'DEBIAN')]);
  // Older versions of the package install it in /bin, which is now part of /usr/bin.
  await rename(join(unpacked, 'usr/bin/busybox'), join(unpacked, 'busybox')).catch(() =>
    rename(join(unpacked, 'bin/busybox'), join(unpacked, 'busybox')),
  );
  return unpacked;
}

/** @type {import('./step.mjs').Step} */
export const busybox = {
  name: 'busybox',
  title: 'BusyBox',
  versions: () => [PACKAGE, MIRROR, ...SUITES],
  outputs: {
    busybox: 'dist/busybox',
    copyright: 'dist/busybox-copyright',
    // Names the versions of the sources (Debian policy, chapter 5).
    control: 'dist/busybox-control',
  },
  async run(work) {
    const unpacked = await unpackBusybox(work);
    await rename(join(unpacked, 'DEBIAN/control'), join(work, 'control'));
    await rename(join(unpacked, 'usr/share/doc', PACKAGE, 'copyright'), join(work, 'copyright'));
    await rename(join(unpacked, 'busybox'), join(work, 'busybox'));
  },
};

/** For tests of emulated programs. @type {import('./step.mjs').Step} */
export const foreignBusybox = {
  name: 'foreign-busybox',
  title: 'BusyBox for other processors',
  versions: () => [PACKAGE, MIRROR, ...SUITES],
  outputs: { arm64: 'dist/busybox-arm64', amd64: 'dist/busybox-amd64' },
  async run(work) {
    for (const architecture of ['arm64', 'amd64']) {
      const unpacked = await unpackBusybox(join(work, `for-${architecture}`), architecture);
      await rename(join(unpacked, 'busybox'), join(work, architecture));
    }
  },
};

/** Fetches BusyBox for riscv64 from Debian. apt verifies it, and the system's own packages stay untouched. */
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { configureApt, MIRROR } from './apt.mjs';
import { SetupFailure } from './failure.mjs';
import { say } from './progress.mjs';
import { run } from './run.mjs';

const PACKAGE = 'busybox-static';
/** Tried in this order: the first suite whose signature this system's keyring verifies is used. */
export const SUITES = ['stable', 'forky'];

/** @param {string} work @param {string} suite @returns {Promise<string>} the path of the package */
async function download(work, suite) {
  const root = join(work, suite);
  const env = await configureApt(root, suite);
  await run('apt-get', ['-q', 'update'], { env });
  await run('apt-get', ['-q', 'download', PACKAGE], { env, cwd: root });
  const file = (await readdir(root)).find((name) => name.endsWith('.deb'));
  if (!file) throw new SetupFailure(`apt-get downloaded no ${PACKAGE} from ${suite}`);
  return join(root, file);
}

/** @param {string} work */
async function downloadFromAny(work) {
  const failures = [];
  for (const suite of SUITES) {
    try {
      return await download(work, suite);
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
      say(`BusyBox: not from Debian ${suite}`);
      failures.push(error.message);
    }
  }
  throw new SetupFailure(`no ${PACKAGE} for riscv64:\n${failures.join('\n')}`);
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
    const unpacked = join(work, 'unpacked');
    const file = await downloadFromAny(work);
    await run('dpkg', ['-x', file, unpacked]);
    await run('dpkg', ['-e', file, join(work, 'DEBIAN')]);
    await rename(join(work, 'DEBIAN/control'), join(work, 'control'));
    await rename(join(unpacked, 'usr/share/doc', PACKAGE, 'copyright'), join(work, 'copyright'));
    // Older versions of the package install it in /bin, which is now part of /usr/bin.
    await rename(join(unpacked, 'usr/bin/busybox'), join(work, 'busybox')).catch(() =>
      rename(join(unpacked, 'bin/busybox'), join(work, 'busybox')),
    );
  },
};

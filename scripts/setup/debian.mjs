/** Checks which Debian packages are installed, and installs the missing ones. */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { SetupFailure } from './failure.mjs';
import { say, showBuilding } from './progress.mjs';
import { run } from './run.mjs';

export const DEBIAN_PART = 'Debian packages';

/** Needed to build the kernel, init and the initramfs. */
export const BUILD_PACKAGES = [
  'bc',
  'bison',
  'debian-archive-keyring',
  'flex',
  'gcc',
  'gcc-riscv64-linux-gnu',
  'libc6-dev',
  'linux-source-6.12',
  'make',
  'patch',
  'rsync',
  'xz-utils',
  'zstd',
];

/** Needed by tests and benchmarks in addition: their oracles (QEMU, other image tools) and a browser. */
export const TEST_PACKAGES = [
  'chromium',
  'chromium-headless-shell',
  'docker-registry',
  'e2fsprogs',
  'haproxy',
  'libarchive-tools',
  'libc6-dev-riscv64-cross',
  'opensbi',
  'qemu-system-misc',
  'qemu-user',
  'skopeo',
  'umoci',
];

/** Further browsers. Their tests are skipped where these cannot be installed. */
export const BROWSER_PACKAGES = ['firefox-esr', 'libwebkit2gtk-4.1-0', 'webkit2gtk-driver', 'xvfb'];

/**
 * @param {readonly string[]} names
 * @returns {Promise<Map<string, string>>} the version of each installed package, by name
 */
export async function installedVersions(names) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is dpkg-query's notation
  const format = '${Package}\t${Version}\t${db:Status-Status}\n';
  // dpkg-query fails when any package is unknown, but still lists the others.
  const { stdout = '' } = await promisify(execFile)('dpkg-query', ['-W', '-f', format, ...names]).catch(
    (error) => error,
  );
  /** @type {[name: string, version: string, status: string][]} */
  const rows = stdout.split('\n').map((/** @type {string} */ line) => line.split('\t'));
  return new Map(
    rows.filter(([, , status]) => status === 'installed').map(([name, version]) => [name, version]),
  );
}

/** @returns {string[] | undefined} the words that run a command as root when they precede it */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
    return ['sudo', '-n'];
  } catch {
    return undefined;
  }
}

function hasApt() {
  try {
    execFileSync('apt-get', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @param {readonly string[]} missing */
export function missingMessage(missing) {
  return [
    `these Debian packages are missing, and installing them needs root or sudo without a password:`,
    `  ${missing.join(' ')}`,
    `Install them, then run the same command again:`,
    `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`,
  ].join('\n');
}

/** @param {readonly string[]} names @returns {Promise<string[]>} those that are not installed */
export async function missingPackages(names) {
  const installed = await installedVersions(names);
  return names.filter((name) => !installed.has(name));
}

/** @param {readonly string[]} names */
export async function ensurePackages(names) {
  const missing = await missingPackages(names);
  if (missing.length === 0) return;

  const prefix = hasApt() ? rootPrefix() : undefined;
  if (!prefix) throw new SetupFailure(missingMessage(missing));
  const [command = '', ...args] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-q',
    '-y',
    '-o',
    'DPkg::Lock::Timeout=600',
  ];
  const name = 'apt-get';
  await showBuilding(DEBIAN_PART, DEBIAN_PART, `installing ${missing.join(' ')}`, async () => {
    // An unrelated repository of this machine may be broken. Only a failing install matters.
    await run(command, [...args, 'update'], { name }).catch((error) => say(error.message));
    await run(command, [...args, 'install', '--no-install-recommends', ...missing], { name });
  });
}

/**
 * Installs packages if that is possible, and says so if it is not.
 * @param {readonly string[]} names
 */
export async function offerPackages(names) {
  try {
    await ensurePackages(names);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    const [reason] = error.message.split('\n');
    say(`without ${(await missingPackages(names)).join(' ')}, whose tests are skipped: ${reason}`);
  }
}

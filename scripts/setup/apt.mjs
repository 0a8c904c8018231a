/** A private apt that fetches and verifies Debian packages, and leaves the system's own alone. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { say } from './progress.mjs';
import { run } from './run.mjs';

export const MIRROR = 'http://deb.debian.org/debian';
/** Tried in this order: the first suite whose signature this system's keyring verifies is used. */
export const SUITES = ['stable', 'forky'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Configures apt in a folder, as if no package were installed.
 * @param {string} root @param {string} suite
 * @param {{ architecture?: string, withSources?: boolean }} [options] Debian's name of the architecture;
 *   whether source packages are listed too
 * @returns {Promise<{ APT_CONFIG: string }>} the environment for `apt-get`
 */
export async function configureApt(root, suite, { architecture = 'riscv64', withSources = false } = {}) {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const lists = [
    `deb [arch=${architecture} signed-by=${KEYRING}] ${MIRROR} ${suite} main`,
    ...(withSources ? [`deb-src [signed-by=${KEYRING}] ${MIRROR} ${suite} main`] : []),
  ];
  await writeFile(join(root, 'sources.list'), `${lists.join('\n')}\n`);
  await writeFile(join(root, 'status'), '');
  const settings = [
    `Dir::State "${root}/state";`,
    `Dir::State::status "${root}/status";`,
    `Dir::Cache "${root}/cache";`,
    `Dir::Etc::sourcelist "${root}/sources.list";`,
    'Dir::Etc::sourceparts "/dev/null";',
    'Dir::Etc::preferences "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'APT::Get::AllowUnauthenticated "false";',
    // By default apt only warns about an index that it cannot verify, and uses the old one.
    'APT::Update::Error-Mode "any";',
  ];
  await writeFile(join(root, 'apt.conf'), `${settings.join('\n')}\n`);
  return { APT_CONFIG: join(root, 'apt.conf') };
}

/**
 * Fetches a package from the first suite that has it, and whose signature is right.
 * @param {string} work @param {string} name @param {string} [architecture] Debian's name
 * @returns {Promise<string>} the path of the package
 */
export async function downloadPackage(work, name, architecture = 'riscv64') {
  const failures = [];
  for (const suite of SUITES) {
    try {
      return await download(join(work, `${suite}-${architecture}`), suite, name, architecture);
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
      say(`${name}: not from Debian ${suite}`);
      failures.push(error.message);
    }
  }
  throw new SetupFailure(`no ${name} for ${architecture}:\n${failures.join('\n')}`);
}

/**
 * Fetches a package from one suite.
 * @param {string} root @param {string} suite @param {string} name @param {string} architecture
 * @returns {Promise<string>} the path of the package
 */
export async function download(root, suite, name, architecture) {
  const env = await configureApt(root, suite, { architecture });
  await run('apt-get', ['-q', 'update'], { env });
  await run('apt-get', ['-q', 'download', name], { env, cwd: root });
  const file = (await readdir(root)).find((name) => name.endsWith('.deb'));
  if (!file) throw new SetupFailure(`apt-get downloaded no ${name} from ${suite}`);
  return join(root, file);
}

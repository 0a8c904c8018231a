/** A private apt that fetches and verifies Debian packages for riscv64, and leaves the system's own alone. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const MIRROR = 'http://deb.debian.org/debian';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Configures apt in a folder, as if no package were installed.
 * @param {string} root @param {string} suite
 * @param {{ withSources?: boolean }} [options] whether source packages are listed too
 * @returns {Promise<{ APT_CONFIG: string }>} the environment for `apt-get`
 */
export async function configureApt(root, suite, { withSources = false } = {}) {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const lists = [
    `deb [arch=riscv64 signed-by=${KEYRING}] ${MIRROR} ${suite} main`,
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
    'APT::Architecture "riscv64";',
    'APT::Architectures { "riscv64"; };',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'APT::Get::AllowUnauthenticated "false";',
    // By default apt only warns about an index that it cannot verify, and uses the old one.
    'APT::Update::Error-Mode "any";',
  ];
  await writeFile(join(root, 'apt.conf'), `${settings.join('\n')}\n`);
  return { APT_CONFIG: join(root, 'apt.conf') };
}

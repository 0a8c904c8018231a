/** Makes images of Debian's packages, in an OCI layout in the user's cache. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configureApt } from './apt.mjs';
import { SetupFailure } from './failure.mjs';
import { say } from './progress.mjs';
import { run } from './run.mjs';

/** The first stable Debian with riscv64. */
export const SUITE = 'trixie';
const BASE = ['base-files', 'bash', 'coreutils', 'dash', 'perl-base', 'sed', 'util-linux'];
const USERS = ['root:x:0:0:root:/root:/bin/sh'];
const GROUPS = ['root:x:0:', 'tty:x:5:'];

/**
 * @typedef {object} DebianImage
 * @property {readonly string[]} packages
 * @property {string} [architecture] riscv64 unless given
 * @property {readonly string[]} [base] the packages that others need without depending on them
 * @property {readonly string[]} [path] the folders of programs besides the usual ones
 * @property {readonly string[]} [users] lines of /etc/passwd besides root's
 * @property {readonly string[]} [groups] lines of /etc/group besides root's and tty's
 * @property {(root: string, work: string) => Promise<void>} [complete] adds files to the
 *   image's root folder; its second argument is a folder for other files
 */

/**
 * Unpacks packages and their dependencies. Their scripts cannot run here, and these programs work without.
 * @param {readonly string[]} names @param {string} architecture @param {string} work @param {string} root
 */
export async function unpackPackages(names, architecture, work, root) {
  const env = await configureApt(work, SUITE, { architecture });
  await run('apt-get', ['-q', 'update'], { env });
  await run('apt-get', ['-q', '-y', '--download-only', 'install', ...names], { env });
  const archives = join(work, 'cache/archives');
  const files = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  // /bin and the like are links of base-files, which have to be there before anything goes into them.
  files.sort((a, b) => Number(b.startsWith('base-files_')) - Number(a.startsWith('base-files_')));
  for (const file of files) await run('dpkg', ['-x', join(archives, file), root]);
}

/** @param {string} layout @param {string} tag @param {DebianImage} image @param {string} work */
async function build(layout, tag, image, work) {
  const {
    packages,
    architecture = 'riscv64',
    base = BASE,
    path = [],
    users = [],
    groups = [],
    complete,
  } = image;
  const root = join(work, 'root');
  await unpackPackages([...base, ...packages], architecture, work, root);
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc/passwd'), `${[...USERS, ...users].join('\n')}\n`);
  await writeFile(join(root, 'etc/group'), `${[...GROUPS, ...groups].join('\n')}\n`);
  await complete?.(root, work);
  const target = `${layout}:${tag}`;
  const env = `PATH=${['/usr/local/bin', '/usr/sbin', '/usr/bin', ...path].join(':')}`;
  if (!existsSync(layout)) await run('umoci', ['init', '--layout', layout]);
  await run('umoci', ['new', '--image', target]);
  await run('umoci', ['config', '--image', target, '--architecture', architecture, '--config.env', env]);
  await run('umoci', ['insert', '--rootless', '--image', target, root, '/']);
}

/**
 * Makes the images that the command line names, or all.
 * @param {string} layout @param {Readonly<Record<string, DebianImage>>} images
 */
export async function makeImages(layout, images) {
  const tags = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(images);
  const unknown = tags.filter((tag) => !images[tag]);
  if (unknown.length > 0)
    throw new SetupFailure(`no image ${unknown.join(', ')}; there are ${Object.keys(images).join(', ')}`);
  for (const tag of tags) {
    const work = `${layout}.${tag}.work`;
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    say(`${tag}: building`);
    await build(layout, tag, /** @type {DebianImage} */ (images[tag]), work);
    await rm(work, { recursive: true });
  }
  say(`in ${layout}: ${tags.join(', ')}`);
}

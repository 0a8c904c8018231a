/**
 * `node scripts/wide-images.mjs [TAG…]` makes the images of `npm run bench -- wide` from Debian's packages
 * for riscv64, in an OCI layout in the user's cache: programs that run much code, little of it often. It
 * takes a few minutes and half a gigabyte of downloads, so neither set-up nor tests do it.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configureApt } from '../setup/apt.mjs';
import { runMain, SetupFailure } from '../setup/failure.mjs';
import { WIDE_IMAGES } from '../setup/places.mjs';
import { say } from '../setup/progress.mjs';
import { run } from '../setup/run.mjs';

/** The first stable Debian with riscv64. */
const SUITE = 'trixie';
/** What the packages below take for granted, and do not depend on. */
const BASE = ['base-files', 'bash', 'coreutils', 'dash', 'perl-base', 'sed', 'util-linux'];
/** @type {Record<string, string[]>} */
const IMAGES = {
  java: ['openjdk-21-jre-headless'],
  node: ['nodejs'],
  postgres: ['postgresql-17'],
  qemu: ['qemu-user'],
};
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\npostgres:x:70:70:postgres:/tmp:/bin/sh\n';
const GROUP = 'root:x:0:\ntty:x:5:\npostgres:x:70:\n';
const PATH =
  'PATH=/usr/local/bin:/usr/bin:/usr/lib/postgresql/17/bin:/usr/lib/jvm/java-21-openjdk-riscv64/bin';

/**
 * Unpacks packages with what they depend on. Their scripts cannot run here, and these programs work without.
 * @param {readonly string[]} names @param {string} work @param {string} root
 */
async function unpack(names, work, root) {
  const env = await configureApt(work, SUITE);
  await run('apt-get', ['-q', 'update'], { env });
  await run('apt-get', ['-q', '-y', '--download-only', 'install', ...BASE, ...names], { env });
  const archives = join(work, 'cache/archives');
  const files = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  // /bin and the like are links of base-files, which have to be there before anything goes into them.
  files.sort((a, b) => Number(b.startsWith('base-files_')) - Number(a.startsWith('base-files_')));
  for (const file of files) await run('dpkg', ['-x', join(archives, file), root]);
}

/** @param {string} tag @param {string} work */
async function build(tag, work) {
  const root = join(work, 'root');
  await unpack(IMAGES[tag] ?? [], work, root);
  await writeFile(join(root, 'etc/passwd'), PASSWD);
  await writeFile(join(root, 'etc/group'), GROUP);
  const image = `${WIDE_IMAGES}:${tag}`;
  if (!existsSync(WIDE_IMAGES)) await run('umoci', ['init', '--layout', WIDE_IMAGES]);
  await run('umoci', ['new', '--image', image]);
  await run('umoci', ['config', '--image', image, '--architecture', 'riscv64', '--config.env', PATH]);
  await run('umoci', ['insert', '--rootless', '--image', image, root, '/']);
}

async function main() {
  const tags = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(IMAGES);
  const unknown = tags.filter((tag) => !IMAGES[tag]);
  if (unknown.length > 0)
    throw new SetupFailure(`no image ${unknown.join(', ')}; there are ${Object.keys(IMAGES).join(', ')}`);
  for (const tag of tags) {
    const work = `${WIDE_IMAGES}.${tag}.work`;
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    say(`${tag}: building`);
    await build(tag, work);
    await rm(work, { recursive: true });
  }
  say(`in ${WIDE_IMAGES}: ${tags.join(', ')}`);
}

await runMain(main);

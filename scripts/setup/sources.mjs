/**
 * The sources that belong to a release. The GPL asks for them, because the kernel, BusyBox and QEMU are under
 * it: all that the programs in it are built from, and how.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { configureApt, MIRROR, SUITES } from './apt.mjs';
import { SetupFailure } from './failure.mjs';
import { kernelOrigin, SOURCE_ARCHIVE } from './kernel.mjs';
import { inProject, PROJECT } from './places.mjs';
import { escapeHtml, writePage } from './plain-page.mjs';
import { QEMU_CONTROL } from './qemu-user.mjs';
import { run } from './run.mjs';
import { tarParts } from './tar.mjs';

/** @typedef {{ name: string, version: string }} SourcePackage */

const BUSYBOX_CONTROL = 'dist/busybox-control';
/** The descriptions of the packages whose programs are in a release. */
export const CONTROLS = [BUSYBOX_CONTROL, QEMU_CONTROL];
const FOLDER = 'dist/program-sources';
/** What it adds to programs needs no source (GCC Runtime Library Exception, section 1). */
const RUNTIME = /^gcc-\d+$/;

/**
 * Returns the source packages of a binary package: its own, and those of the libraries that are linked into
 * it (Debian policy, sections 5.6.1 and 7.8), but not that of the compiler.
 * @param {string} control its control file
 * @returns {SourcePackage[]}
 */
export function sourcePackagesOf(control) {
  const field = (/** @type {string} */ name) =>
    new RegExp(`^${name}: *(.*(?:\\n .*)*)`, 'm').exec(control)?.[1] ?? '';
  const [, source = '', sourceVersion] = /^(\S+)(?: \((.*)\))?/.exec(field('Source')) ?? [];
  const own = { name: source || field('Package'), version: sourceVersion ?? field('Version') };
  const linked = [field('Built-Using'), field('Static-Built-Using')].flatMap((list) =>
    [...list.matchAll(/(\S+) \(= ([^)]+)\)/g)].map(([, name = '', version = '']) => ({ name, version })),
  );
  return [own, ...linked.filter(({ name }) => !RUNTIME.test(name))];
}

/** @param {string} control the path of a control file */
async function originOf(control) {
  return sourcePackagesOf(await readFile(inProject(control), 'utf8'));
}

/** @returns {Promise<SourcePackage[]>} each package once */
async function origins() {
  const all = (await Promise.all(CONTROLS.map(originOf))).flat();
  return [...new Map(all.map((source) => [nameOf(source), source])).values()];
}

/** @param {SourcePackage} source */
const nameOf = ({ name, version }) => `${name}=${version}`;

/**
 * @param {string} work @param {readonly SourcePackage[]} packages
 * @returns {Promise<string>} the folder of their files
 */
async function download(work, packages) {
  const failures = [];
  for (const suite of SUITES) {
    const root = join(work, suite);
    try {
      const env = await configureApt(root, suite, { withSources: true });
      await run('apt-get', ['-q', 'update'], { env });
      const files = join(root, 'files');
      await mkdir(files);
      await run('apt-get', ['-q', 'source', '--download-only', ...packages.map(nameOf)], { env, cwd: files });
      return files;
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
      failures.push(error.message);
    }
  }
  throw new SetupFailure(`no sources of ${packages.map(nameOf).join(', ')}:\n${failures.join('\n')}`);
}

/** @type {import('./step.mjs').Step} */
export const programSources = {
  name: 'program-sources',
  title: 'sources of BusyBox and QEMU',
  sources: CONTROLS,
  versions: () => [MIRROR, ...SUITES],
  outputs: { sources: FOLDER },
  async run(work) {
    await rename(await download(work, await origins()), join(work, 'sources'));
  },
};

/** @param {string} version */
async function readMe(version) {
  const kernel = await kernelOrigin();
  const programs = (await origins()).map(({ name, version }) => `${name} ${version}`);
  return `# Sources of LinuxRun ${version}

The complete sources of the programs in this release, and how to build them again.

- \`linuxrun/\`: LinuxRun itself, under the Apache licence 2.0. The configurations of the kernels are in
  \`linuxrun/kernel/\`, their patches, under the GPL 2, in \`linuxrun/kernel/patches/\`, and all build scripts in
  \`linuxrun/scripts/setup/\`.
- \`linux/\`: Linux, under the GPL 2, from version ${kernel.version} of Debian's package ${kernel.name}, unchanged.
- \`debian/\`: BusyBox and QEMU, under the GPL 2, and the libraries that are linked into them, as Debian's source
  packages: ${programs.join(', ')}. QEMU and BusyBox are linked with the same version of glibc.

## Build everything

On Debian 12 or later, with Node 20.19 or later:

    cd linuxrun
    git init && git add -A && git commit -m 'LinuxRun ${version}'
    npm run release

This installs the compilers, builds the kernels from \`/usr/src/${kernel.name}.tar.xz\`, which is the archive in
\`linux/\` when the same version of the package is installed, takes BusyBox and QEMU as Debian has built them, and makes the
files of the release in \`dist/release/\`. This release was built with

    ${kernel.tools.join('\n    ')}

## Build the parts

The kernels: \`scripts/setup/kernel.mjs\` runs, in the unpacked archive,

    for patch in .../linuxrun/kernel/patches/*; do patch -p1 < $patch; done
    cat .../linuxrun/kernel/linux.config > linuxrun.config        # and linux-smp.config, for several harts
    make ${kernel.make.map(quote).join(' ')} KCONFIG_ALLCONFIG=linuxrun.config allnoconfig
    make ${kernel.make.map(quote).join(' ')} Image

BusyBox and QEMU, in \`debian/\`, on riscv64 or with Debian's cross compilers:

    dpkg-source -x busybox_*.dsc && (cd busybox-*/ && dpkg-buildpackage)
    dpkg-source -x qemu_*.dsc && (cd qemu-*/ && dpkg-buildpackage)

The disks with QEMU's programs for arm64 and amd64 are made by \`linuxrun/scripts/setup/qemu-user.mjs\`.

The image hello-world is \`linuxrun/kernel/demo/hello.c\`, and the image busybox holds the program BusyBox with
links for its applets; \`linuxrun/scripts/setup/images.mjs\` makes both. The initial RAM disk holds
\`linuxrun/kernel/init/\` and BusyBox; \`linuxrun/scripts/setup/initramfs.mjs\` makes it.
`;
}

/** @param {string} version */
export const sourcesName = (version) => `linuxrun-${version}-sources.tar`;

/**
 * The page that says where the sources are.
 * @param {string} style @param {string | undefined} own the archive of LinuxRun's own source
 */
export async function writeSourcesPage(style, own) {
  const { version } = JSON.parse(await readFile(inProject('package.json'), 'utf8'));
  const archive = sourcesName(version);
  const kernel = await kernelOrigin();
  const link = (/** @type {string} */ file) =>
    `<a href="${escapeHtml(file)}" download>${escapeHtml(file)}</a>`;
  const rows = [
    ['LinuxRun', version, own === undefined ? '' : link(own)],
    ['Linux', kernel.version, `Debian's package ${kernel.name}`],
    ...(await origins()).map(({ name, version }) => [name, version, "Debian's source package"]),
  ];
  const body = `<nav><a href="./">LinuxRun</a></nav>
<main>
<h1>Sources</h1>
<p>${link(archive)} holds the sources of everything in this release, and says how to build it again. It is published with
the release, beside this site.</p>
<table>
${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n')}
</table>
<p>The kernel, BusyBox and QEMU are under the GNU General Public License 2, and the C library in BusyBox and QEMU is under
the GNU Lesser General Public License 2.1: see the <a href="licences.html">licences</a>.</p>
</main>`;
  return writePage({ title: 'Sources', style, body, root: './' });
}

/** @param {string} word */
const quote = (word) => (/\s/.test(word) ? `'${word}'` : word);

/** @returns {Promise<string[]>} the files of LinuxRun's source */
async function ownFiles() {
  const options = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', options, { cwd: PROJECT, maxBuffer: 1 << 26 }).catch(
    (error) => {
      throw new SetupFailure(`a release needs a git repository, which lists the sources: ${error.message}`);
    },
  );
  return [...new Set(stdout.split('\0').filter((name) => name !== ''))].sort();
}

/**
 * @param {string} path in the archive @param {string} file
 * @returns {Promise<import('./tar.mjs').TarEntry[]>} none for a deleted file
 */
async function entryOf(path, file) {
  const info = await stat(file).catch(() => undefined);
  if (!info) return [];
  return [{ path, type: 'file', mode: info.mode & 0o100 ? 0o755 : 0o644, data: await readFile(file) }];
}

/** @param {string} file the archive to write @param {string} version */
export async function writeSources(file, version) {
  const top = `linuxrun-${version}-sources`;
  const files = [
    ...(await ownFiles()).map((name) => [`linuxrun/${name}`, inProject(name)]),
    [`linux/${SOURCE_ARCHIVE.split('/').pop()}`, SOURCE_ARCHIVE],
    ...(await readdir(inProject(FOLDER)))
      .sort()
      .map((name) => [`debian/${name}`, inProject(join(FOLDER, name))]),
  ];
  const entries = [];
  for (const [path = '', source = ''] of files) entries.push(...(await entryOf(`${top}/${path}`, source)));
  const text = Buffer.from(await readMe(version));
  /** @type {import('./tar.mjs').TarEntry} */
  const introduction = { path: `${top}/README.md`, type: 'file', mode: 0o644, data: text };
  await writeFile(file, tarParts([introduction, ...entries]));
}

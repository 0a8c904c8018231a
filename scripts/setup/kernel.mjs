/**
 * Builds Linux from Debian's source package, for machines with one hart (`kernel`) and several (`kernelSmp`).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installedVersions } from './debian.mjs';
import { SetupFailure } from './failure.mjs';
import { inProject } from './places.mjs';
import { formatDuration, report } from './progress.mjs';
import { run } from './run.mjs';

/** @typedef {import('./step.mjs').Step} Step */

const SOURCE_PACKAGE = 'linux-source-6.12';
export const SOURCE_ARCHIVE = `/usr/src/${SOURCE_PACKAGE}.tar.xz`;
const PATCHES = 'kernel/patches';
const CROSS_COMPILE = 'riscv64-linux-gnu-';

/** Two thirds of the archive, which our builds never read. Kconfig files and makefiles stay. */
const NOT_UNPACKED = [
  `${SOURCE_PACKAGE}/arch/[a-qs-z]*.[chS]`,
  `${SOURCE_PACKAGE}/arch/[a-qs-z]*/boot/dts`,
  '*/Documentation/*.[rsy]*',
  '*/drivers/gpu/*.[chS]',
  '*/drivers/infiniband/*.[ch]',
  '*/drivers/media/*.[ch]',
  '*/drivers/net/ethernet/*.[ch]',
  '*/drivers/net/wireless/*.[ch]',
  '*/drivers/scsi/*.[ch]',
  '*/drivers/staging/*.[ch]',
  '*/sound/*.[ch]',
  '*/tools/perf',
  '*/tools/testing',
];

/** Fixed, so that the same inputs give the same bytes. */
const REPRODUCIBLE = {
  KBUILD_BUILD_TIMESTAMP: '2024-11-17 00:00:00 UTC',
  KBUILD_BUILD_USER: 'linuxrun',
  KBUILD_BUILD_HOST: 'linuxrun',
  KBUILD_BUILD_VERSION: '1',
  LC_ALL: 'C',
};

const MAKE_VARIABLES = [
  'ARCH=riscv',
  `CROSS_COMPILE=${CROSS_COMPILE}`,
  // Our harts always have these extensions, which save 3 % of the instructions. PERF_EVENTS wants frame
  // pointers, which only the call chains of the kernel's own code in samples need.
  'KCFLAGS=-march=rv64imac_zicsr_zifencei_zba_zbb_zbs -fomit-frame-pointer',
  // Empty, because a version control system around the build folder would add a "+".
  'LOCALVERSION=',
];

/** The approximate number of files that a build makes, for the progress report. */
const FILES_MADE = 1500;

const execute = promisify(execFile);

/** @param {string} tool */
async function versionOf(tool) {
  const { stdout } = await execute(CROSS_COMPILE + tool, ['--version']).catch(() => ({ stdout: '' }));
  return stdout.split('\n')[0] ?? '';
}

/** What the kernels are built from, and with. */
export async function kernelOrigin() {
  const [source, compiler, linker] = await Promise.all([
    installedVersions([SOURCE_PACKAGE]),
    versionOf('gcc'),
    versionOf('ld'),
  ]);
  const environment = Object.entries(REPRODUCIBLE).map(([name, value]) => `${name}=${value}`);
  return {
    name: SOURCE_PACKAGE,
    version: source.get(SOURCE_PACKAGE) ?? '',
    tools: [compiler, linker],
    make: [...MAKE_VARIABLES, ...environment],
  };
}

async function versions() {
  const { version, tools } = await kernelOrigin();
  return [version, ...tools, ...MAKE_VARIABLES, ...Object.values(REPRODUCIBLE)];
}

/** @param {string} source the folder @param {string} title */
async function unpack(source, title) {
  if (existsSync(source)) return;
  const unfinished = `${source}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  const done = report(() => `${title}: unpacking the source`);
  try {
    const exclude = NOT_UNPACKED.map((pattern) => `--exclude=${pattern}`);
    await run('tar', ['-xf', SOURCE_ARCHIVE, '-C', unfinished, '--strip-components=1', ...exclude]);
    for (const name of (await readdir(inProject(PATCHES))).sort())
      await run('patch', ['-d', unfinished, '-p1', '-i', join(inProject(PATCHES), name)]);
  } finally {
    done();
  }
  await rename(unfinished, source);
}

/**
 * Returns the requested options that the kernel's configuration lacks because of an unmet dependency.
 * @param {string} asked
 * @param {string} taken
 * @returns {string[]}
 */
export function refusedOptions(asked, taken) {
  const lines = new Set(taken.split('\n'));
  return asked.split('\n').filter((line) => line.startsWith('CONFIG_') && !lines.has(line));
}

/** @param {string} source @param {readonly string[]} fragments */
async function configure(source, fragments) {
  const asked = (await Promise.all(fragments.map((file) => readFile(inProject(file), 'utf8')))).join('');
  const file = join(source, 'linuxrun.config');
  await writeFile(file, asked);
  await make(source, [`KCONFIG_ALLCONFIG=${file}`, 'allnoconfig']);
  const refused = refusedOptions(asked, await readFile(join(source, '.config'), 'utf8'));
  if (refused.length > 0) throw new SetupFailure(`the kernel does not take ${refused.join(', ')}`);
}

/**
 * @param {string} source
 * @param {readonly string[]} targets
 * @param {(line: string) => void} [onLine]
 */
function make(source, targets, onLine) {
  return run('make', ['-C', source, ...MAKE_VARIABLES, ...targets], { env: REPRODUCIBLE, onLine });
}

/** @param {string} source @param {string} title */
async function compile(source, title) {
  const start = Date.now();
  let made = 0;
  const done = report(
    () => `${title}: compiled ${made} of about ${FILES_MADE} files in ${formatDuration(Date.now() - start)}`,
    () => Math.min(made / FILES_MADE, 1),
  );
  try {
    await make(source, [`-j${availableParallelism()}`, 'Image'], (line) => {
      if (/^ {2}[A-Z]+ {2,}/.test(line)) made++;
    });
  } finally {
    done();
  }
}

/**
 * Installs the kernel's headers for C programs, with nolibc, the small C library of the kernel's own tools.
 */
async function installHeaders(/** @type {string} */ source, /** @type {string} */ target) {
  await rm(target, { recursive: true, force: true });
  await make(source, ['headers_install', `INSTALL_HDR_PATH=${source}/installed`]);
  for (const folder of ['asm', 'asm-generic', 'linux']) {
    await cp(join(source, 'installed/include', folder), join(target, folder), { recursive: true });
  }
  await cp(join(source, 'tools/include/nolibc'), target, { recursive: true });
  await copyFile(join(target, 'arch-riscv.h'), join(target, 'arch.h'));
}

/**
 * @param {string} title
 * @param {readonly string[]} fragments
 * @returns {Pick<Step, 'title' | 'sources' | 'versions' | 'resumes' | 'run'>}
 */
function kernelStep(title, fragments) {
  return {
    title,
    sources: [...fragments, PATCHES],
    versions,
    resumes: true,
    async run(work) {
      const source = join(work, 'source');
      await unpack(source, title);
      await configure(source, fragments);
      await compile(source, title);
      await copyFile(join(source, 'arch/riscv/boot/Image'), join(work, 'Image'));
      await installHeaders(source, join(work, 'headers'));
    },
  };
}

/** @type {Step} */
export const kernel = {
  ...kernelStep('Linux kernel', ['kernel/linux.config']),
  name: 'kernel',
  outputs: { Image: 'public/kernel/Image', headers: 'dist/kernel-headers' },
};

/** @type {Step} */
export const kernelSmp = {
  ...kernelStep('Linux kernel for several harts', ['kernel/linux.config', 'kernel/linux-smp.config']),
  name: 'kernel-smp',
  outputs: { Image: 'public/kernel/Image-smp' },
};

/**
 * Programs for RVA23U64 of a compiler that vectorises, with a C library made by it: musl, zlib, SQLite and
 * BusyBox of Debian forky. The string functions are what the compiler makes of musl's loops.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { configureApt } from '../setup/apt.mjs';
import { FLAGS, PREFIX, prepareCompiler } from './rva23-gcc.mjs';

const SOURCES = ['musl', 'zlib', 'sqlite3', 'busybox'];
const LOADER = 'lib/ld-musl-riscv64.so.1';
/** Those of the kernel that BusyBox includes. */
const HEADERS = 'linux asm asm-generic mtd';
const ZLIB =
  'adler32 crc32 deflate infback inffast inflate inftrees trees zutil compress uncompr gzclose gzlib gzread gzwrite';
const APPLETS =
  'awk base64 bunzip2 bzip2 cat chmod cksum cmp cp cut dd diff echo expr false find grep gunzip gzip head kill ln ls ' +
  'md5sum mkdir nl od printf ps rev rm sed seq sha1sum sha256sum sleep sort tail tar test tr true uniq wc xargs';
const SETTINGS =
  'SHELL_ASH ASH SH_IS_ASH FEATURE_SH_MATH FEATURE_TAR_CREATE FEATURE_TAR_GNU_EXTENSIONS FEATURE_FIND_TYPE ' +
  'FEATURE_AWK_LIBM FEATURE_FANCY_HEAD LFS';

/** The programs' files in the sources, with their names in the image. */
const PROGRAMS = {
  'zlib/minigzip': 'minigzip',
  'zlib/example': 'zlib-example',
  'sqlite3/sqlite3': 'sqlite3',
  'busybox/busybox': 'busybox',
};

/** The names of BusyBox's links. */
export const LINKS = ['sh', ...APPLETS.split(' ')];

/** Fetches and unpacks sources, each in a folder of its name. @param {string} folder does not exist yet */
async function fetchSources(folder) {
  const work = `${folder}.work`;
  await rm(work, { recursive: true, force: true });
  const settings = await configureApt(join(work, 'apt'), 'forky', { withSources: true });
  const options = /** @type {const} */ ({
    env: { ...process.env, ...settings },
    cwd: work,
    stdio: 'inherit',
  });
  execFileSync('apt-get', ['-q', 'update'], options);
  execFileSync('apt-get', ['-q', 'source', '--download-only', '--tar-only', ...SOURCES], options);
  const files = await readdir(work);
  for (const name of SOURCES) {
    const archive = files.find((file) => file.startsWith(`${name}_`) && /\.orig\.tar\.\w+$/.test(file));
    if (!archive) throw new Error(`apt-get downloaded no sources of ${name}`);
    await mkdir(join(work, 'sources', name), { recursive: true });
    execFileSync('tar', ['-xf', archive, '-C', `sources/${name}`, '--strip-components=1'], { cwd: work });
  }
  await rename(join(work, 'sources'), folder);
  await rm(work, { recursive: true });
}

/** Where things are. @param {string} root the compiler's folder */
function placesIn(root) {
  const work = join(root, 'work');
  const library = join(work, 'musl');
  const flags = ['-specs', join(library, 'lib/gcc.specs')];
  return { root, sources: join(work, 'sources'), library, built: join(work, 'root'), flags };
}

/** @typedef {ReturnType<typeof placesIn>} Places */
/** @typedef {(name: string, script: string, env?: Record<string, string>) => void} RunIn */

const MAKE = `make -j${availableParallelism()}`;

/** @param {Places} places @param {RunIn} runIn */
function buildLibrary({ root, library, flags: [, specs] }, runIn) {
  runIn(
    'musl',
    `./configure --target=riscv64-linux-gnu --prefix=${library} --syslibdir=${library}/lib --disable-wrapper
    ${MAKE} install
    sh tools/musl-gcc.specs.sh ${library}/include ${library}/lib /${LOADER} > ${specs}
    for name in ${HEADERS}; do ln -sfn ${root}/usr/riscv64-linux-gnu/include/$name ${library}/include/$name; done`,
    { CC: `${PREFIX}gcc`, CROSS_COMPILE: PREFIX, CFLAGS: FLAGS.join(' ') },
  );
}

/** Chooses BusyBox's programs. @param {string} file */
async function configureBusybox(file) {
  const wanted = new Set(`${SETTINGS} ${APPLETS.toUpperCase()}`.split(' '));
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => {
    const name = /^# CONFIG_(\w+) is not set$/.exec(line)?.[1];
    return name !== undefined && wanted.has(name) ? `CONFIG_${name}=y` : line;
  });
  await writeFile(file, lines.join('\n'));
}

/** @param {Places} places @param {RunIn} runIn */
async function buildPrograms({ sources, flags }, runIn) {
  const compiler = [`${PREFIX}gcc -w`, ...flags, ...FLAGS].join(' ');
  const zlib = ZLIB.split(' ').map((name) => `${name}.c`);
  runIn(
    'zlib',
    `for program in minigzip example; do
      ${compiler} -DHAVE_UNISTD_H -I. -o $program test/$program.c ${zlib.join(' ')}
    done`,
  );
  runIn(
    'sqlite3',
    `./configure --disable-tcl --disable-readline
    make sqlite3.c shell.c
    ${compiler} -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -o sqlite3 shell.c sqlite3.c -lm`,
  );
  runIn('busybox', 'make allnoconfig');
  await configureBusybox(join(sources, 'busybox/.config'));
  runIn(
    'busybox',
    `yes '' | make oldconfig
    ${MAKE} CROSS_COMPILE=${PREFIX} CC="${compiler}" SKIP_STRIP=y`,
  );
}

/** @param {Places} places */
async function collect({ library, sources, built }) {
  const folder = `${built}.new`;
  await rm(folder, { recursive: true, force: true });
  await cp(join(library, 'lib/libc.so'), join(folder, LOADER));
  for (const [file, name] of Object.entries(PROGRAMS)) {
    await cp(join(sources, file), join(folder, 'bin', name));
  }
  await rename(folder, built);
}

/**
 * Builds all. Returns the folder of the programs and the loader, and the compiler's flags for this library.
 * @param {string} root the compiler's folder
 */
export async function buildRoot(root) {
  const path = `${await prepareCompiler(root)}:${process.env.PATH}`;
  const places = placesIn(root);
  const { sources, built, flags } = places;
  if (existsSync(built)) return { built, flags };
  if (!existsSync(sources)) await fetchSources(sources);
  /** @type {RunIn} */
  const runIn = (name, script, env = {}) => {
    console.log(`${name}: building`);
    const options = { cwd: join(sources, name), env: { ...process.env, PATH: path, ...env } };
    execFileSync('sh', ['-ec', script], { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  buildLibrary(places, runIn);
  await buildPrograms(places, runIn);
  await collect(places);
  return { built, flags };
}

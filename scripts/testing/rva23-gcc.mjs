/**
 * The cross compiler of Debian forky, which vectorises for `-march=rva23u64`. Its programs need a newer libc
 * than that of this system, so they run with another root.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { configureApt } from '../setup/apt.mjs';

const PACKAGES = ['gcc-riscv64-linux-gnu', 'libc6-dev-riscv64-cross'];
const FLAGS = ['-march=rva23u64', '-O3', '-static'];

/** Fetches and unpacks the compiler, 93 MB. @param {string} root does not exist yet */
async function fetchCompiler(root) {
  const work = await mkdtemp(`${root}-`);
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  const settings = await configureApt(join(work, 'apt'), 'forky', { architecture });
  const apt = (/** @type {string[]} */ ...args) =>
    execFileSync('apt-get', ['-q', '-y', ...args], {
      env: { ...process.env, ...settings },
      stdio: 'inherit',
    });
  apt('update');
  apt('install', '--download-only', ...PACKAGES);
  const unpacked = join(work, 'root');
  await mkdir(join(unpacked, 'work'), { recursive: true });
  await mkdir(join(unpacked, 'tmp'));
  const archives = join(work, 'apt/cache/archives');
  for (const file of await readdir(archives)) {
    if (file.endsWith('.deb')) execFileSync('dpkg', ['-x', join(archives, file), unpacked]);
  }
  for (const folder of ['lib', 'lib64', 'bin']) {
    if (!existsSync(join(unpacked, folder))) await symlink(join('usr', folder), join(unpacked, folder));
  }
  await rename(unpacked, root);
  await rm(work, { recursive: true });
}

/**
 * Compiles C sources to one program. Returns its path.
 * @param {string} root the compiler's folder, which is filled when it is first used
 * @param {readonly string[]} sources
 */
export async function compileRva23(root, sources) {
  if (!existsSync(root)) await fetchCompiler(root);
  const names = sources.map((source) => basename(source));
  for (const source of sources) await copyFile(source, join(root, 'work', basename(source)));
  const program = basename(names[0] ?? 'program', '.c');
  const compile = ['/usr/bin/riscv64-linux-gnu-gcc', ...FLAGS, ...names, '-lm', '-o', program];
  const inWork = ['--map-root-user', `--root=${root}`, '--wd=/work'];
  execFileSync('unshare', [...inWork, ...compile], { stdio: 'inherit' });
  return join(root, 'work', program);
}

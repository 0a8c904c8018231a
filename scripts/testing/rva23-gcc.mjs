/**
 * The cross compiler of Debian forky, which vectorises for `-march=rva23u64`. Its programs need a newer libc
 * than that of this system, so they run with another root.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { configureApt } from '../setup/apt.mjs';

const PACKAGES = ['gcc-riscv64-linux-gnu', 'libc6-dev-riscv64-cross'];
export const PREFIX = 'riscv64-linux-gnu-';
export const FLAGS = ['-march=rva23u64', '-O3'];
const COMMANDS = 'commands';

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
 * Makes a command of each tool, which runs it with the other root. Paths below that root are the same there.
 * @param {string} root
 */
async function writeCommands(root) {
  await mkdir(join(root, root), { recursive: true });
  await mkdir(join(root, 'dev'));
  await mkdir(join(root, COMMANDS));
  for (const tool of ['gcc', 'ar', 'ranlib', 'as', 'ld', 'nm', 'objcopy', 'strip']) {
    const inRoot = `exec unshare --root="${root}" --wd="$PWD" /usr/bin/${PREFIX}${tool} "$@"`;
    const mounts = `mount --rbind /dev "${root}/dev" && mount --bind "${root}" "${root}${root}"`;
    const script = `${mounts} && ${inRoot}`;
    const command = `#!/bin/sh\nexec unshare --map-root-user --mount /bin/sh -c '${script}' ${tool} "$@"\n`;
    await writeFile(join(root, COMMANDS, `${PREFIX}${tool}`), command, { mode: 0o755 });
  }
}

/**
 * Makes the compiler ready. Returns its folder of commands.
 * @param {string} root the absolute path of the compiler's folder, which is filled when it is first used
 */
export async function prepareCompiler(root) {
  if (!existsSync(root)) await fetchCompiler(root);
  const commands = join(root, COMMANDS);
  if (!existsSync(commands)) await writeCommands(root);
  return commands;
}

/**
 * Compiles C sources, which may be headers too, to one program. Returns its path.
 * @param {string} root as above
 * @param {readonly string[]} sources
 * @param {readonly string[]} flags besides the usual ones
 */
export async function compileRva23(root, sources, flags) {
  const commands = await prepareCompiler(root);
  const work = join(root, 'work');
  for (const source of sources) await copyFile(source, join(work, basename(source)));
  const names = sources.map((source) => basename(source)).filter((name) => name.endsWith('.c'));
  const program = basename(names[0] ?? 'program', '.c');
  const args = [...FLAGS, ...flags, ...names, '-lm', '-pthread', '-o', program];
  execFileSync(join(commands, `${PREFIX}gcc`), args, { cwd: work, stdio: 'inherit' });
  return join(work, program);
}

/** The GNU cross tools, used only by tests. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PREFIX = 'riscv64-linux-gnu-';

const COMMON = [
  ...['-march=rv64gc_zba_zbb_zbs', '-mabi=lp64d', '-O2', '-static'],
  ...['-Wall', '-Wextra', '-Werror', '-Wl,--build-id=none'],
];

/** Flags for C without an operating system. */
const BARE_METAL = [
  ...COMMON,
  ...['-mcmodel=medany', '-ffreestanding', '-nostdlib', '-fno-pic', '-no-pie'],
  '-Wl,--no-warn-rwx-segments',
];

/** Flags for C on Linux. */
const LINUX = [...COMMON, '-pthread'];

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'linuxrun', 'tests');

/** Runs `work` with a new directory that is removed afterwards. */
export async function withTemporaryDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'linuxrun-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Compiles and links a bare-metal program with every C and assembly file of the runtime folders, one of which
 * holds the linker script `link.ld`. Returns the path of the ELF, which is cached by the hash of all inputs.
 * @param macros such as `NAME=1`
 */
export async function compile(
  source: string,
  runtime: readonly string[],
  macros: readonly string[] = [],
): Promise<string> {
  const parts = (await Promise.all(runtime.map(list))).flat();
  const scripts = parts.filter((part) => part.endsWith('.ld')).map((part) => `-T${part}`);
  const code = parts.filter((part) => /\.[cS]$/.test(part));
  const includes = runtime.map((path) => `-I${path}`);
  const flags = [...BARE_METAL, ...macros.map((macro) => `-D${macro}`)];
  return build(source, parts, flags, [...includes, ...scripts, source, ...code]);
}

/** Compiles a program for Linux. Returns the path of the executable, which is cached in the same way. */
export function compileForLinux(source: string): Promise<string> {
  return build(source, [], LINUX, [source, '-lm']);
}

/** @param parts inputs besides the source and the headers in its folder */
async function build(
  source: string,
  parts: readonly string[],
  flags: readonly string[],
  args: readonly string[],
): Promise<string> {
  const headers = (await list(dirname(source))).filter((path) => path.endsWith('.h'));
  const hash = createHash('sha256').update(flags.join('\0'));
  for (const path of [source, ...headers, ...parts]) hash.update(basename(path)).update(await readFile(path));
  const name = basename(source).replace(/\.[^.]*$/, '');
  const elf = join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}.elf`);
  if (existsSync(elf)) return elf;
  await mkdir(CACHE, { recursive: true });
  await withTemporaryDirectory(async (directory) => {
    const output = join(directory, 'program.elf');
    await run(`${PREFIX}gcc`, [...flags, '-o', output, ...args]);
    // The rename makes sure that a parallel test never sees half a file.
    const staged = `${elf}.${process.pid}`;
    await writeFile(staged, await readFile(output), { mode: 0o755 });
    await rename(staged, elf);
  });
  return elf;
}

async function list(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort().flatMap((name) => (/\.\w+$/.test(name) ? [join(folder, name)] : []));
}

export interface AssembledCode {
  readonly bytes: Uint8Array;
  /** Offsets of its labels. */
  readonly labels: readonly number[];
}

/** Assembles code that begins at 0. */
export async function assemble(source: string): Promise<AssembledCode> {
  return withTemporaryDirectory(async (directory) => {
    const object = join(directory, 'code.o');
    const binary = join(directory, 'code.bin');
    await run(`${PREFIX}as`, ['-march=rv64gcv_zba_zbb_zbs', '-mno-relax', '-o', object, source]);
    await run(`${PREFIX}objcopy`, ['-O', 'binary', '-j', '.text', object, binary]);
    const { stdout } = await run(`${PREFIX}nm`, [object]);
    const labels = [...stdout.matchAll(/^([0-9a-f]+) t /gm)].map((match) =>
      Number.parseInt(match[1] as string, 16),
    );
    return { bytes: await readFile(binary), labels };
  });
}

/** Returns the GNU disassembler's text for instruction words, one line each. */
export async function disassemble(words: readonly { word: number; size: 2 | 4 }[]): Promise<string[]> {
  return withTemporaryDirectory(async (directory) => {
    const source = join(directory, 'words.s');
    const object = join(directory, 'words.o');
    const lines = words.map(({ word, size }) => `.insn ${size}, 0x${word.toString(16)}`);
    await writeFile(source, `.text\n${lines.join('\n')}\n`);
    await run(`${PREFIX}as`, ['-march=rv64gc_zba_zbb_zbs', '-o', object, source]);
    const { stdout } = await run(`${PREFIX}objdump`, ['-d', '-M', 'no-aliases,numeric', object], {
      maxBuffer: 1 << 28,
    });
    return [...stdout.matchAll(/^\s*[0-9a-f]+:\t[0-9a-f ]+\t(.*)$/gm)].map((match) => match[1] as string);
  });
}

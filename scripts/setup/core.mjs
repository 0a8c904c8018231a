/** Compiles the machine's core from AssemblyScript to WebAssembly. */
import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inProject } from './places.mjs';
import { run } from './run.mjs';

const ASC = 'node_modules/assemblyscript';
const FOLDER = 'emulator-wasm';
const SOURCES = ['assembly', 'layout.ts'];
const CASES = 'emulator-wasm/jit/cases.ts';
/** The cases, and the modules they import. */
const JIT = ['cases', 'integer', 'float', 'expression', 'operations', 'parameters', 'wasm'].map(
  (name) => `emulator-wasm/jit/${name}.ts`,
);

/** Memory limits are in pages of 64 KiB. The host creates the memory and chooses its size within them. */
const FLAGS = [
  ...['--runtime', 'stub', '--importMemory', '--sharedMemory'],
  ...['--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--exportTable', '--enable', 'threads', '-O3', '--noAssert'],
];

/** @type {import('./step.mjs').Step} */
export const core = {
  name: 'core',
  title: 'emulator core',
  sources: [...SOURCES.map((name) => join(FOLDER, name)), ...JIT, 'scripts/setup/core.mjs'],
  versions: async () => [
    JSON.parse(await readFile(inProject(`${ASC}/package.json`), 'utf8')).version,
    ...FLAGS,
  ],
  outputs: { 'emulator.wasm': 'public/emulator.wasm' },
  async run(work) {
    for (const name of SOURCES)
      await cp(inProject(join(FOLDER, name)), join(work, name), { recursive: true });
    const interpreter = join(work, 'assembly/riscv/interpreter.ts');
    const source = await readFile(interpreter, 'utf8');
    await writeFile(interpreter, source.replace('INTEGER_AND_FLOAT_CASES;', await interpreterCases(work)));
    const output = join(work, 'emulator.wasm');
    await compileAssembly(join(work, 'assembly/index.ts'), output);
    await nameBuild(output);
  },
};

/** The custom section that names the build: saved machines go on with the same core only. */
const BUILD_SECTION = 'linuxrun.build';

/**
 * Appends a custom section to a module (WebAssembly core specification, 5.5.3).
 * @param {string} path
 */
async function nameBuild(path) {
  const module = await readFile(path);
  const name = Buffer.from(BUILD_SECTION);
  const build = Buffer.from(createHash('sha256').update(module).digest('hex'));
  // All lengths are below 128, a byte each in LEB128.
  const section = Buffer.from([0, 1 + name.length + build.length, name.length, ...name, ...build]);
  await writeFile(path, Buffer.concat([module, section]));
}

/**
 * Compiles AssemblyScript. Errors would be hard to find among warnings, which nobody sees otherwise.
 * @param {string} source
 * @param {string} output
 */
export function compileAssembly(source, output) {
  return run('node', [
    inProject(join(ASC, 'bin/asc.js')),
    source,
    '-o',
    output,
    ...FLAGS,
    '--disableWarning',
  ]);
}

/**
 * Returns the cases of the interpreter that are made of the same expressions as the JIT's emitters.
 * @param {string} work folder
 */
async function interpreterCases(work) {
  const { build } = await import('esbuild');
  const bundle = join(work, 'cases.mjs');
  const options = /** @type {const} */ ({ bundle: true, format: 'esm', logLevel: 'silent' });
  await build({ ...options, entryPoints: [inProject(CASES)], outfile: bundle });
  /** @type {{ interpreterCases: () => string }} */
  const module = await import(pathToFileURL(bundle).href);
  return module.interpreterCases();
}

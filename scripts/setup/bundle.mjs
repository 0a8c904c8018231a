/**
 * Bundles the programs that run in Node, and the workers of their machines, from TypeScript into dist/node.
 * In a bundle `import.meta.dirname` is still the folder of the source file, so that programs find the files
 * of the clone. `import.meta.url` is the bundle.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { inProject, PROJECT } from './places.mjs';

const FOLDER = 'dist/node';

const PROGRAMS = {
  boot: 'src/tools/boot.ts',
  run: 'src/cli/run.ts',
  linuxrun: 'src/cli/linuxrun.ts',
  elf: 'src/tools/elf.ts',
  'save-boot': 'src/tools/save-boot.ts',
  server: 'src/server/main.ts',
  bench: 'bench/main.ts',
};

/** The workers of a machine, beside the programs (src/machine/platform/node.ts). */
export const WORKERS = {
  'node-hart': 'src/machine/platform/node-hart.ts',
  'node-machine': 'src/machine/platform/node-machine.ts',
  'node-translator': 'src/machine/platform/node-translator.ts',
  'node-saver': 'src/snapshot/platform/node-saver.ts',
};

/** @typedef {keyof typeof PROGRAMS} Program */

/** @param {Program} program @returns {string} the path of its bundle */
export const bundleOf = (program) => inProject(join(FOLDER, `${program}.js`));

/**
 * @param {string} source TypeScript
 * @param {string} folder the source's folder, relative to the clone
 */
export function keepSourceFolder(source, folder) {
  const fromBundle = JSON.stringify(`/${relative(FOLDER, '.')}/${folder}`);
  return source.replaceAll('import.meta.dirname', `(import.meta.dirname + ${fromBundle})`);
}

/** @type {import('esbuild').Plugin} */
const sourceFolders = {
  name: 'source-folders',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: keepSourceFolder(await readFile(path, 'utf8'), dirname(relative(PROJECT, path))),
      loader: 'ts',
    }));
  },
};

/** @type {import('./step.mjs').Step} */
export const bundle = {
  name: 'bundle',
  title: 'programs',
  sources: [
    'src',
    'bench',
    'e2e/browser.ts',
    'e2e/support',
    'emulator-wasm/layout.ts',
    'emulator-wasm/jit',
    'emulator-wasm/assembly/opcodes.ts',
    'package-lock.json',
    'scripts/setup/bundle.mjs',
    'scripts/setup/esbuild.mjs',
  ],
  outputs: { node: FOLDER },
  run: (work) => bundlePrograms(PROGRAMS, join(work, 'node')),
};

/**
 * @param {Readonly<Record<string, string>>} programs sources by the names of the bundles
 * @param {string} outdir as deep in the clone as dist/node
 */
export async function bundlePrograms(programs, outdir) {
  // ./run.sh imports this file at every start, and rarely bundles.
  const { esbuild } = await import('./esbuild.mjs');
  const common = /** @type {const} @satisfies {import('esbuild').BuildOptions} */ ({
    outdir,
    platform: 'node',
    target: 'node20',
    packages: 'external',
    plugins: [sourceFolders],
  });
  // One build per program, because each file that a program reads costs time. Splitting defers dynamic
  // imports.
  const bundles = Object.entries(programs).map(([name, entry]) =>
    esbuild({ ...common, entryPoints: { [name]: entry }, format: 'esm', splitting: true }),
  );
  // Node loads CommonJS in half the time of ES modules.
  const workers = esbuild({
    ...common,
    entryPoints: WORKERS,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  });
  await Promise.all([...bundles, workers]);
}

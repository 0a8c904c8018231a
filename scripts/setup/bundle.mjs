/**
 * Bundles the programs that run in Node, and the workers of their machines, from TypeScript into dist/node.
 * In a bundle `import.meta.dirname` is still the folder of the source file, so that programs find the files
 * of the clone. `import.meta.url` is the bundle.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { inProject, PROJECT } from './places.mjs';

const FOLDER = 'dist/node';
const OTHER_FOLDER = 'dist/programs';

/** Users wait for their start. */
export const COMMANDS = {
  run: 'src/cli/run.ts',
  linuxrun: 'src/cli/linuxrun.ts',
};

export const TOOLS = {
  boot: 'src/tools/boot.ts',
  elf: 'src/tools/elf.ts',
  'save-boot': 'src/tools/save-boot.ts',
  'emulator-disk': 'src/tools/emulator-disk.ts',
  'emulator-code': 'src/tools/emulator-code.ts',
};

const OTHERS = {
  server: 'src/server/main.ts',
  bench: 'bench/main.ts',
};

/** The workers of a machine, beside the programs, and how they and commands start. */
export const WORKERS = {
  'node-folders': 'src/machine/platform/node-folders.ts',
  'node-hart': 'src/machine/platform/node-hart.ts',
  'node-machine': 'src/machine/platform/node-machine.ts',
  'node-translator': 'src/machine/platform/node-translator.ts',
  'node-saver': 'src/snapshot/platform/node-saver.ts',
  'node-cache': 'src/machine/platform/node-cache.ts',
};

/** What run.sh asks before it starts the command. */
const READY = { ready: 'scripts/setup/ready.mjs' };

/** Packages that others can do without. */
export const OPTIONAL = ['bufferutil', 'utf-8-validate', 'esbuild', 'vite'];

/** @param {keyof typeof COMMANDS} command @returns {string} the path of its bundle */
export const commandOf = (command) => inProject(join(FOLDER, `${command}.cjs`));

/** @param {keyof typeof WORKERS} worker @returns {string} the path of its bundle */
export const workerOf = (worker) => inProject(join(FOLDER, `${worker}.cjs`));

/** @param {keyof typeof TOOLS | keyof typeof OTHERS} program @returns {string} the path of its bundle */
export const bundleOf = (program) =>
  inProject(join(program in TOOLS ? FOLDER : OTHER_FOLDER, `${program}.js`));

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
    build.onLoad({ filter: /\.ts$|\/scripts\/.*\.mjs$/ }, async ({ path }) => ({
      contents: keepSourceFolder(await readFile(path, 'utf8'), dirname(relative(PROJECT, path))),
      loader: 'ts',
    }));
  },
};

const CORE = ['emulator-wasm/layout.ts', 'emulator-wasm/jit', 'emulator-wasm/assembly'];
const SCRIPTS = ['package-lock.json', 'scripts/setup'];

/**
 * The folders of src that commands and tools are made from. ./run.sh looks at each of their files at each
 * start.
 */
const PARTS = [
  'api',
  'cli',
  'container',
  'disk',
  'docker',
  'folders',
  'http',
  'machine',
  'network',
  'oci',
  'options',
  'snapshot',
  'storage',
  'streams',
  'text',
  'tools',
];

/** @type {import('./step.mjs').Step} */
export const bundle = {
  name: 'bundle',
  title: 'commands',
  sources: [...PARTS.map((part) => `src/${part}`), ...CORE, ...SCRIPTS],
  outputs: { node: FOLDER },
  async run(work) {
    const outdir = join(work, 'node');
    await Promise.all([
      bundlePrograms(TOOLS, outdir),
      bundleCommands({ ...COMMANDS, ...READY, ...WORKERS }, outdir),
    ]);
  },
};

/** @type {import('./step.mjs').Step} */
export const programs = {
  name: 'programs',
  title: 'programs',
  sources: ['src', 'bench', 'e2e/browser.ts', 'e2e/support', ...CORE, ...SCRIPTS],
  outputs: { programs: OTHER_FOLDER },
  async run(work) {
    const outdir = join(work, 'programs');
    await Promise.all([bundlePrograms(OTHERS, outdir), bundleCommands(WORKERS, outdir)]);
  },
};

/**
 * @param {Readonly<Record<string, string>>} entries sources by the names of the bundles
 * @param {string} outdir as deep in the clone as dist/node
 */
async function bundlePrograms(entries, outdir) {
  // ./run.sh imports this file at every start, and rarely bundles.
  const { esbuild } = await import('./esbuild.mjs');
  // One build per program, because each file that a program reads costs time. Splitting defers dynamic
  // imports.
  const bundles = Object.entries(entries).map(([name, entry]) =>
    esbuild({
      outdir,
      platform: 'node',
      target: 'node20',
      packages: 'external',
      plugins: [sourceFolders],
      entryPoints: { [name]: entry },
      format: 'esm',
      splitting: true,
    }),
  );
  await Promise.all(bundles);
}

/**
 * Bundles commands or workers, each with its packages into one file.
 * @param {Readonly<Record<string, string>>} entryPoints sources by the names of the bundles
 * @param {string} outdir as deep in the clone as dist/node
 */
export async function bundleCommands(entryPoints, outdir) {
  const { esbuildCommonJs } = await import('./esbuild.mjs');
  await esbuildCommonJs({
    outdir,
    target: 'node20',
    external: OPTIONAL,
    plugins: [sourceFolders],
    entryPoints,
  });
}

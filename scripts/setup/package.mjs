/**
 * Makes the npm package in `dist/package`: bundles without dependencies for Node and browsers, declarations
 * of types, and the files of the machine. Whoever installs it compiles nothing.
 */
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { OPTIONAL, WORKERS } from './bundle.mjs';
import { esbuild, esbuildCommonJs } from './esbuild.mjs';
import { licenceText } from './licences.mjs';
import { inProject, PROJECT } from './places.mjs';
import { QEMU_COPYRIGHT } from './qemu-user.mjs';
import { DECLARATIONS, OTHER_DECLARATIONS, TYPES } from './types.mjs';

/** The name of the command. */
const COMMAND = 'linuxrun';
/**
 * The modules for Node, each bundled by itself with those that it loads later, because each file that Node
 * reads costs time.
 * @type {Record<string, string>}
 */
const NODE = { index: 'src/api/node.ts', vite: 'src/vite/plugin.ts' };
/** The code of the command. */
const CODE = { 'linuxrun-code': 'src/cli/linuxrun.ts' };
/**
 * The file that npm starts. Its `--` keeps files of `--env-file` from Node, which also reads that flag behind
 * the program's name, and would take NODE_OPTIONS from the file and run code outside of the container.
 */
const START = `#!/usr/bin/env -S node --
require('./node-cache.cjs').runCached(require.resolve('./${Object.keys(CODE)}.cjs'));
`;
/** @type {Record<string, string>} */
const BROWSER = {
  index: 'src/api/browser.ts',
  element: 'src/element/element.ts',
  react: 'src/element/react.ts',
};

/** The folder of the clone that is `assets` in the package, and what the package takes from it. */
const PUBLIC = 'public';
const ASSETS = ['emulator.wasm', 'kernel', 'images'];

/** Code in CommonJS may ask for modules of Node, or for packages that it can do without. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);";
/** The types of `await using`, which the library of ES2022 lacks. */
const DISPOSABLE = '/// <reference lib="esnext.disposable" />\n';
/** A literal URL beside a module, as bundlers for browsers expect it. */
const URL_BESIDE = /new URL\(\s*(\/\*.*?\*\/ )?'(\.[^']+)',\s*import\.meta\.url,?\s*\)/g;

/**
 * Leads URLs beside a source to the same files beside a bundle: to the package's assets, to the bundle of a
 * worker, or to a copy of a file of a package.
 */
class Neighbours {
  /** Sources of workers. @type {Set<string>} */
  workers = new Set();
  /** Files to copy. @type {Set<string>} */
  files = new Set();

  /** @param {string} source TypeScript @param {string} path of its file */
  redirect(source, path) {
    return source.replaceAll(
      URL_BESIDE,
      (_, /** @type {string} */ comment = '', /** @type {string} */ to) => {
        const target = relative(PROJECT, join(dirname(path), to));
        return `new URL(${comment}'${this.#placeOf(target, to.endsWith('/'))}', import.meta.url)`;
      },
    );
  }

  /** @param {string} target @param {boolean} isFolder */
  #placeOf(target, isFolder) {
    if (target === PUBLIC || target.startsWith(`${PUBLIC}/`))
      return `../../assets${target.slice(PUBLIC.length)}${isFolder ? '/' : ''}`;
    if (target === 'package.json') return '../../package.json';
    if (target.endsWith('.ts')) {
      this.workers.add(target);
      return `./${basename(target, '.ts')}.js`;
    }
    if (!target.startsWith('node_modules/')) return `./${basename(target)}`;
    this.files.add(target);
    return `./${basename(target)}`;
  }

  /** @returns {import('esbuild').Plugin} */
  get plugin() {
    return {
      name: 'neighbours',
      setup: (build) => {
        build.onLoad({ filter: /\/src\/.*\.tsx?$/ }, async ({ path }) => ({
          contents: this.redirect(await readFile(path, 'utf8'), path),
          loader: path.endsWith('x') ? 'tsx' : 'ts',
        }));
      },
    };
  }

  /** @param {string} folder */
  async copyFiles(folder) {
    for (const file of this.files) await copyFile(inProject(file), join(folder, basename(file)));
  }
}

/** Imports styles as text, as Vite does. @type {import('esbuild').Plugin} */
const inlineStyles = {
  name: 'inline-styles',
  setup(build) {
    build.onResolve({ filter: /\.css\?inline$/ }, async ({ path, resolveDir, kind }) => {
      const found = await build.resolve(path.replace('?inline', ''), { resolveDir, kind });
      // esbuild writes the path into the bundle, which must not depend on the clone's place.
      return { path: relative(PROJECT, found.path), namespace: 'inline' };
    });
    build.onLoad({ filter: /.*/, namespace: 'inline' }, async ({ path }) => ({
      contents: await readFile(inProject(path), 'utf8'),
      loader: 'text',
    }));
  },
};

const COMMON = /** @type {const} */ ({ legalComments: 'none', charset: 'utf8' });

/** @param {string} outdir */
async function bundleForNode(outdir) {
  const neighbours = new Neighbours();
  const common = /** @type {const} @satisfies {import('esbuild').BuildOptions} */ ({
    ...COMMON,
    outdir,
    target: 'node20.19',
    external: OPTIONAL,
    plugins: [neighbours.plugin],
  });
  for (const [name, entry] of Object.entries(NODE))
    await esbuild({
      ...common,
      platform: 'node',
      entryPoints: { [name]: entry },
      format: 'esm',
      splitting: true,
      chunkNames: `${name}-[hash]`,
      banner: { js: REQUIRE },
    });
  await esbuildCommonJs({ ...common, entryPoints: { ...CODE, ...WORKERS } });
  await neighbours.copyFiles(outdir);
}

/** @param {string} outdir */
async function bundleForBrowsers(outdir) {
  const neighbours = new Neighbours();
  let known = -1;
  // A worker may start others.
  while (known < neighbours.workers.size) {
    known = neighbours.workers.size;
    // Files of an earlier round have other names.
    await rm(outdir, { recursive: true, force: true });
    const workers = [...neighbours.workers].map((source) => [basename(source, '.ts'), source]);
    await esbuild({
      ...COMMON,
      outdir,
      entryPoints: { ...BROWSER, ...Object.fromEntries(workers) },
      chunkNames: 'shared-[hash]',
      platform: 'browser',
      target: 'es2022',
      format: 'esm',
      splitting: true,
      jsx: 'automatic',
      plugins: [neighbours.plugin, inlineStyles],
    });
  }
  await neighbours.copyFiles(outdir);
}

/** What programs import. @type {Set<string>} */
const ENTRIES = new Set([...Object.keys(BROWSER), ...Object.keys(NODE)]);

/** @param {string} name @returns {[path: string, conditions: Record<string, string>]} */
function exportOf(name) {
  const conditions = {
    types: `./dist/types/${name}.d.ts`,
    ...(name in BROWSER && name in NODE && { browser: `./dist/browser/${name}.js` }),
    default: `./dist/${name in NODE ? 'node' : 'browser'}/${name}.js`,
  };
  return [name === 'index' ? '.' : `./${name}`, conditions];
}

async function describe() {
  const { name, version, description, engines } = JSON.parse(
    await readFile(inProject('package.json'), 'utf8'),
  );
  return {
    name,
    version,
    description,
    // The kernel, BusyBox and QEMU are under the GPL.
    license: 'Apache-2.0 AND GPL-2.0-only',
    keywords: [
      'linux',
      'containers',
      'docker',
      'oci',
      'emulator',
      'riscv',
      'webassembly',
      'browser',
      'sandbox',
    ],
    type: 'module',
    engines,
    bin: { [COMMAND]: `dist/node/${COMMAND}.cjs` },
    // Without code that a Node has compiled.
    files: ['assets', 'dist', '!*.cache', 'LICENCES.txt'],
    exports: {
      ...Object.fromEntries([...ENTRIES].map(exportOf)),
      './assets/*': './assets/*',
      './package.json': './package.json',
    },
  };
}

/** @type {import('./step.mjs').Step} */
export const npmPackage = {
  name: 'package',
  title: 'npm package',
  sources: [
    'src',
    'emulator-wasm/layout.ts',
    'emulator-wasm/jit',
    'emulator-wasm/assembly',
    ...ASSETS.map((name) => join(PUBLIC, name)),
    'dist/busybox-copyright',
    QEMU_COPYRIGHT,
    'LICENSE',
    'package.json',
    'package-lock.json',
    TYPES,
    'scripts/setup/esbuild.mjs',
    'scripts/setup/licences.mjs',
    'scripts/setup/package.md',
    'scripts/setup/package.mjs',
  ],
  outputs: { package: 'dist/package' },
  async run(work) {
    const folder = join(work, 'package');
    const inPackage = (/** @type {string} */ path) => join(folder, path);
    await mkdir(folder, { recursive: true });
    await bundleForNode(inPackage('dist/node'));
    await writeFile(inPackage(`dist/node/${COMMAND}.cjs`), START, { mode: 0o755 });
    await bundleForBrowsers(inPackage('dist/browser'));
    await mkdir(inPackage('dist/types'));
    const declarations = await readFile(inProject(DECLARATIONS), 'utf8');
    await writeFile(inPackage('dist/types/index.d.ts'), `${DISPOSABLE}${declarations}`);
    for (const name of OTHER_DECLARATIONS)
      await copyFile(inProject(join(TYPES, name)), inPackage(join('dist/types', name)));
    for (const name of ASSETS)
      await cp(inProject(join(PUBLIC, name)), inPackage(join('assets', name)), { recursive: true });
    await writeFile(inPackage('package.json'), `${JSON.stringify(await describe(), undefined, 2)}\n`);
    await writeFile(inPackage('LICENCES.txt'), await licenceText());
    await copyFile(inProject('LICENSE'), inPackage('LICENSE'));
    await copyFile(inProject('scripts/setup/package.md'), inPackage('README.md'));
  },
};

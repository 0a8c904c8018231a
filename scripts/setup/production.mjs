/**
 * Makes the parts of a release for a public server: the folders `site` and `previews`, which any static host
 * can serve, and our server.
 */
import { cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { esbuild } from './esbuild.mjs';
import { inProject } from './places.mjs';

const PREVIEWS = 'dist/previews';
/** A later one lies over those before it. */
const LAYERS = ['public', 'dist/app', 'dist/site'];

/** A folder of Vite's in the page, for this set-up. */
const NOT_SERVED = '.vite';

/** @param {string} outfile */
async function bundleServer(outfile) {
  await esbuild({
    entryPoints: ['src/server/production.ts'],
    outfile,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Packages in CommonJS require Node's modules.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
}

/** @type {import('./step.mjs').Step} */
export const production = {
  name: 'production',
  title: 'site and server of a release',
  sources: [
    ...LAYERS,
    PREVIEWS,
    'src',
    'package-lock.json',
    'scripts/node-version.mjs',
    'scripts/setup/esbuild.mjs',
    'scripts/setup/places.mjs',
    'scripts/setup/production.mjs',
  ],
  outputs: {
    site: 'dist/release/site',
    previews: 'dist/release/previews',
    'server.mjs': 'dist/release/server.mjs',
  },
  async run(work) {
    const site = join(work, 'site');
    await mkdir(site, { recursive: true });
    const isServed = (/** @type {string} */ path) => basename(path) !== NOT_SERVED;
    for (const source of LAYERS) await cp(inProject(source), site, { recursive: true, filter: isServed });
    await cp(inProject(PREVIEWS), join(work, 'previews'), { recursive: true });
    // Without a package.json beside it, Node recognises an ES module only by this extension.
    await bundleServer(join(work, 'server.mjs'));
  },
};

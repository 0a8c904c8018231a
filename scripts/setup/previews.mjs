/** Builds the files of preview hosts: bridge, service worker, and a page for previews without a session. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { esbuild } from './esbuild.mjs';
import { inProject } from './places.mjs';

const SOURCES = 'src/preview';
/** @param {string} name */
const sourceOf = (name) => join(SOURCES, `${name}.ts`);
export const SCRIPTS = ['shim', 'bridge', 'unconnected', 'service-worker'].map(sourceOf);
/** The folder of our own paths (src/preview/names.ts). */
const OURS = '__linuxrun';
/** Hosts take the page for wrong addresses from this path. */
const MISSING_PAGE = '404.html';
/** Some static hosts read the headers of all answers from it. */
const HEADERS_FILE = '_headers';

/** @param {string} name @param {Record<string, string>} [define] @returns {Promise<string>} a script */
async function bundle(name, define = {}) {
  const { outputFiles } = await esbuild({
    define,
    entryPoints: [sourceOf(name)],
    minify: true,
    write: false,
    charset: 'ascii',
    target: 'es2022',
  });
  return outputFiles?.[0]?.text ?? '';
}

/**
 * Tells the shim its code, which it puts in front of workers' scripts. Their lines keep their numbers.
 * @param {string} script
 */
function knowingItself(script) {
  return `(function shim(){const SHIM='('+shim+')();';${script.replaceAll('\n', '')}})();`;
}

/** @type {import('./step.mjs').Step} */
export const previews = {
  name: 'previews',
  title: 'files of previews',
  sources: ['src', 'package-lock.json', 'scripts/setup/esbuild.mjs', 'scripts/setup/previews.mjs'],
  outputs: { previews: 'dist/previews' },
  async run(work) {
    const folder = join(work, 'previews');
    const ours = join(folder, OURS);
    await mkdir(ours, { recursive: true });
    const shim = knowingItself(await bundle('shim'));
    const scripts = {
      bridge: await bundle('bridge'),
      unconnected: await bundle('unconnected'),
      'service-worker': await bundle('service-worker', { SHIM: JSON.stringify(shim) }),
    };
    for (const [name, script] of Object.entries(scripts)) await writeFile(join(ours, `${name}.js`), script);
    await cp(inProject(join(SOURCES, 'bridge.html')), join(ours, 'bridge.html'));
    await cp(inProject(join(SOURCES, 'unconnected.html')), join(folder, MISSING_PAGE));
    await cp(inProject(join(SOURCES, HEADERS_FILE)), join(folder, HEADERS_FILE));
  },
};

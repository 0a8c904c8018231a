/**
 * Completes the page: its version, the worker that keeps it for use without the server, documentation,
 * licences, source. `dist/site` lies over `dist/app` and `public`.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeDocumentation } from './docs/documentation.mjs';
import { esbuild } from './esbuild.mjs';
import { kernelOrigin } from './kernel.mjs';
import { writeLicences } from './licences.mjs';
import { inProject, PROJECT } from './places.mjs';
import { writeMissingPage } from './plain-page.mjs';
import { QEMU_COPYRIGHT } from './qemu-user.mjs';
import { CONTROLS, writeSourcesPage } from './sources.mjs';
import { API_MODEL } from './types.mjs';

const PAGE = 'dist/app';
const PUBLIC = 'public';
export const WORKER = 'src/app/offline/service-worker.ts';
const STYLE = 'src/app/styles/document.css';
/** Scripts of the documentation: the one in the page's build, and one that runs before a page is drawn. */
const DOCS_SCRIPT = 'src/docs/main.ts';
export const DOCS_THEME = 'src/docs/theme.ts';
/** Vite's list of the files that it has made of its entries. */
const MANIFEST = '.vite/manifest.json';
/** The parts of `public` that are ours. An operator may add images of any size. */
const OWN = [
  'emulator.wasm',
  'icon.svg',
  'icon-192.png',
  'icon-512.png',
  'images',
  'kernel',
  'manifest.webmanifest',
];
/** The headers of every answer, for hosts that read them. */
const HEADERS_FILE = '_headers';
/** Instructions for hosts and for this set-up, which nobody asks for. */
const NOT_SERVED = [HEADERS_FILE, MANIFEST];
const SOURCE = 'source.tar.gz';

const execute = promisify(execFile);

/** @param {Uint8Array | string} content */
const sha256 = (content) => createHash('sha256').update(content).digest('hex');

/** @param {readonly string[]} args @returns {Promise<string>} empty outside a repository */
async function git(...args) {
  const { stdout } = await execute('git', args, { cwd: PROJECT }).catch(() => ({ stdout: '' }));
  return stdout.trim();
}

/** @returns {Promise<string>} text such as `0.1.0 (5f3a2b1)` */
async function readVersion() {
  const { version } = JSON.parse(await readFile(inProject('package.json'), 'utf8'));
  const commit = await git('describe', '--always', '--abbrev=10', '--dirty', '--exclude=*');
  return commit === '' ? version : `${version} (${commit})`;
}

/**
 * @param {string} folder
 * @param {string} [path]
 * @returns {Promise<string[]>} the files below, relative to the folder
 */
export async function filesIn(folder, path = '') {
  const info = await stat(join(folder, path)).catch(() => undefined);
  if (!info?.isDirectory()) return info ? [path] : [];
  const names = (await readdir(join(folder, path))).sort();
  return (await Promise.all(names.map((name) => filesIn(folder, join(path, name))))).flat();
}

/**
 * The files of a release: their SHA-256 by path, and an id that stands for all of them.
 * @typedef {{ id: string, files: Record<string, string> }} Release
 */

/**
 * Writes the page with its version, and the worker that keeps all of its files.
 * @param {{ page: string, shared: string, target: string, version: string }} parts
 *   `page` and `shared` are folders like `dist/app` and `public`
 */
export async function writeRelease({ page, shared, target, version }) {
  const built = (await filesIn(page)).filter((file) => !NOT_SERVED.includes(file) && file !== 'index.html');
  const own = (await Promise.all(OWN.map((path) => filesIn(shared, path)))).flat();
  const places = [...built.map((file) => [page, file]), ...own.map((file) => [shared, file])];
  const hashes = places.map(async ([folder = '', file = '']) => [
    file,
    sha256(await readFile(join(folder, file))),
  ]);
  const files = Object.fromEntries(await Promise.all(hashes));
  const plain = await readFile(join(page, 'index.html'), 'utf8');
  const id = sha256(JSON.stringify([version, plain, files])).slice(0, 16);
  const index = withMeta(plain, { version, release: id });
  // Hosts may redirect from index.html to the folder.
  const release = { id, files: { '': sha256(index), ...files } };
  await mkdir(target, { recursive: true });
  await writeFile(join(target, 'index.html'), index);
  const headers = readHeaders(await readFile(join(page, HEADERS_FILE), 'utf8'));
  await bundleWorker(join(target, 'service-worker.js'), { ...release, headers });
}

/** @param {string} file the headers of every answer, below the line with their path */
function readHeaders(file) {
  const lines = file.matchAll(/^ +([\w-]+): (.+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name, value]));
}

/** @param {string} html @param {Record<string, string>} values */
function withMeta(html, values) {
  const elements = Object.entries(values).map(
    ([name, value]) => `<meta name="linuxrun-${name}" content="${value}">`,
  );
  return html.replace('</head>', `${elements.join('\n')}\n</head>`);
}

/** @param {string} outfile @param {Release & { headers: Record<string, string> }} release */
async function bundleWorker(outfile, release) {
  await bundle({ entryPoints: [WORKER], outfile, define: { RELEASE: JSON.stringify(release) } });
}

/** @param {import('esbuild').BuildOptions} options */
const bundle = (options) => esbuild({ ...options, minify: true });

/** @returns {Promise<string>} the style sheet of the pages of text */
async function readStyle() {
  const { outputFiles } = await bundle({ entryPoints: [STYLE], write: false });
  return outputFiles?.[0]?.text ?? '';
}

/** @returns {Promise<import('./docs/layout.mjs').Frame>} */
async function readFrame() {
  const manifest = JSON.parse(await readFile(inProject(join(PAGE, MANIFEST)), 'utf8'));
  const { file, css = [], assets = [] } = manifest[DOCS_SCRIPT];
  const index = await readFile(inProject(join(PAGE, 'index.html')), 'utf8');
  const [policy = ''] = /<meta http-equiv="Content-Security-Policy"[^>]*>/.exec(index) ?? [];
  const fromDocs = (/** @type {string} */ path) => `../${path}`;
  const { version } = JSON.parse(await readFile(inProject('package.json'), 'utf8'));
  // Text in this font is in another one for good if it comes late.
  const fonts = assets.filter((/** @type {string} */ asset) => /geist-latin/.test(asset)).map(fromDocs);
  return { scripts: [fromDocs(file)], styles: css.map(fromDocs), fonts, policy, version };
}

/**
 * @param {string} target the site's folder
 * @param {boolean} hasSource whether it holds LinuxRun's own source
 */
async function writeDocuments(target, hasSource) {
  const docs = join(target, 'docs');
  await mkdir(docs, { recursive: true });
  const model = JSON.parse(await readFile(inProject(API_MODEL), 'utf8'));
  for (const [name, content] of await writeDocumentation(await readFrame(), model))
    await writeFile(join(docs, name), content);
  await bundle({ entryPoints: [DOCS_THEME], outfile: join(docs, 'theme.js') });
  await cp(inProject('docs/pictures'), join(docs, 'pictures'), { recursive: true });
  const style = await readStyle();
  await writeFile(join(target, 'licences.html'), await writeLicences(style));
  await writeFile(
    join(target, 'sources.html'),
    await writeSourcesPage(style, hasSource ? SOURCE : undefined),
  );
  await writeFile(join(target, '404.html'), writeMissingPage(style));
}

/** @type {import('./step.mjs').Step} */
export const site = {
  name: 'site',
  title: 'site',
  sources: [
    ...[
      PAGE,
      PUBLIC,
      DOCS_THEME,
      API_MODEL,
      'src/app/offline',
      'src/app/styles',
      'src/code-cache',
      'src/text/hex.ts',
      'docs',
      'README.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'LICENSE',
    ],
    ...[
      'package.json',
      'package-lock.json',
      'dist/busybox-copyright',
      QEMU_COPYRIGHT,
      ...CONTROLS,
      'scripts/setup',
    ],
    // Git adds a line with every commit.
    '.git/logs/HEAD',
  ],
  versions: async () => [await readVersion(), JSON.stringify(await kernelOrigin())],
  outputs: { site: 'dist/site' },
  async run(work) {
    const target = join(work, 'site');
    await mkdir(target, { recursive: true });
    // A copy of the source without a repository has no list of its files.
    const hasSource = (await git('rev-parse', 'HEAD')) !== '';
    const version = await readVersion();
    await writeRelease({ page: inProject(PAGE), shared: inProject(PUBLIC), target, version });
    if (hasSource)
      await git(
        'archive',
        '--format=tar.gz',
        '--prefix=linuxrun/',
        `--output=${join(target, SOURCE)}`,
        'HEAD',
      );
    await writeDocuments(target, hasSource);
    // GitHub Pages otherwise leaves out files whose names begin with an underscore.
    await writeFile(join(target, '.nojekyll'), '');
  },
};

/** Completes the files of a release, beside the site and its server (production.mjs). */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inProject } from './places.mjs';
import { run } from './run.mjs';
import { filesIn } from './site.mjs';
import { sourcesName, writeSources } from './sources.mjs';

export const RELEASE = 'dist/release';
/** The hash of every file, as `sha256sum --check` reads them. */
const SUMS = 'SHA256SUMS';
const ARCHIVE = /^linuxrun-.*\.(tgz|tar)$/;

export async function readVersion() {
  return JSON.parse(await readFile(inProject('package.json'), 'utf8')).version;
}

/**
 * Adds the npm package and the sources to a folder, instead of those of other versions.
 * @param {string} folder
 */
export async function addArchives(folder) {
  for (const name of await readdir(folder)) if (ARCHIVE.test(name)) await rm(join(folder, name));
  await run('npm', ['pack', inProject('dist/package'), '--pack-destination', folder, '--ignore-scripts']);
  const version = await readVersion();
  await writeSources(join(folder, sourcesName(version)), version);
}

/** @param {string} folder @returns {Promise<string[]>} its files but the list of their hashes */
const releasedFiles = async (folder) => (await filesIn(folder)).filter((name) => name !== SUMS);

/** @param {string} folder */
export async function writeSums(folder) {
  const lines = [];
  for (const name of await releasedFiles(folder)) {
    const hash = createHash('sha256').update(await readFile(join(folder, name)));
    lines.push(`${hash.digest('hex')}  ${name}\n`);
  }
  await writeFile(join(folder, SUMS), lines.join(''));
}

/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/** @param {string} folder @returns {Promise<string>} a line for each part of a release, with its size */
export async function formatParts(folder) {
  /** @type {Map<string, number>} */
  const sizes = new Map();
  for (const name of await releasedFiles(folder)) {
    const [top = '', ...rest] = name.split('/');
    const part = rest.length > 0 ? `${top}/` : top;
    sizes.set(part, (sizes.get(part) ?? 0) + (await stat(join(folder, name))).size);
  }
  const sums = new Map(
    (await readFile(join(folder, SUMS), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => /** @type {[string, string]} */ (line.split('  ').reverse())),
  );
  const lines = [...sizes].map(([part, size]) =>
    [megabytes(size).padStart(10), part.padEnd(32), sums.get(part) ?? ''].join('  ').trimEnd(),
  );
  return `${folder}\n${lines.join('\n')}`;
}

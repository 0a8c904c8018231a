/**
 * A step builds something and caches it by the hash of all its inputs. The result is built in a work folder,
 * renamed into the cache when it is complete, and copied into the clone. An interrupted build therefore
 * leaves nothing that looks finished.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withLock } from './lock.mjs';
import { CACHE, hash, inProject, isSource } from './places.mjs';
import { showBuilding } from './progress.mjs';

const UNUSED_FOR = 30 * 24 * 60 * 60 * 1000;

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} title the name of its result, for the user
 * @property {readonly string[]} [sources] input files and folders of the clone
 * @property {() => Promise<readonly string[]> | readonly string[]} [versions] other inputs: versions,
 *   options, keys
 * @property {Readonly<Record<string, string>>} outputs paths in the clone by name in the work folder
 * @property {boolean} [resumes] whether an interrupted build continues in its work folder
 * @property {(work: string) => Promise<void>} run makes the outputs in the work folder
 */

/**
 * @param {string} path relative to the clone
 * @returns {Promise<string[]>} the files at or below it, sorted
 */
async function filesBelow(path) {
  const info = await stat(inProject(path)).catch(() => undefined);
  if (!info) return [];
  if (!info.isDirectory()) return [path];
  const names = (await readdir(inProject(path))).filter(isSource).sort();
  return (await Promise.all(names.map((name) => filesBelow(join(path, name))))).flat();
}

/**
 * @param {readonly string[]} sources
 * @returns {Promise<(string | Uint8Array)[]>} every file's path and contents
 */
async function readSources(sources) {
  const files = (await Promise.all(sources.map(filesBelow))).flat();
  const contents = await Promise.all(files.map((file) => readFile(inProject(file))));
  return files.flatMap((file, index) => [file, contents[index] ?? '']);
}

/** @param {Step} step @returns {Promise<string>} the hash of all its inputs */
export async function keyOf(step) {
  const versions = (await step.versions?.()) ?? [];
  return hash([
    step.name,
    ...Object.entries(step.outputs).flat(),
    ...versions,
    ...(await readSources(step.sources ?? [])),
  ]);
}

/** @param {Step} step @param {string} key */
const entryOf = (step, key) => join(CACHE, step.name, key);

/** @param {Step} step @returns {string} the file that holds the key of the outputs in place */
export const stampOf = (step) => inProject(join('dist/.setup', step.name));

/**
 * Whether a step's outputs are in the clone and match its current inputs.
 * @param {Step} step
 * @param {string} [key] the key of its current inputs, if known
 */
export async function isInPlace(step, key) {
  key ??= await keyOf(step);
  const placed = await readFile(stampOf(step), 'utf8').catch(() => '');
  return placed === key && Object.values(step.outputs).every((path) => existsSync(inProject(path)));
}

/** @param {Step} step @returns {Promise<boolean>} whether `ensure` will build it, as far as is known yet */
export async function isToBuild(step) {
  try {
    const key = await keyOf(step);
    return !(await isInPlace(step, key)) && !existsSync(entryOf(step, key));
  } catch {
    // Its inputs are not there yet.
    return true;
  }
}

/** @param {string} from @param {string} to */
async function copyInto(from, to) {
  const temporary = `${to}.${process.pid}.new`;
  await mkdir(dirname(to), { recursive: true });
  await rm(temporary, { recursive: true, force: true });
  await cp(from, temporary, { recursive: true });
  // A folder cannot be renamed onto a folder that is not empty.
  if ((await stat(to).catch(() => undefined))?.isDirectory()) await rm(to, { recursive: true });
  await rename(temporary, to);
}

/** @param {Step} step @param {string} key */
async function place(step, key) {
  const entry = entryOf(step, key);
  for (const [name, path] of Object.entries(step.outputs)) await copyInto(join(entry, name), inProject(path));
  await utimes(entry, new Date(), new Date());
  await mkdir(dirname(stampOf(step)), { recursive: true });
  await writeFile(stampOf(step), key);
}

/**
 * Removes results and abandoned work folders that nothing has used for a month.
 * @param {string} folder a step's folder in the cache
 */
async function sweep(folder) {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    // Another set-up may have renamed it in the meantime.
    const info = await stat(path).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > UNUSED_FOR) await rm(path, { recursive: true, force: true });
  }
}

/** @param {Step} step @param {string} key */
async function build(step, key) {
  const entry = entryOf(step, key);
  const work = `${entry}.work`;
  const result = `${entry}.result`;
  if (!step.resumes) await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await showBuilding(step.name, step.title, 'building', () => step.run(work));

  await rm(result, { recursive: true, force: true });
  await mkdir(result);
  for (const name of Object.keys(step.outputs)) await rename(join(work, name), join(result, name));
  await rename(result, entry);
  await rm(work, { recursive: true, force: true });
  await sweep(dirname(entry));
}

/**
 * Makes isInPlace true: takes the outputs from the cache, or builds them.
 * @param {Step} step
 */
export async function ensure(step) {
  const key = await keyOf(step);
  if (await isInPlace(step, key)) return;
  const entry = entryOf(step, key);
  await withLock(`${entry}.lock`, step.title, async () => {
    if (!existsSync(entry)) await build(step, key);
  });
  await withLock(inProject(`dist/.setup/${step.name}.lock`), step.title, () => place(step, key));
}

/** Installs the npm packages of package-lock.json in node_modules. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { CACHE, hash, inProject, PROJECT } from './places.mjs';
import { showBuilding } from './progress.mjs';
import { run } from './run.mjs';

export const NPM_PART = 'npm packages';

/**
 * @typedef {{
 *   version?: string, resolved?: string, optional?: boolean, devOptional?: boolean, peer?: boolean
 * }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} LockFile
 */

/** @param {string} path @returns {Promise<LockFile>} */
async function readLock(path) {
  try {
    return JSON.parse(await readFile(inProject(path), 'utf8'));
  } catch {
    return {};
  }
}

/**
 * Whether the installed packages are those of the lock file. Optional packages may be absent, as those for
 * other systems are.
 * @param {LockFile} wanted the contents of package-lock.json
 * @param {LockFile} installed the contents of node_modules/.package-lock.json, which npm writes last
 */
export function isInstalled(wanted, installed) {
  return Object.entries(wanted.packages ?? {}).every(([path, { version, optional }]) => {
    const present = installed.packages?.[path];
    return path === '' || (present ? present.version === version : optional === true);
  });
}

/** Whether all packages are installed. */
export async function isCurrent() {
  const [wanted, installed] = await Promise.all([
    readLock('package-lock.json'),
    readLock('node_modules/.package-lock.json'),
  ]);
  return isInstalled(wanted, installed);
}

export async function ensureNpmPackages() {
  if (await isCurrent()) return;
  await withLock(join(CACHE, `npm-${hash([PROJECT])}.lock`), NPM_PART, async () => {
    if (await isCurrent()) return;
    await showBuilding(NPM_PART, NPM_PART, 'installing', () => run('npm', ['ci', '--no-audit', '--no-fund']));
  });
}

/** Paths: the clone, and the user's cache, which all clones share. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The top folder of this clone. */
export const PROJECT = join(import.meta.dirname, '../..');

/** The XDG base directory specification says that a relative XDG_CACHE_HOME must be ignored. */
function userCache() {
  const given = process.env.XDG_CACHE_HOME ?? '';
  return given.startsWith('/') ? given : join(homedir(), '.cache');
}

/** Holds built artifacts by the hash of their inputs. It may be deleted at any time. */
export const CACHE = join(userCache(), 'linuxrun');

/** @param {string} path relative to the clone */
export const inProject = (path) => join(PROJECT, path);

/** Whether a build may depend on a file or folder, which none does on tests. @param {string} name */
export const isSource = (name) => !name.endsWith('.test.ts') && name !== 'testing';

/** @param {readonly (string | Uint8Array)[]} parts */
export function hash(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(`${part.length}:`).update(part);
  return sum.digest('hex').slice(0, 32);
}

/** The OCI layout that `scripts/bench-images.mjs` makes. */
export const BENCH_IMAGES = join(CACHE, 'bench-images');

/** The OCI layout that `scripts/web-images.mjs` makes. */
export const WEB_IMAGES = join(CACHE, 'web-images');

/** The OCI layout that `scripts/starter-images.mjs` makes. */
export const STARTER_IMAGES = join(CACHE, 'starter-images');

/** The OCI layout that `scripts/foreign-images.mjs` makes. */
export const FOREIGN_IMAGES = join(CACHE, 'foreign-images');

/** The variables that begin with LINUXRUN_. Any other is a mistake, which would otherwise change nothing. */
import { OptionError } from './option-error.mjs';

const PREFIX = 'LINUXRUN_';
/** A longer name is not compared with the others. */
const LONGEST = 64;

/** Without the prefix, in the order in which help and documentation name them. */
export const VARIABLES = [
  // What to run; links know most of them.
  'IMAGE',
  'PLATFORM',
  'ENTRYPOINT',
  'ARGS',
  'ENV',
  'USER',
  'WORKDIR',
  // Not in links: a stranger's command must not run on kept files.
  'NAME',
  'SNAPSHOT',
  // Only in links.
  'PROJECT',
  'PORTS',
  'INIT',
  'DEVICES',
  // Not in links: a stranger's command must not run on folders of the user's.
  'MOUNTS',
  'MEMORY',
  'CPUS',
  'DISK',
  'NETWORK',
  // The server reads it, too. Links cannot set it, because a relay sees all traffic.
  'RELAY',
  'REGISTRY_USER',
  'REGISTRY_PASSWORD',
  // The server reads it, too.
  'REGISTRY_MIRROR',
  // Of the server.
  'HOSTS',
  'EMBED_ORIGINS',
  'RELAY_SECRET',
  'RELAY_DENY',
  'REGISTRIES',
  'REGISTRY_CACHE',
  'REGISTRY_CACHE_SIZE',
  'TRUST_PROXY',
  // run.sh passes NODE_EXTRA_CA_CERTS on in it.
  'EXTRA_CA_CERTS',
];

/**
 * @param {Readonly<Record<string, string | undefined>>} env
 * @throws OptionError that names the first unknown variable, and the one that is probably meant
 */
export function checkVariableNames(env) {
  const names = VARIABLES.map((name) => PREFIX + name);
  const unknown = Object.keys(env).find((name) => name.startsWith(PREFIX) && !names.includes(name));
  if (unknown === undefined) return;
  if (unknown.length > LONGEST)
    throw new OptionError(`there is no variable ${unknown.slice(0, LONGEST)}…: unset it`);
  const distances = names.map((name) => distance(unknown.toUpperCase(), name));
  const nearest = names[distances.indexOf(Math.min(...distances))];
  throw new OptionError(`there is no variable ${unknown}: unset it, or write ${nearest} if that is meant`);
}

/**
 * The number of letters to insert, remove, replace or swap with their neighbours (optimal string alignment).
 * @param {string} a @param {string} b @returns {number}
 */
function distance(a, b) {
  /** @type {number[][]} */
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (/** @type {number} */ i, /** @type {number} */ j) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(a.length, b.length);
}

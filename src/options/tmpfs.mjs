import { normaliseMountPath } from './mount-path.mjs';
import { OptionError } from './option-error.mjs';

/** The flags of mount(2), and whether the option sets or clears them. */
const MOUNT_FLAGS = /** @type {ReadonlyMap<string, readonly [flag: number, isSet: boolean]>} */ (
  new Map([
    ['defaults', [0, true]],
    ['ro', [1, true]],
    ['rw', [1, false]],
    ['nosuid', [2, true]],
    ['suid', [2, false]],
    ['nodev', [4, true]],
    ['noexec', [8, true]],
    ['exec', [8, false]],
    ['sync', [16, true]],
    ['async', [16, false]],
    ['dirsync', [128, true]],
    ['noatime', [1 << 10, true]],
    ['atime', [1 << 10, false]],
    ['nodiratime', [1 << 11, true]],
    ['diratime', [1 << 11, false]],
    ['relatime', [1 << 21, true]],
    ['norelatime', [1 << 21, false]],
    ['strictatime', [1 << 24, true]],
    ['nostrictatime', [1 << 24, false]],
  ])
);
/** nosuid, nodev and noexec, as in Docker. */
const DEFAULT_FLAGS = 2 | 4 | 8;
const VALUES = /** @type {ReadonlyMap<string, RegExp>} */ (
  new Map([
    ['size', /^\d+[kmgKMG]?$|^(?:\d\d?|100)%$/],
    ['mode', /^[0-7]{1,5}$/],
    ['uid', /^\d{1,10}$/],
    ['gid', /^\d{1,10}$/],
    ['nr_inodes', /^\d+[kmgKMG]?$/],
    ['nr_blocks', /^\d+[kmgKMG]?$/],
  ])
);

/**
 * A temporary file system as `docker run --tmpfs` names it: a path, and perhaps a colon and options.
 * @param {string} text such as `/run:size=64m,mode=755,exec`
 * @returns {{ path: string, flags: number, options: string }} the flags of mount(2), and tmpfs's options
 * @throws OptionError
 */
export function parseTmpfs(text) {
  const colon = text.indexOf(':');
  const path = normaliseMountPath(colon < 0 ? text : text.slice(0, colon), 'a temporary file system');
  const words = colon < 0 ? [] : text.slice(colon + 1).split(',');
  let flags = DEFAULT_FLAGS;
  const options = [];
  for (const word of words) {
    const flag = MOUNT_FLAGS.get(word);
    if (flag) {
      flags = flag[1] ? flags | flag[0] : flags & ~flag[0];
    } else if (isValue(word)) {
      options.push(word);
    } else {
      const known = [...MOUNT_FLAGS.keys(), ...[...VALUES.keys()].map((name) => `${name}=`)];
      throw new OptionError(`"${word}" is no option of a temporary file system: name ${known.join(', ')}`);
    }
  }
  return { path, flags, options: options.join(',') };
}

/**
 * @param {readonly string[]} texts
 * @returns {{ path: string, flags: number, options: string }[]} the outer ones first. The last one of a path
 *   counts
 * @throws OptionError
 */
export function parseAllTmpfs(texts) {
  const mounts = new Map(texts.map(parseTmpfs).map((mount) => [mount.path, mount]));
  return [...mounts.values()].sort((a, b) => depth(a.path) - depth(b.path));
}

/** @param {string} path */
function depth(path) {
  return path.split('/').length;
}

/** @param {string} word */
function isValue(word) {
  const equals = word.indexOf('=');
  return equals > 0 && VALUES.get(word.slice(0, equals))?.test(word.slice(equals + 1)) === true;
}

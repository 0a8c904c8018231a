/**
 * A glance at whether a set-up still holds: at the sizes and times of files, as `make` does, not at what is in them.
 * For programs that are to start at once. When in doubt, the answer is no, and all is looked at in full.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { inProject } from './places.mjs';

/** @param {string} purpose */
const noteOf = (purpose) => inProject(`dist/.setup/glance-${purpose}`);

/**
 * @param {readonly string[]} paths files and folders, absolute or relative to the clone; they may be absent
 * @returns {string} what tells a change of any file at or below them
 */
export function glance(paths) {
  /** @type {string[]} */
  const lines = [];
  /** @param {string} path */
  const visit = (path) => {
    const info = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (info?.isDirectory()) {
      for (const name of readdirSync(path).sort()) visit(join(path, name));
    } else {
      // The time of change cannot be set back, as that of modification can.
      lines.push(`${path} ${info ? `${info.ino} ${info.size} ${info.ctimeNs}` : 'absent'}`);
    }
  };
  for (const path of paths) visit(resolve(inProject('.'), path));
  return lines.join('\n');
}

/** Whether what was noted for a purpose looks as it did then. @param {string} purpose */
export function looksUnchanged(purpose) {
  try {
    const { inputs, outputs, look } = JSON.parse(readFileSync(noteOf(purpose), 'utf8'));
    return (
      outputs.every((/** @type {string} */ path) => existsSync(inProject(path))) && glance(inputs) === look
    );
  } catch {
    return false;
  }
}

/**
 * @param {string} purpose
 * @param {readonly string[]} inputs as for `glance`
 * @param {readonly string[]} outputs which only have to be there
 */
export function noteLook(purpose, inputs, outputs) {
  const note = noteOf(purpose);
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, JSON.stringify({ inputs, outputs, look: glance(inputs) }));
}

/**
 * Checks quickly whether a set-up is still valid. Like `make`, it compares sizes and times of files instead
 * of their contents, so that programs start at once. In doubt the answer is no, and a full check follows.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { inProject, isSource } from './places.mjs';

/** @param {string} purpose */
const noteOf = (purpose) => inProject(`dist/.setup/glance-${purpose}`);

/**
 * @param {readonly string[]} paths files and folders, absolute or relative to the clone; they may be absent
 * @returns {string} a text that differs when any file at or below them has changed
 */
export function glance(paths) {
  /** @type {string[]} */
  const lines = [];
  /** @param {string} path */
  const visitFile = (path) => {
    const info = statSync(path, { throwIfNoEntry: false });
    // Unlike the modification time, the change time (ctime) cannot be set back.
    lines.push(`${path} ${info ? `${info.ino} ${info.size} ${info.ctimeMs}` : 'absent'}`);
  };
  /** @param {string} folder */
  const visitFolder = (folder) => {
    const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => isSource(name));
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) visitFolder(path);
      else visitFile(path);
    }
  };
  for (const path of paths.map((path) => resolve(inProject('.'), path))) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) visitFolder(path);
    else visitFile(path);
  }
  return lines.join('\n');
}

/** Whether the files noted for a purpose look unchanged. @param {string} purpose */
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
 * @param {readonly string[]} outputs files and folders that only have to exist
 */
export function noteLook(purpose, inputs, outputs) {
  const note = noteOf(purpose);
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, JSON.stringify({ inputs, outputs, look: glance(inputs) }));
}

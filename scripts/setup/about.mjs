/** `--help` and `--version`, which need no set-up. */
import { readFileSync } from 'node:fs';
import { inProject } from './places.mjs';

/**
 * Prints help or the version if the arguments ask for it.
 * @param {readonly string[]} args
 * @param {string} help
 * @returns {boolean} whether they do
 */
export function answer(args, help) {
  if (args.includes('--help') || args.includes('-h')) process.stdout.write(help);
  else if (args.includes('--version')) process.stdout.write(`linuxrun ${version()}\n`);
  else return false;
  return true;
}

/** @returns {string} */
function version() {
  return JSON.parse(readFileSync(inProject('package.json'), 'utf8')).version;
}

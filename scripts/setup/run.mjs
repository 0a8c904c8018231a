import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { stripVTControlCharacters } from 'node:util';
import { SetupFailure } from './failure.mjs';
import { CACHE, PROJECT } from './places.mjs';

/** Lines shown of a failed command's output. The cause is usually at the end, sometimes at the start. */
const SHOWN_START = 15;
const SHOWN_END = 25;

/**
 * @typedef {object} RunOptions
 * @property {string} [name] the command's for the user, if another runs it
 * @property {string} [cwd] working directory; the clone unless given
 * @property {Record<string, string>} [env] variables added to this process's environment
 * @property {(line: string) => void} [onLine] called with each line of standard output
 */

/**
 * Runs a command quietly. If it fails, the start and the end of its output are shown, and a log is kept.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export async function run(command, args, options = {}) {
  const { name = command, cwd = PROJECT, env = {}, onLine = () => {} } = options;
  const logs = join(CACHE, 'logs');
  await mkdir(logs, { recursive: true });
  const log = join(logs, `${basename(name)}-${process.pid}.log`);
  const file = createWriteStream(log);

  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  eachLine(child.stdout, onLine);
  const ending = await end(child);
  await finished(file.end());
  if (ending) throw new SetupFailure(`${name} ${ending}; the whole log: ${log}\n${await excerpt(log)}`);
  await rm(log);
}

/** @param {string} log may have colours, which some programs use wherever they see the variable CI */
async function excerpt(log) {
  const lines = stripVTControlCharacters(await readFile(log, 'utf8'))
    .trimEnd()
    .split('\n');
  if (lines.length <= SHOWN_START + SHOWN_END) return lines.join('\n');
  return [...lines.slice(0, SHOWN_START), '…', ...lines.slice(-SHOWN_END)].join('\n');
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string | undefined>} how it failed; undefined after a success
 */
function end(child) {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`cannot be started: ${error.message}`));
    child.on('close', (code, signal) => {
      if (signal) resolve(`was ended by ${signal}`);
      else resolve(code === 0 ? undefined : `failed with exit code ${code}`);
    });
  });
}

/**
 * @param {import('node:stream').Readable} stream
 * @param {(line: string) => void} callback
 */
function eachLine(stream, callback) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(callback);
  });
  stream.on('end', () => rest && callback(rest));
}

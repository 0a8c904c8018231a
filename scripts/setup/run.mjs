import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { SetupFailure } from './failure.mjs';
import { CACHE, PROJECT } from './places.mjs';

const TAIL_LINES = 30;

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] the clone unless given
 * @property {Record<string, string>} [env] added to ours
 * @property {(line: string) => void} [onLine] sees each line of standard output
 */

/**
 * Runs a command quietly. Should it fail, the end of its output is shown, and a log is kept.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export async function run(command, args, { cwd = PROJECT, env = {}, onLine = () => {} } = {}) {
  const logs = join(CACHE, 'logs');
  await mkdir(logs, { recursive: true });
  const log = join(logs, `${basename(command)}-${process.pid}.log`);
  const file = createWriteStream(log);
  /** @type {string[]} */
  const tail = [];
  /** @type {(line: string) => void} */
  const keep = (line) => {
    file.write(`${line}\n`);
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
  };

  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  eachLine(child.stdout, (line) => {
    keep(line);
    onLine(line);
  });
  eachLine(child.stderr, keep);
  const ending = await end(child);
  await finished(file.end());
  if (ending) throw new SetupFailure(`${command} ${ending}; the whole log: ${log}\n${tail.join('\n')}`);
  await rm(log);
}

/**
 * Runs a command whose output the user shall see.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env] added to ours
 */
export async function runShown(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: PROJECT,
    env: { ...process.env, ...env },
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const ending = await end(child);
  if (ending) throw new SetupFailure(`${command} ${args.join(' ')} ${ending}`);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string | undefined>} how it ended, when it did not end well
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

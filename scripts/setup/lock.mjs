import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { say } from './progress.mjs';

/** How long to wait for another holder before saying so, in ms. */
const PATIENCE = 500;

/**
 * Runs the body while no other process runs a body with the same file. A child process holds the kernel's
 * lock (flock). The child ends when this process ends, however that happens, so no lock is left behind.
 * @template T
 * @param {string} file
 * @param {string} purpose what the other set-up is probably doing
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withLock(file, purpose, body) {
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn('flock', [file, 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = new Promise((_, reject) => {
    const fail = () => reject(new SetupFailure(`cannot lock ${file}`));
    holder.on('error', fail);
    holder.on('exit', fail);
  });
  failed.catch(() => {});
  const impatience = setTimeout(() => tellOwner(file, purpose), PATIENCE);
  try {
    await Promise.race([once(holder.stdout, 'data'), failed]);
    clearTimeout(impatience);
    await writeFile(file, String(process.pid));
    return await body();
  } finally {
    clearTimeout(impatience);
    holder.stdin.end();
    if (holder.pid && holder.exitCode === null && holder.signalCode === null) await once(holder, 'exit');
  }
}

/** @param {string} file @param {string} purpose */
async function tellOwner(file, purpose) {
  const owner = await readFile(file, 'utf8').catch(() => '');
  say(`waiting for another set-up${owner && ` (process ${owner})`}: ${purpose}`);
}

/** Containers in the background. Each is owned by a process of its own. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { parseSignal } from '../options/signals.ts';
import { write } from './program.ts';

const STDERR = 2;
/** Those that end the start. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Starts this program in the background with other words.
 * @param shown is printed once its container runs; the container's ID if it is undefined
 * @returns 0 once its container runs, or else the status with which it has failed
 */
export async function startInBackground(words: readonly string[], shown?: string): Promise<number> {
  const [node, program = ''] = process.argv;
  const child = spawn(node as string, [...process.execArgv, '--', program, ...words], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    windowsHide: true,
  });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(status ?? 128 + (signal ? parseSignal(signal) : 0)));
    child.once('message', (id) => {
      child.removeAllListeners('exit');
      child.disconnect();
      child.unref();
      resolve(write(process.stdout, `${shown ?? id}\n`).then(() => 0));
    });
  });
}

/** Tells the process that waits for it that the container runs, and lets go of its standard error. */
export function reportStart(id: string): void {
  // That process may have been killed.
  process.on('error', () => {});
  process.send?.(id);
  // Whoever reads the other end of a pipe waits until all of its writers have closed it.
  closeSync(STDERR);
  // Takes the number that has become free.
  openSync(devNull, 'r+');
}

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** In ms. Compressing 50 MB takes a minute where nothing is compiled. */
const TIMEOUT = 120_000;
// bash prints the times of the child it waited for, to the millisecond; here to stdout, after what the child wrote.
const TIMED = 'TIMEFORMAT="times %R %U %S"; { time "$@" </dev/null 2>&3; } 3>&2 2>&1; echo "status $?"';

/**
 * Starts a program in a session of its own, as Playwright starts Chromium: Linux may share out the
 * processors by sessions (sched_autogroup), and on a busy machine all are to get as much.
 */
export function startAlone(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessByStdio<null, Readable, null> {
  return spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT,
    detached: true,
    env,
  });
}

/** @throws when one of the commands is not there */
export function requireCommands(names: readonly string[], packages: string): void {
  const missing = names.filter((name) => spawnSync(name, ['--version']).error);
  if (missing.length > 0)
    throw new Error(`${missing.join(' and ')} not found: apt-get install -y ${packages}`);
}

export interface TimedRun {
  stdout: string;
  /** In seconds. */
  elapsed: number;
  /** Processor time, in seconds. */
  cpu: number;
}

/** Runs a program to its end; the times include its start-up. @throws when it fails */
export async function runTimed(command: string, args: readonly string[]): Promise<TimedRun> {
  const stdout = await text(startAlone('bash', ['-c', TIMED, 'bash', command, ...args]).stdout);
  const times = /^times ([\d.]+) ([\d.]+) ([\d.]+)\nstatus 0$/m.exec(stdout);
  if (!times) throw new Error(`${command} failed: ${stdout.trim()}`);
  return { stdout, elapsed: Number(times[1]), cpu: Number(times[2]) + Number(times[3]) };
}

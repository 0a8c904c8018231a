import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** In ms. Compressing 50 MB takes a minute without the JIT. */
const TIMEOUT = 600_000;
// bash prints the times of the child to the millisecond; here to stdout, after the child's output.
const TIMED = 'TIMEFORMAT="times %R %U %S"; { time "$@" </dev/null 2>&3; } 3>&2 2>&1; echo "status $?"';

/**
 * Starts a program in a session of its own, as Playwright starts Chromium. Linux may divide processor time by
 * session (sched_autogroup), and on a busy machine all programs should get the same share, which is that of
 * our session.
 */
export function startAlone(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT,
    detached: true,
    env,
  });
  shareAlike(child.pid);
  return child;
}

/** Gives the session of a process the priority of our own, if Linux divides processor time by session. */
export function shareAlike(pid: number | string | undefined): void {
  try {
    const [, nice = '0'] = / nice (-?\d+)/.exec(readFileSync('/proc/self/autogroup', 'utf8')) ?? [];
    writeFileSync(`/proc/${pid}/autogroup`, nice);
  } catch {
    // This Linux has no sessions with priorities, or lets only root raise them.
  }
}

/** @throws if one of the commands is missing */
export function requireCommands(names: readonly string[], packages: string): void {
  const missing = names.filter((name) => spawnSync(name, ['--version']).error);
  if (missing.length > 0)
    throw new Error(`${missing.join(' and ')} not found: apt-get install -y ${packages}`);
}

export interface TimedRun {
  stdout: string;
  /** Elapsed time, in seconds. */
  elapsed: number;
  /** Processor time, in seconds. */
  cpu: number;
}

/** Runs a program to its end. The times include its start-up. @throws if it fails */
export async function runTimed(command: string, args: readonly string[]): Promise<TimedRun> {
  const stdout = await text(startAlone('bash', ['-c', TIMED, 'bash', command, ...args]).stdout);
  const times = /^times ([\d.]+) ([\d.]+) ([\d.]+)\nstatus 0$/m.exec(stdout);
  if (!times) throw new Error(`${command} failed: ${stdout.trim()}`);
  return { stdout, elapsed: Number(times[1]), cpu: Number(times[2]) + Number(times[3]) };
}

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

// Longer than any run. It applies to other hosts only, whose processes cannot be checked.
const FOREIGN_LIFETIME_MS = 7 * 24 * 3600 * 1000;

const HOST = hostname().replaceAll(/[^A-Za-z0-9.-]/g, '_') || '_';

let ownStart: string | undefined;

/** Returns a new name for a file that belongs to this process and is worthless after it. */
export function processMark(): string {
  ownStart ??= readStatus(process.pid)?.start ?? '';
  return `${process.pid},${HOST},${randomUUID()},${ownStart}`;
}

/**
 * Whether the process that made the mark may still run. Containers that share a folder cannot see each
 * other's processes, but each has its own host name.
 * @param modified the time of the marked file, in ms since 1970
 */
export function mayBeAlive(mark: string, modified: number): boolean {
  const [pid, host, , start] = mark.split(',');
  if (host !== HOST) return Date.now() - modified < FOREIGN_LIFETIME_MS;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const status = readStatus(Number(pid));
  if (!status) return true;
  // An ended process whose parent does not ask for its status stays as a zombie, which takes signals.
  return status.state !== 'Z' && (!start || start === status.start);
}

/**
 * State and start time of a process (proc_pid_stat(5)). The time tells it from a later process of the same
 * number, perhaps after the computer was started again.
 */
function readStatus(pid: number): { state: string | undefined; start: string | undefined } | undefined {
  // Other systems have no such file. There a mark of an ended process may seem alive.
  if (process.platform !== 'linux') return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the name of the program, in parentheses, which may hold any character.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], start: fields[19] };
  } catch {
    // It has gone since, or this process sees no /proc.
    return undefined;
  }
}

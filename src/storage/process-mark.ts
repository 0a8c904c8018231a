import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

// Longer than any run. It applies to other hosts only, whose processes cannot be checked.
const FOREIGN_LIFETIME_MS = 7 * 24 * 3600 * 1000;

const HOST = hostname().replaceAll(/[^A-Za-z0-9.-]/g, '_') || '_';

/** Returns a new name for a file that belongs to this process and is worthless after it. */
export function processMark(): string {
  return `${process.pid},${HOST},${randomUUID()}`;
}

/**
 * Whether the process that made the mark may still run. Containers that share a folder cannot see each
 * other's processes, but each has its own host name.
 * @param modified the time of the marked file, in ms since 1970
 */
export function mayBeAlive(mark: string, modified: number): boolean {
  const [pid, host] = mark.split(',');
  if (host !== HOST) return Date.now() - modified < FOREIGN_LIFETIME_MS;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(Number(pid));
}

/** An ended process whose parent does not ask for its status stays as a zombie, which takes signals. */
function isZombie(pid: number): boolean {
  // Other systems have no file that says so. There a mark outlives its process until the parent ends.
  if (process.platform !== 'linux') return false;
  try {
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    // It has gone since, or this process sees no /proc.
    return false;
  }
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

// Longer than any run; only for marks of other hosts, whose processes cannot be asked.
const FOREIGN_LIFETIME_MS = 7 * 24 * 3600 * 1000;

const HOST = hostname().replaceAll(/[^A-Za-z0-9.-]/g, '_') || '_';

/** A new name for a file that belongs to this process and is worthless once the process is gone. */
export function processMark(): string {
  return `${process.pid},${HOST},${randomUUID()}`;
}

/**
 * Whether the process that made the mark may still run. Containers that share a folder see each other's
 * process numbers as their own or not at all, but have host names of their own.
 * @param modified time of the marked file, ms since 1970
 */
export function mayBeAlive(mark: string, modified: number): boolean {
  const [pid, host] = mark.split(',');
  if (host !== HOST) return Date.now() - modified < FOREIGN_LIFETIME_MS;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

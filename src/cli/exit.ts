import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';

const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));

/**
 * Ends this process. Node restores the modes of its terminals then, and aborts if a terminal has vanished, so
 * it must not find one. Raw mode must be off.
 */
export function exit(status: number): never {
  for (const descriptor of terminals) {
    closeSync(descriptor);
    // Takes the number that has become free.
    openSync(devNull, 'r+');
  }
  process.exit(status);
}

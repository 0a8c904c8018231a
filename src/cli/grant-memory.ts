import { fitMemory } from '../api/memory.ts';
import { formatSize } from '../options/limits.mjs';

/**
 * Returns the memory that a machine gets, and says on standard error when that is less than the user wants.
 * @param name of the option or variable
 */
export function grantMemory(name: string, cpus: number, bytes: number): number {
  const granted = fitMemory(cpus, bytes);
  if (granted < bytes) {
    const machine = `a machine with ${cpus} CPU${cpus > 1 ? 's' : ''}`;
    process.stderr.write(
      `${name}: ${formatSize(granted)} is the most that ${machine} can have, and it gets that\n`,
    );
  }
  return granted;
}

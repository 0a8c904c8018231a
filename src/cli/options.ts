import { planMemory } from '../machine/memory.ts';

/** The command line makes no sense: exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

const UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

export interface MachineSize {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/**
 * @param cpus a decimal number
 * @param memory bytes, with K, M or G in units of 2^10, 2^20 or 2^30
 * @throws UsageError when a machine cannot be of that size
 */
export function parseMachineSize(cpus: string, memory: string): MachineSize {
  const size = /^(\d+)([KMG]?)$/i.exec(memory);
  if (!size) throw new UsageError(`--memory must be a size such as 256M, not "${memory}"`);
  const memoryBytes = Number(size[1]) * (UNITS[size[2]?.toUpperCase() ?? ''] as number);
  const count = parseNumber('--cpus', cpus);
  try {
    planMemory(count, memoryBytes);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return { cpus: count, memoryBytes };
}

export function parseNumber(option: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new UsageError(`${option} must be a number, not "${text}"`);
  return Number(text);
}

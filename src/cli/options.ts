import { parseSize } from '../container/sizes.ts';
import type { JitMode } from '../machine/machine.ts';
import { planMemory } from '../machine/memory.ts';

/** The command line is wrong: exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export interface MachineSize {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/**
 * @param cpus a decimal number
 * @param memory as for `parseSize`
 * @throws UsageError when a machine cannot have this size
 */
export function parseMachineSize(cpus: string, memory: string): MachineSize {
  const count = parseNumber('--cpus', cpus);
  const memoryBytes = usable('--memory: ', () => parseSize(memory));
  usable('', () => planMemory(count, memoryBytes));
  return { cpus: count, memoryBytes };
}

const JIT_MODES = ['hot', 'off', 'all'] as const;

/** @throws UsageError when the text is not a mode */
export function parseJit(text: string): JitMode {
  const mode = JIT_MODES.find((each) => each === text);
  if (!mode) throw new UsageError(`--jit must be ${JIT_MODES.join(', ')}, not "${text}"`);
  return mode;
}

function usable<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(option + (error instanceof Error ? error.message : String(error)));
  }
}

export function parseNumber(option: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new UsageError(`${option} must be a number, not "${text}"`);
  return Number(text);
}

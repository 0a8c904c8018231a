import { grantMemory } from '../cli/grant-memory.ts';
import { parseCpus, parseMemory } from '../options/machine-size.mjs';
import { OptionError } from '../options/option-error.mjs';

/** The command line is wrong: exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** A value, and the option or variable that gave it. */
export interface Given {
  readonly name: string;
  readonly text: string;
}

export interface MachineSize {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** @throws UsageError when a machine cannot have this size */
export function parseMachineSize(cpus: Given, memory: Given): MachineSize {
  const count = parse(cpus, parseCpus);
  return { cpus: count, memoryBytes: grantMemory(memory.name, count, parse(memory, parseMemory)) };
}

/** Reads a value; the errors name what gave it. */
function parse<T>({ name, text }: Given, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new UsageError(`${name}: ${error.message}`);
  }
}

export function parseNumber(option: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new UsageError(`${option} must be a number, not "${text}"`);
  return Number(text);
}

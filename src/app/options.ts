import { MachineError } from '../machine/errors.ts';
import { planMemory } from '../machine/memory.ts';

const DEFAULTS = { cpus: '1', memory: '256M' };
const UNITS = { M: 2 ** 20, G: 2 ** 30 };

export interface PageOptions {
  cpus: number;
  /** Bytes of guest RAM. */
  memory: number;
}

/**
 * Reads the options from a query such as `?memory=512M&cpus=2`.
 * @throws MachineError when one is unknown, malformed, or more than a machine can have
 */
export function parseOptions(query: string): PageOptions {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!(name in DEFAULTS))
      throw new MachineError(`this page has no option "${name}", only cpus and memory`);
  }
  const cpus = parseCount(parameters.get('cpus') ?? DEFAULTS.cpus);
  const memory = parseSize(parameters.get('memory') ?? DEFAULTS.memory);
  planMemory(cpus, memory);
  return { cpus, memory };
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new MachineError(`cpus must be a number, not "${text}"`);
  return Number(text);
}

function parseSize(text: string): number {
  const match = /^(\d+)([MG])$/i.exec(text);
  if (!match) throw new MachineError(`memory must be a size such as 256M or 1G, not "${text}"`);
  return Number(match[1]) * UNITS[match[2]?.toUpperCase() as keyof typeof UNITS];
}

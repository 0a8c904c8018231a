/** The processors and the memory of a container's machine, as users write them. */
import { cpusProblem, memoryProblem } from './limits.mjs';
import { OptionError } from './option-error.mjs';
import { parseSize } from './sizes.mjs';

/** @param {string} text @throws OptionError */
export function parseCpus(text) {
  if (!/^\d+$/.test(text)) throw new OptionError(`"${text}" is not a number`);
  const problem = cpusProblem(Number(text));
  if (problem) throw new OptionError(problem);
  return Number(text);
}

/** @param {string} text @throws OptionError */
export function parseMemory(text) {
  const bytes = parseSize(text);
  const problem = memoryProblem(bytes, text);
  if (problem) throw new OptionError(problem);
  return bytes;
}

import { OptionError } from './option-error.mjs';

/**
 * Which code is compiled to WebAssembly: hot code, none, or all.
 * @typedef {'hot' | 'off' | 'all'} JitMode
 */

/** @type {readonly JitMode[]} */
const JIT_MODES = ['hot', 'off', 'all'];

/** @param {string} text @throws OptionError when it is not a mode */
export function parseJit(text) {
  const mode = JIT_MODES.find((each) => each === text);
  if (!mode) throw new OptionError(`--jit must be ${JIT_MODES.join(', ')}, not "${text}"`);
  return mode;
}

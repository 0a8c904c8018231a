import { OptionError } from './option-error.mjs';

/**
 * @param {string} text `1`, or `0` or nothing
 * @throws OptionError
 */
export function parseSwitch(text) {
  if (!/^[01]?$/.test(text)) throw new OptionError(`"${text}" is neither 1 (on) nor 0 (off)`);
  return text === '1';
}

import { OptionError } from './option-error.mjs';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** It has to fit into the name of a socket. */
const LONGEST = 64;

/**
 * @param {unknown} name
 * @returns {asserts name is string}
 * @throws OptionError
 */
export function checkContainerName(name) {
  if (typeof name !== 'string' || !NAME.test(name))
    throw new OptionError('a name has letters, digits, _, . and -, and begins with a letter or a digit');
  if (name.length > LONGEST) throw new OptionError(`a name has at most ${LONGEST} characters`);
}

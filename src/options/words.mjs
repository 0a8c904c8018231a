import { OptionError } from './option-error.mjs';

/**
 * The characters that a backslash makes literal between double quotes (POSIX, Shell Command Language, 2.2.3).
 */
const ESCAPABLE = '$`"\\';

/**
 * Divides a line into words as a POSIX shell does: by blanks and newlines, with single quotes, double quotes
 * and backslashes, but without expansion, operators or comments.
 * @param {string} line
 * @returns {string[]}
 * @throws OptionError if a quote is not closed, or a backslash ends the line
 */
export function splitWords(line) {
  /** @type {string[]} */
  const words = [];
  /** @type {string | undefined} */
  let word;
  /** @type {string | undefined} */
  let quote;
  const add = (/** @type {string} */ text) => {
    word = (word ?? '') + text;
  };
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else if (quote === '"' && char === '\\') add(escaped(line.charAt(++at), true));
      else add(char);
    } else if (char === '"' || char === "'") {
      quote = char;
      // Two quotes with nothing between them are a word too.
      add('');
    } else if (char === '\\') {
      if (at === line.length - 1) throw new OptionError('a backslash ends the line');
      add(escaped(line.charAt(++at), false));
    } else if (' \t\n'.includes(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      add(char);
    }
  }
  if (quote !== undefined) throw new OptionError(`a quote (${quote}) is not closed`);
  return word === undefined ? words : [...words, word];
}

/**
 * The meaning of a backslash and the next character. A newline is removed.
 * @param {string} char @param {boolean} quoted
 */
function escaped(char, quoted) {
  if (char === '\n') return '';
  return quoted && !ESCAPABLE.includes(char) ? `\\${char}` : char;
}

/**
 * Quotes a word as a shell needs it, so that `splitWords` returns it.
 * @param {string} word
 */
export function quoteWord(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

import { OptionError } from './option-error.mjs';

/**
 * Reads `K1=v1,K2=v2`. A backslash before a comma or a backslash makes that part of the value.
 * @param {string} text
 * @returns {string[]} `NAME=value` each
 * @throws OptionError if a part is not an assignment
 */
export function parseAssignments(text) {
  const parts = [''];
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === ',') parts.push('');
    else if (char === '\\' && /[\\,]/.test(text.charAt(at + 1))) append(parts, text.charAt(++at));
    else append(parts, char);
  }
  const assignments = parts.filter((part) => part !== '');
  for (const assignment of assignments) {
    if (assignment.indexOf('=') <= 0)
      throw new OptionError(`"${assignment}" is no NAME=value (a comma within a value is written \\,)`);
  }
  return assignments;
}

/** Writes the text that `parseAssignments` reads. @param {readonly string[]} assignments */
export function formatAssignments(assignments) {
  return assignments.map((assignment) => assignment.replace(/[\\,]/g, '\\$&')).join(',');
}

/**
 * The values of variables by their names.
 * @param {readonly string[]} assignments
 * @returns {Record<string, string>}
 */
export function toRecord(assignments) {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const [name = ''] = assignment.split('=', 1);
      return [name, assignment.slice(name.length + 1)];
    }),
  );
}

/** @param {string[]} parts @param {string} char */
function append(parts, char) {
  parts[parts.length - 1] += char;
}

/**
 * Merges assignments. Later ones replace earlier ones with the same name.
 * @param {readonly (readonly string[])[]} lists
 */
export function mergeEnvironment(...lists) {
  /** @type {Map<string, string>} */
  const merged = new Map();
  for (const assignment of lists.flat()) merged.set(assignment.slice(0, assignment.indexOf('=')), assignment);
  return [...merged.values()];
}

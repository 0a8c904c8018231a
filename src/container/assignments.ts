import { OptionError } from './errors.ts';

/**
 * Reads `K1=v1,K2=v2`. A backslash before a comma or a backslash makes that part of the value.
 * @returns `NAME=value` each
 * @throws OptionError if a part is not an assignment
 */
export function parseAssignments(text: string): string[] {
  const parts: string[] = [''];
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

/** Writes the text that `parseAssignments` reads. */
export function formatAssignments(assignments: readonly string[]): string {
  return assignments.map((assignment) => assignment.replace(/[\\,]/g, '\\$&')).join(',');
}

function append(parts: string[], char: string): void {
  parts[parts.length - 1] += char;
}

/** Merges assignments. Later ones replace earlier ones with the same name. */
export function mergeEnvironment(...lists: readonly (readonly string[])[]): string[] {
  const merged = new Map<string, string>();
  for (const assignment of lists.flat()) merged.set(assignment.slice(0, assignment.indexOf('=')), assignment);
  return [...merged.values()];
}

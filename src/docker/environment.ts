/** The variables of `-e` and `--env-file`. */
import { DockerError } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Checks a variable of `-e`: `NAME=VALUE` or `NAME`.
 * @throws Error
 */
export function parseVariable(text: string): string {
  if (text === '' || text.startsWith('=')) throw new Error(`invalid environment variable: ${text}`);
  return text;
}

/**
 * Returns the variables of a file, `NAME=VALUE` or `NAME` each. Lines that begin with # and empty ones do not
 * count, and everything after `=` is the value, with its quotes and blanks.
 * @throws DockerError
 */
export function parseEnvFile(text: string, path: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const variables = lines
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
  for (const variable of variables) {
    const [name = ''] = variable.split('=', 1);
    if (name === '') throw new DockerError(`${path}: no variable name on line '${variable}'`);
    if (/\s/.test(name)) throw new DockerError(`${path}: variable '${name}' contains whitespaces`);
  }
  return variables;
}

/**
 * Completes variables that are names alone from the surrounding environment. Those that are not set there are
 * left out.
 */
export function completeVariables(variables: readonly string[], environment: Environment): string[] {
  return variables.flatMap((variable) => {
    if (variable.includes('=')) return [variable];
    const value = environment[variable];
    return value === undefined ? [] : [`${variable}=${value}`];
  });
}

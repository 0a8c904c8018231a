import { readFile } from 'node:fs/promises';
import { exit } from '../cli/exit.ts';
import { MachineError } from '../machine/errors.ts';
import { OptionError } from '../options/option-error.mjs';
import { UsageError } from './options.ts';

const STATUS_FAILURE = 1;
const STATUS_USAGE = 2;

/**
 * Runs a program's `main` with its arguments, and ends the process with the status that it returns, or with
 * one line on stderr about the error that it throws.
 */
export async function runProgram(
  name: string,
  usage: string,
  main: (args: string[]) => Promise<number>,
): Promise<never> {
  try {
    exit(await main(process.argv.slice(2)));
  } catch (error) {
    process.stderr.write(`${name}: ${explain(error)}\n`);
    if (!isUsageError(error)) exit(STATUS_FAILURE);
    process.stderr.write(`usage: ${usage}\n`);
    exit(STATUS_USAGE);
  }
}

/** @throws MachineError when the file cannot be read */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new MachineError(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/** The errors of `parseArgs` have codes. */
function isUsageError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  return error instanceof UsageError || error instanceof OptionError || code.startsWith('ERR_PARSE_ARGS');
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const ours = error instanceof MachineError || isUsageError(error) || 'errno' in error;
  return (ours ? error.message : error.stack) ?? error.message;
}

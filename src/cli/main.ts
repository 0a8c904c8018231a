import { FileError, ImageError, MachineError, StorageError } from '../api/errors.ts';
import { DockerError } from '../docker/errors.ts';
import { OptionError } from '../options/option-error.mjs';
import { quoteWord } from '../options/words.mjs';
import { CommandError, STATUS_FAILURE } from './errors.ts';
import { exit } from './exit.ts';

/** How a program names an image in its messages. */
export interface ImageNotation {
  /** Before a message about an invalid reference. */
  readonly title: string;
  /** Before a reference that can be used instead. */
  readonly option: string;
}

/** Node's own status of a program that has nothing left to wait for, but has not finished. */
const STATUS_UNFINISHED = 13;

/** Runs a program, and ends the process with the status that it returns, or with its error in a message. */
export async function runMain(
  main: (args: string[]) => Promise<number>,
  notation: ImageNotation,
): Promise<never> {
  process.exitCode = STATUS_UNFINISHED;
  process.removeAllListeners('warning');
  process.on('warning', ({ message }) => void process.stderr.write(`linuxrun: ${message}\n`));
  // The error of a write to a pipe without a reader also goes to the writer.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    exit(await main(process.argv.slice(2)));
  } catch (error) {
    process.stderr.write(`linuxrun: ${explain(error, notation)}\n`);
    exit(statusOf(error));
  }
}

function statusOf(error: unknown): number {
  if (error instanceof DockerError || error instanceof CommandError) return error.status;
  return error instanceof FileError ? 1 : STATUS_FAILURE;
}

function explain(error: unknown, { title, option }: ImageNotation): string {
  const ours = [CommandError, DockerError, FileError, OptionError, MachineError, ImageError, StorageError];
  if (error instanceof Error && !ours.some((type) => error instanceof type))
    return error.stack ?? error.message;
  if (!(error instanceof Error)) return String(error);
  const { kind, choices } = error instanceof ImageError ? error : { kind: undefined, choices: [] };
  const message = kind === 'reference' ? `${title}${error.message}` : error.message;
  return [message, ...choices.map((choice) => `  ${option}${quoteWord(choice)}`)].join('\n');
}

import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandError } from './errors.ts';

/**
 * Writes bytes to a file, which appears when it is complete, or to standard output.
 * @param path undefined for standard output, which must not be a terminal
 */
export async function writeOutput(bytes: AsyncIterable<Uint8Array>, path: string | undefined): Promise<void> {
  if (path === undefined) {
    if (process.stdout.isTTY) throw new CommandError('a terminal shows no archive: use -o FILE, or a pipe');
    await pipeline(Readable.from(bytes, { objectMode: false }), process.stdout, { end: false });
    return;
  }
  const part = `${path}.part`;
  try {
    await pipeline(bytes, createWriteStream(part, { flush: true }));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new CommandError(`cannot write ${path}: ${code}`, 1, { cause: error });
  }
}

/** Sessions in files. */
import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { startSession } from '../api/session-file.ts';
import type { StartedContainer } from '../api/started-container.ts';
import { CommandError } from './errors.ts';

/**
 * Goes on with the session in a file.
 * @throws CommandError if the file cannot be read, and as `startSession`
 */
export async function startSnapshot(
  path: string,
  options: Parameters<typeof startSession>[1],
): Promise<StartedContainer> {
  await access(path, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError(`cannot read ${path}: ${cause.code}`, 1, { cause });
  });
  return startSession(Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, options);
}

import { createReadStream, readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveFile } from './archive.ts';
import { type Bytes, collect } from './bytes.ts';
import type { Context } from './context.ts';
import { ImageError } from './errors.ts';
import type { Folder } from './folder.ts';

const READ_SIZE = 256 << 10;

/** A folder on this computer. */
export class NodeFolder implements Folder {
  readonly parallel = 3;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async readFile(path: string, limit: number, context: Context): Promise<Uint8Array> {
    const file = join(this.#path, path);
    return (
      readSmall(file, Math.min(limit, READ_SIZE)) ??
      collect(readFile(file, 0, undefined, context), limit, path)
    );
  }

  stream(path: string, _size: number, context: Context): Bytes {
    return readFile(join(this.#path, path), 0, undefined, context);
  }

  position(): number {
    return 0;
  }
}

/**
 * Reads a small file at once: each trip to another thread takes longer than the read while a machine starts.
 * @returns undefined if it is larger, or cannot be read
 */
function readSmall(path: string, most: number): Uint8Array | undefined {
  try {
    const status = statSync(path);
    return status.isFile() && status.size <= most ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** A file on this computer. */
export function nodeFile(path: string): ArchiveFile {
  return { name: path, stream: (offset, length, context) => readFile(path, offset, length, context) };
}

async function* readFile(
  path: string,
  offset: number,
  length: number | undefined,
  { signal }: Context,
): Bytes {
  if (length === 0) return;
  const end = length === undefined ? undefined : offset + length - 1;
  try {
    const status = await stat(path);
    if (status.isDirectory())
      throw new ImageError(`${path} is a folder: name an image layout in it by oci://`, 'reference');
    // Opening a pipe may block forever.
    if (!status.isFile()) throw new ImageError(`${path} is not a file`, 'reference');
    yield* createReadStream(path, { start: offset, end, highWaterMark: READ_SIZE, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ImageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file' : (code ?? message);
    throw new ImageError(`cannot read ${path}: ${why}`, 'not-found', { cause: error });
  }
}

import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';

/**
 * A folder of readable files: on disk, on a web server or in an archive. Paths are relative and use slashes.
 */
export interface Folder {
  /** How many files may be read at the same time. */
  readonly parallel: number;
  /**
   * Reads a small file.
   * @param limit in bytes
   * @throws ImageError of kind `not-found` when there is none
   */
  readFile(path: string, limit: number, context: Context): Promise<Uint8Array>;
  /**
   * Reads a file piece by piece.
   * @param size the number of bytes expected; there may be fewer or more
   */
  stream(path: string, size: number, context: Context): Bytes;
  /** The file's offset in a source that is read from beginning to end. */
  position(path: string): number;
}

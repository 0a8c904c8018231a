import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';

/** A folder of files to be read: on disk, on a web server, in an archive. Paths are relative, with slashes. */
export interface Folder {
  /** How many files may be read at a time. */
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
  /** Where the file begins in what is read from its beginning to its end. */
  position(path: string): number;
}

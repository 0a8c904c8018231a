/** A request for a file of a container has failed. The message is one line with the reason. */
export class FileError extends Error {
  override name = 'FileError';
  /** Linux's name of the error, such as `ENOENT`; undefined if there is none. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** A file of a container cannot be read or written; the message is one line that says why. */
export class FileError extends Error {
  override name = 'FileError';
}

/** The user's wishes for a container make no sense; the message is one line that says which and why. */
export class OptionError extends Error {
  override name = 'OptionError';
}

/** A file of a container cannot be read or written. The message is one line with the reason. */
export class FileError extends Error {
  override name = 'FileError';
}

/** An option for a container is invalid. The message is one line that names the option and the reason. */
export class OptionError extends Error {
  override name = 'OptionError';
}

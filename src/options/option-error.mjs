/** An option for a container is invalid. The message is one line that names the option and the reason. */
export class OptionError extends Error {
  /** @override */
  name = 'OptionError';
}

import { oneLine } from '../text/message.ts';

/**
 * Why an image cannot be loaded:
 * - `reference`: the user's reference cannot be read
 * - `not-found`: there is no such image
 * - `denied`: the registry asks for credentials, or for other ones
 * - `policy`: the server of the page may not ask this registry, or not in this way
 * - `rate-limit`: the registry asks us to try again later
 * - `platform`: the image is not for our machine
 * - `network`: the source cannot be reached, or the connection broke; a retry may help
 * - `invalid`: the data from the source is damaged, malicious or beyond our limits
 */
export type ImageErrorKind =
  | 'reference'
  | 'not-found'
  | 'denied'
  | 'policy'
  | 'rate-limit'
  | 'platform'
  | 'network'
  | 'invalid';

/** Why an image cannot be loaded. The message is one line for the user and safe to print. */
export class ImageError extends Error {
  override name = 'ImageError';
  /** The kind of reason. */
  readonly kind: ImageErrorKind;
  /** References that can be used instead. They are valid, but their text is from outside. */
  readonly choices: readonly string[];

  constructor(
    message: string,
    kind: ImageErrorKind = 'invalid',
    { choices = [], ...options }: ErrorOptions & { readonly choices?: readonly string[] } = {},
  ) {
    super(oneLine(message), options);
    this.kind = kind;
    this.choices = choices;
  }
}

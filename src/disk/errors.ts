/** An image that is damaged, malicious or beyond our limits; the message is one line for the user. */
export class ImageError extends Error {
  override name = 'ImageError';
}

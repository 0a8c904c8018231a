/** A command is wrong, or asks for more than there is. The message may have several lines. */
export class DockerError extends Error {
  override name = 'DockerError';
  /** The exit status that Docker documents. */
  readonly status: number;

  constructor(message: string, status = 125, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Objects that have names and IDs. */
export type Kind = 'container' | 'image' | 'object';

export class NotFoundError extends DockerError {
  override name = 'NotFoundError';

  constructor(kind: Kind, name: string) {
    super(`No such ${kind}: ${name}`, 1);
  }
}

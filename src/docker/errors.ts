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

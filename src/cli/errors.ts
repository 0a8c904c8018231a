/** As in Docker: the program itself has failed, not the container. */
export const STATUS_FAILURE = 125;

/** A command cannot be carried out. The message is for the user. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly status: number;

  constructor(message: string, status = 1, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

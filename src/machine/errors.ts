/** A mistake of the caller or of the guest's files that one line explains; anything else is our bug. */
export class MachineError extends Error {
  override name = 'MachineError';
}

/** Errors whose message is all there is to say. */
const EXPLAINED = ['MachineError', 'ImageError', 'StorageError', 'StorageFullError'];

/** An error as it crosses threads: structured clones lose the class. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
}

export function packError(cause: unknown): PackedError {
  if (!(cause instanceof Error)) return { name: 'Error', message: String(cause) };
  return { name: cause.name, message: cause.message, stack: cause.stack };
}

export function unpackError({ name, message, stack }: PackedError): Error {
  if (EXPLAINED.includes(name)) return new MachineError(message);
  const error = new Error(`${name}: ${message}`);
  if (stack) error.stack = stack;
  return error;
}

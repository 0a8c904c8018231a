/**
 * A mistake of the caller, or a fault in the guest's files, that one line explains. Any other error is a bug
 * of LinuxRun.
 */
export class MachineError extends Error {
  override name = 'MachineError';
  /** The end of what the guest has written to its console, if its machine failed: its kernel's log. */
  log: string | undefined;
}

/** The host does not give the memory of a machine. */
export class MemoryRefusedError extends MachineError {}

const DAMAGED = 'this saved session is damaged: ';

/** A saved state of a machine cannot be right: it is damaged, or made to do harm. */
export class StateError extends MachineError {
  override name = 'StateError';

  /** @param problem which part of the state is wrong, and how */
  constructor(problem: string) {
    super(`${DAMAGED}${problem}`);
  }
}

/** A server in a container cannot be reached. */
export class ConnectError extends Error {
  override name = 'ConnectError';
  /** Linux's name of the error, such as `ECONNREFUSED`; undefined if there is none. */
  readonly code: string | undefined;

  constructor(port: number, code: string | undefined, reason: string) {
    super(`port ${port}: ${reason}`);
    this.code = code;
  }
}

/** Errors that their message explains completely. */
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
  if (name === 'StateError') return new StateError(message.slice(DAMAGED.length));
  if (EXPLAINED.includes(name)) return new MachineError(message);
  const error = new Error(`${name}: ${message}`);
  if (stack) error.stack = stack;
  return error;
}

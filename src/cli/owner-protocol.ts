/**
 * How commands talk to the owner of a container: HTTP on its socket, with WebSockets for processes and logs.
 * `GET /` answers with a `ContainerInfo`.
 *
 * Both ends are this program, but not always the same version of it.
 */

/** The first message on `/exec`. */
export interface ExecStart {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly user?: string | undefined;
  readonly currentDir?: string | undefined;
  readonly terminal?: { readonly columns: number; readonly rows: number; readonly type: string } | undefined;
  /** Whether nobody waits for it. */
  readonly detach: boolean;
}

/** Text messages to the owner, after the first. Binary ones are standard input. */
export type ExecControl =
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly type: 'signal'; readonly signal: number }
  | { readonly type: 'end-of-input' };

/** Text messages of the owner. Binary ones are output, after a byte with the number of its stream. */
export type OwnerMessage =
  | { readonly type: 'exit'; readonly status: number }
  | { readonly type: 'error'; readonly message: string };

/** The body of an answer that is an error. */
export interface Failure {
  readonly message: string;
  /** Linux's name of the error, such as `ENOENT`. */
  readonly code?: string | undefined;
}

/** The largest message, in bytes. Arguments and environment have at most 1 MiB. */
export const MAX_MESSAGE = 4 << 20;

/**
 * How commands talk to the owner of a container: HTTP on its socket, with WebSockets for processes and logs.
 * Both ends are this program, but not always the same version of it.
 */
import type { PublishedPort } from '../options/published-ports.mjs';

/** `GET /`. */
export interface ContainerInfo {
  readonly id: string;
  readonly name: string;
  /** As the user named it. */
  readonly image: string;
  readonly imageDigest: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** In ms since 1970. */
  readonly created: number;
  /** When the program began to run, in ms since 1970; undefined before. */
  readonly started: number | undefined;
  /** The owner's process. */
  readonly pid: number;
  readonly ports: readonly PublishedPort[];
  /** Of its own, in addition to the image's. */
  readonly env: readonly string[];
  readonly user: string;
  readonly currentDir: string;
  readonly hostname: string;
  readonly terminal: boolean;
  readonly interactive: boolean;
  readonly init: boolean;
  readonly readOnly: boolean;
  readonly network: 'none' | 'bridge';
  readonly devices: readonly string[];
  readonly tmpfs: readonly string[];
  readonly memoryBytes: number;
  readonly cpus: number;
}

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

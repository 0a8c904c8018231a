import type { Stdio, Terminal } from './stdio.ts';

/** How a container that starts again is connected. */
export interface StartOptions {
  /** The size and the type of its terminal, if it had one before; it gets one if it had none. */
  readonly terminal?: Terminal | undefined;
  /** Where standard input comes from; by default `piped`. */
  readonly stdin?: Stdio | undefined;
  /** Where standard output goes; by default `piped`. */
  readonly stdout?: Stdio | undefined;
  /** Where standard error goes; by default `piped`. */
  readonly stderr?: Stdio | undefined;
  /**
   * Whether a container that is suspended, or has saved itself before it was cut off, goes on from there; by
   * default true. Otherwise what was saved is dropped, and it starts on its files.
   */
  readonly resume?: boolean | undefined;
  /** Ends the container. */
  readonly signal?: AbortSignal | undefined;
}

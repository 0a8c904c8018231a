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
   * Whether it goes on from where it was saved. By default it does, unless files have been written since,
   * because its owner was cut off; they would be lost. What was saved is dropped if it does not.
   */
  readonly resume?: boolean | undefined;
  /**
   * Lets it run with less memory where the host refuses to give it as much. Called with the bytes that it
   * gets. Without this, such a start fails, as it does for saved programs, which need all of theirs.
   */
  readonly onLessMemory?: ((memoryBytes: number) => void) | undefined;
  /** Ends the container. */
  readonly signal?: AbortSignal | undefined;
}

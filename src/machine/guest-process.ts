/** What the owner of a machine sees of a process in its guest. */

export interface ConsoleProcess {
  /** 0 to 255, 128 + n after signal n; rejects when the machine ends first. */
  readonly exit: Promise<number>;
  kill(signal: number): void;
}

export type Output = ReadableStream<Uint8Array<ArrayBuffer>>;

export interface GuestProcess extends ConsoleProcess {
  readonly stdin: WritableStream<Uint8Array>;
  /** Must be read to the end, because a process blocks until its output is read. */
  readonly stdout: Output;
  /** The same for standard error; ends at once when there is a terminal. */
  readonly stderr: Output;
}

/** A process of a container. */
export interface ContainerProcess extends GuestProcess {
  /** Resolves when the program runs: to true, or to false if it ended before that. */
  readonly started: Promise<boolean>;
  /** Lines of the guest's agent about the process: why it did not start, that memory ran out. */
  readonly messages: Output;
  /** Changes the size of its terminal, in characters. */
  resize(columns: number, rows: number): void;
  /**
   * Kills it and all its descendants, also those that it has left behind when it ended. None can escape, and
   * none starts afterwards.
   */
  killAll(): void;
}

/** A container in its machine. */
export interface ContainerHandle {
  readonly name: string;
}

/** The first process of a container. */
export interface FirstProcess extends ContainerProcess, ContainerHandle {
  /** Sends a signal, and hangs up the terminal of a process that does not handle the signal. */
  stop(signal: number): void;
}

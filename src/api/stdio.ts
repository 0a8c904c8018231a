import type { TerminalOptions } from '../container/container.ts';

/**
 * Where a standard stream leads, as in Rust's `std::process::Stdio`:
 * - `inherit`: to the same stream of this process; in a browser output is lines of the console, and input is
 *   empty
 * - `piped`: to a stream of the `Child`
 * - `null`: output is dropped, and input is empty
 */
export type Stdio = 'inherit' | 'piped' | 'null';

export interface StdioSettings {
  readonly stdin: Stdio;
  readonly stdout: Stdio;
  readonly stderr: Stdio;
}

/** A terminal for a process, as its standard input and output. It has no separate standard error. */
export interface Terminal {
  /** The size in characters. */
  readonly columns: number;
  readonly rows: number;
  /** The value of TERM; by default `xterm-256color`. */
  readonly type?: string | undefined;
}

export function terminalOf({ columns, rows, type = 'xterm-256color' }: Terminal): TerminalOptions {
  return { columns, rows, type };
}

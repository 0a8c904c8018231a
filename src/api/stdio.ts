import type { TerminalOptions } from '../container/container.ts';
import { OptionError } from '../options/option-error.mjs';

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
  /** The width in characters. */
  readonly columns: number;
  /** The height in characters. */
  readonly rows: number;
  /** The value of TERM; by default `xterm-256color`. */
  readonly type?: string | undefined;
}

export const PIPED: StdioSettings = { stdin: 'piped', stdout: 'piped', stderr: 'piped' };

/** @throws OptionError */
export function checkStdio(settings: Partial<StdioSettings>): void {
  for (const [name, value] of Object.entries(settings))
    if (!['inherit', 'piped', 'null'].includes(value))
      throw new OptionError(`${name} is inherit, piped or null, not "${value}"`);
}

export function terminalOf({ columns, rows, type = 'xterm-256color' }: Terminal): TerminalOptions {
  return { columns, rows, type };
}

import { spawnSync } from 'node:child_process';

export interface TerminalUser {
  onKeys(keys: Buffer): void;
  /** Called at first, too. */
  onResize(columns: number, rows: number): void;
  /** The terminal was closed. May be called several times. */
  onGone(): void;
}

const NEWLINE = 10;
const RETURN = 13;
const VERTICAL_TAB = 11;

/**
 * Makes newlines safe from Node's raw mode, which still adds a carriage return to each that is shown. The
 * program's terminal has added one where it should. Terminals show a vertical tab as a newline without a
 * return (VT100 user guide, table 3-10), and nothing is added to it. Linux needs none of this, because
 * `takeTerminal` turns that off.
 */
export class Newlines {
  #last = 0;

  /** Changes the bytes in place. */
  protect(bytes: Uint8Array): void {
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1))
      if ((at === 0 ? this.#last : bytes[at - 1]) !== RETURN) bytes[at] = VERTICAL_TAB;
    this.#last = bytes.at(-1) ?? this.#last;
  }
}

/** Whether standard input and output are a terminal. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** What a program's terminal has from this process's. */
export function terminalOptions() {
  return { ...terminalSize(), type: process.env.TERM ?? 'xterm' };
}

/** The size of this process's terminal, or the usual one. */
function terminalSize() {
  const { columns = 80, rows = 24 }: { columns?: number; rows?: number } = process.stdout;
  return { columns, rows };
}

/**
 * Makes this process's terminal the screen and keyboard of a program.
 * @returns a function that restores the terminal
 */
export function takeTerminal(user: TerminalUser): () => void {
  const { stdin, stdout } = process;
  const resize = () => {
    const { columns, rows } = terminalSize();
    user.onResize(columns, rows);
  };
  // Raw mode has no end of file, and all operations on a terminal that has gone fail.
  for (const event of ['end', 'error']) stdin.on(event, () => user.onGone());
  stdin.setRawMode(true);
  // Elsewhere `Newlines` does this.
  if (process.platform === 'linux') spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  stdin.on('data', (keys: Buffer) => user.onKeys(keys));
  stdout.on('resize', resize);
  resize();
  return () => {
    stdout.off('resize', resize);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

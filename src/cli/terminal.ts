import { spawnSync } from 'node:child_process';

export interface TerminalUser {
  onKeys(keys: Buffer): void;
  /** Called at first, too. */
  onResize(columns: number, rows: number): void;
  /** The terminal was closed. May be called several times. */
  onGone(): void;
}

/** Whether standard input and output are a terminal. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/**
 * Makes this process's terminal the screen and keyboard of a program.
 * @returns a function that restores the terminal
 */
export function takeTerminal(user: TerminalUser): () => void {
  const { stdin, stdout } = process;
  const resize = () => user.onResize(stdout.columns, stdout.rows);
  // Raw mode has no end of file, and all operations on a terminal that has gone fail.
  for (const event of ['end', 'error']) stdin.on(event, () => user.onGone());
  stdin.setRawMode(true);
  // Node's raw mode still adds carriage returns to the newlines that are shown, which the program's terminal
  // has done where it should.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  stdin.on('data', (keys: Buffer) => user.onKeys(keys));
  stdout.on('resize', resize);
  resize();
  return () => {
    stdout.off('resize', resize);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

import { spawnSync } from 'node:child_process';
import type { Machine } from '../machine/machine.ts';
import { SIGHUP } from '../options/signals.ts';
import { write } from './program.ts';

const CTRL_A = 1;
const QUIT = 'x'.charCodeAt(0);
const STATUS_HUNG_UP = 128 + SIGHUP;

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

/** Runs a program on the console, with this terminal as its screen and keyboard. Ctrl-A x ends it. */
export async function interact(
  machine: Machine,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const shell = machine.runOnConsole({ args, env: { ...env, TERM: process.env.TERM ?? 'vt100' } });
  await write(process.stdout, 'Ctrl-A x ends the machine.\n');
  let restore = () => {};
  const left = new Promise<number>((resolve) => {
    restore = takeTerminal({
      onKeys: keysFor(machine, () => resolve(0)),
      onResize: (columns, rows) => machine.resize(columns, rows),
      onGone: () => resolve(STATUS_HUNG_UP),
    });
  });
  return Promise.race([shell.exit, left]).finally(restore);
}

/** Forwards keys, except Ctrl-A x. Ctrl-A Ctrl-A sends one Ctrl-A. */
function keysFor(machine: Machine, quit: () => void): (keys: Buffer) => void {
  let escaped = false;
  return (keys) => {
    const typed: number[] = [];
    for (const key of keys) {
      if (escaped && key === QUIT) return quit();
      if (escaped || key !== CTRL_A) typed.push(key);
      escaped = !escaped && key === CTRL_A;
    }
    // Input that nobody reads any more is lost with the machine.
    machine.write(Uint8Array.from(typed)).catch(() => {});
  };
}

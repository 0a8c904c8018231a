import { write } from '../cli/program.ts';
import { takeTerminal } from '../cli/terminal.ts';
import type { Machine } from '../machine/machine.ts';
import { SIGHUP } from '../options/signals.ts';

const CTRL_A = 1;
const QUIT = 'x'.charCodeAt(0);
const STATUS_HUNG_UP = 128 + SIGHUP;

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

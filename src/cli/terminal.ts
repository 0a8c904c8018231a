import type { Machine } from '../machine/machine.ts';
import { write } from './program.ts';

const CTRL_A = 1;
const QUIT = 'x'.charCodeAt(0);

/** Runs a program on the console, with this terminal as its screen and keyboard. Ctrl-A x ends it. */
export async function interact(
  machine: Machine,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const { stdin, stdout } = process;
  const resize = () => machine.resize(stdout.columns, stdout.rows);
  const shell = machine.runOnConsole({ args, env: { ...env, TERM: process.env.TERM ?? 'vt100' } });
  await write(stdout, 'Ctrl-A x ends the machine.\n');
  stdin.setRawMode(true);
  stdout.on('resize', resize);
  resize();
  try {
    return await Promise.race([shell.exit, forwardKeys(machine, stdin)]);
  } finally {
    stdout.off('resize', resize);
    stdin.setRawMode(false);
    stdin.pause();
  }
}

/** Resolves when the user quits. Ctrl-A Ctrl-A sends one Ctrl-A. */
function forwardKeys(machine: Machine, stdin: NodeJS.ReadStream): Promise<number> {
  return new Promise((resolve) => {
    let escaped = false;
    stdin.on('data', (keys: Buffer) => {
      const typed: number[] = [];
      for (const key of keys) {
        if (escaped && key === QUIT) return resolve(0);
        if (escaped || key !== CTRL_A) typed.push(key);
        escaped = !escaped && key === CTRL_A;
      }
      // Input that nobody reads any more is lost with the machine.
      machine.write(Uint8Array.from(typed)).catch(() => {});
    });
  });
}

/** Builds something while another program has the screen. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './places.mjs';
import { say } from './progress.mjs';

/**
 * Runs a command at low priority until it or this process ends. Its output goes to a log: only its start and
 * its end are told, so that what the user should see stays on the screen.
 * @param {string} title the name of its result
 * @param {string} command
 * @param {readonly string[]} args
 */
export function buildInBackground(title, command, args) {
  const logs = join(CACHE, 'logs');
  mkdirSync(logs, { recursive: true });
  const log = join(logs, `background-${process.pid}.log`);
  const output = openSync(log, 'w');
  const builder = spawn('nice', ['-n', '10', command, ...args], { stdio: ['ignore', output, output] });
  closeSync(output);
  say(`${title}: building in the background; progress is in ${log}`);
  const kill = () => builder.kill();
  process.once('exit', kill);
  builder.unref();
  builder.once('exit', (code) => {
    process.off('exit', kill);
    // A signal that ends the builder usually ends this process too.
    if (code === null) return;
    say(code === 0 ? `${title}: ready` : `${title}: cannot be built; the log: ${log}`);
    if (code === 0) rmSync(log);
  });
}

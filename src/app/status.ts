import type { Machine } from '../machine/machine.ts';
import type { PageOptions } from './options.ts';

const INTERVAL = 500;
const MIB = 2 ** 20;
const SEPARATOR = ' · ';

/** Shows `text` in the status line. */
export function showStatus(...parts: string[]): void {
  const line = document.querySelector('#status');
  if (line) line.textContent = parts.join(SEPARATOR);
}

export function summarize({ cpus, memory }: PageOptions): string[] {
  return [cpus === 1 ? '1 CPU' : `${cpus} CPUs`, `${memory / MIB} MB`];
}

/** Keeps the status line up to date until the returned function is called. */
export function followMachine(machine: Machine, options: PageOptions): () => void {
  let boot = 'booting…';
  machine.booted.then(
    ({ seconds }) => {
      boot = `booted in ${seconds.toFixed(2)} s`;
    },
    () => {}, // how the machine ended is told elsewhere
  );
  let before = machine.stats();
  const update = () => {
    const now = machine.stats();
    const total = (instructions: readonly number[]) => instructions.reduce((sum, each) => sum + each, 0);
    const mips =
      (total(now.instructions) - total(before.instructions)) / (now.seconds - before.seconds) / 1e6;
    before = now;
    showStatus(...summarize(options), boot, `${Math.round(mips)} MIPS`);
  };
  const timer = setInterval(update, INTERVAL);
  return () => clearInterval(timer);
}

import type { Machine } from '../machine/machine.ts';
import type { PageOptions } from './options.ts';

const INTERVAL = 500;
const MIB = 2 ** 20;

function setText(id: string, text: string): void {
  const element = document.getElementById(id);
  if (element) element.textContent = text;
}

/** Shows in the status line what is going on, and with which machine if there is one. */
export function showStatus(what: string, options?: PageOptions): void {
  setText('status', options ? `${summarize(options)} · ${what}` : what);
}

function summarize({ cpus, memory }: PageOptions): string {
  return `${cpus} CPU${cpus === 1 ? '' : 's'} · ${memory / MIB} MB`;
}

/**
 * Shows how fast the machine runs until the returned function is called. The figure stands apart
 * from the status line, which screen readers announce at every change.
 */
export function showSpeed(machine: Machine): () => void {
  const total = (instructions: readonly number[]) => instructions.reduce((sum, each) => sum + each, 0);
  let before = machine.stats();
  const timer = setInterval(() => {
    const now = machine.stats();
    const rate = (total(now.instructions) - total(before.instructions)) / (now.seconds - before.seconds);
    before = now;
    setText('speed', `${Math.round(rate / 1e6)} MIPS`);
  }, INTERVAL);
  return () => {
    clearInterval(timer);
    setText('speed', '');
  };
}

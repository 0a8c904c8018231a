/**
 * The browser's history: the form has an entry, and a run has one above it, so that Back leads to the form.
 */
import { readAddress } from './address.ts';
import type { Run } from './session.ts';

interface RunEntry {
  /** An id that no other visit has. */
  readonly run: number;
}

/** The latest run. Its entry is the only one of this visit that Forward can reach. */
let latest: { readonly id: number; readonly run: Run } | undefined;
let onArrival: (() => void) | undefined;

const isRunEntry = (state: unknown): state is RunEntry =>
  typeof state === 'object' && state !== null && 'run' in state;

/** Adds an entry for a run above that of the form. */
export function enterRun(run: Run): void {
  latest = { id: performance.timeOrigin + performance.now(), run };
  const entry: RunEntry = { run: latest.id };
  history.pushState(entry, '', run.link);
}

/** The run to which the current entry belongs, if there is one. */
function enteredRun(): Run | undefined {
  return isRunEntry(history.state) && history.state.run === latest?.id ? latest.run : undefined;
}

/** Goes from the entry of a run to that of the form. Resolves when it is there. */
export async function stepBack(): Promise<void> {
  if (!enteredRun()) return;
  await new Promise<void>((resolve) => {
    onArrival = resolve;
    history.back();
  });
}

/** Returns to the entry of a run that the user was about to leave. */
export function stepForward(): void {
  history.forward();
}

export interface Travels {
  /** The user reached the entry of a run of this visit. */
  onRun(run: Run): void;
  /** The user reached the form. @param query fills it in */
  onForm(query: string): void;
}

/** Tells where Back and Forward lead. */
export function watchHistory({ onRun, onForm }: Travels): void {
  // A page that was loaded again at the entry of a run shows the form.
  if (isRunEntry(history.state)) history.replaceState(null, '');
  addEventListener('popstate', () => {
    const arrived = onArrival;
    onArrival = undefined;
    if (arrived) return arrived();
    const run = enteredRun();
    if (run) return onRun(run);
    // A run of an earlier visit.
    if (isRunEntry(history.state)) history.replaceState(null, '');
    onForm(readAddress());
  });
}

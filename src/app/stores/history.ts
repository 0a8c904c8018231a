/**
 * The browser's history: the form has an entry, and a run has one above it, so that Back leads to the form.
 */
import { readAddress } from './address.ts';
import type { Run } from './session.ts';

interface RunEntry {
  /** An id that no other visit has. */
  readonly run: number;
}

interface LatestRun extends RunEntry {
  readonly content: Run;
  /** The key of the form's entry, where the browser has the Navigation API. */
  readonly form: string | undefined;
  /** The number of entries when the run's was added. Frames with previews add more. */
  readonly length: number;
}

/** The part of the Navigation API in use (HTML standard, "the navigation API"). */
interface Navigation {
  readonly currentEntry: { readonly key: string } | null;
  traverseTo(key: string): { readonly finished: Promise<unknown> };
}

const { navigation } = globalThis as { navigation?: Navigation };

/** The latest run. Its entry is the only one of this visit that Forward can reach. */
let latest: LatestRun | undefined;
let onArrival: (() => void) | undefined;

const isRunEntry = (state: unknown): state is RunEntry =>
  typeof state === 'object' && state !== null && 'run' in state;

/** Adds an entry for a run above that of the form. */
export function enterRun(run: Run): void {
  const entry: RunEntry = { run: performance.timeOrigin + performance.now() };
  const form = navigation?.currentEntry?.key;
  history.pushState(entry, '', run.link);
  latest = { ...entry, content: run, form, length: history.length };
}

/** The run to which the current entry belongs, if there is one. */
function enteredRun(): Run | undefined {
  return isRunEntry(history.state) && history.state.run === latest?.run ? latest.content : undefined;
}

/** Goes from the entry of a run to that of the form. Resolves when it is there. */
export async function stepBack(): Promise<void> {
  if (!enteredRun() || !latest) return;
  const { form, length } = latest;
  await new Promise<void>((resolve) => {
    onArrival = resolve;
    // One step back may only go back in a frame.
    if (navigation && form !== undefined) navigation.traverseTo(form).finished.catch(() => {});
    else history.go(length - history.length - 1);
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

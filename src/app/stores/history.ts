/**
 * The browser's history: the form has an entry, and a run has one above it, so that Back leads to the form.
 */
import { readAddress } from './address.ts';
import type { Run } from './session.ts';

interface RunEntry {
  /** An id that no other visit has. */
  readonly run: number;
  /** The name of the kept container that runs, with which a reload goes on. */
  readonly container?: string;
  /** The key of the form's entry, where the browser has the Navigation API. */
  readonly form?: string | undefined;
}

interface LatestRun extends RunEntry {
  readonly content: Run;
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
  const form = navigation?.currentEntry?.key;
  const entry: RunEntry = { run: performance.timeOrigin + performance.now(), form };
  history.pushState(entry, '', run.link);
  latest = { ...entry, content: run, length: history.length };
}

/** Notes in the entry of the run which kept container runs, if any. */
export function markRun(container: string | undefined): void {
  if (!enteredRun() || !latest) return;
  const { run, form } = latest;
  history.replaceState({ run, form, ...(container !== undefined && { container }) }, '');
}

/** The name of the kept container that ran when the page was loaded anew. */
export function interruptedContainer(): string | undefined {
  const { state } = history;
  return isRunEntry(state) && typeof state.container === 'string' ? state.container : undefined;
}

/** Takes the entry of an interrupted run as that of the run which goes on. */
export function reenterRun(run: Run): void {
  const entry = history.state as RunEntry;
  history.replaceState(entry, '', run.link);
  latest = { ...entry, content: run, length: history.length };
}

/** Makes the entry of an interrupted run that of its form, because nothing of the run is left. */
export function forgetRun(): void {
  latest = undefined;
  history.replaceState(null, '');
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
  /** The user reached the entry of a run of this visit. @param container the kept one that ran there */
  onRun(run: Run, container: string | undefined): void;
  /** The user reached the form. @param query fills it in */
  onForm(query: string): void;
}

/** Tells where Back and Forward lead. */
export function watchHistory({ onRun, onForm }: Travels): void {
  // A page that was loaded again at the entry of a run shows the form, unless the run goes on.
  if (isRunEntry(history.state) && !enteredRun()) history.replaceState(null, '');
  addEventListener('popstate', () => {
    const arrived = onArrival;
    onArrival = undefined;
    if (arrived) return arrived();
    const run = enteredRun();
    if (run) return onRun(run, interruptedContainer());
    // A run of an earlier visit.
    if (isRunEntry(history.state)) history.replaceState(null, '');
    onForm(readAddress());
  });
}

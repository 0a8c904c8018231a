import { create } from 'zustand';
import { abandonStore } from '../../api/browser-library.ts';
import { loadedMachinery } from './connection.ts';
import { hasUnsavedText, useEditor } from './editor.ts';
import { isKept, useKeeping } from './keeping.ts';
import { saveOnTheWayOut } from './saving.ts';
import { type Phase, useSession } from './session.ts';

/** What leads away from a running container, besides its own end. */
export type Departure = 'leave' | 'restart';

interface LeavingState {
  /** What the user is asked to confirm. */
  readonly departure: Departure | undefined;
  /**
   * Goes on at once if nothing would be lost, and otherwise asks first. A kept container is suspended before
   * the user leaves it.
   */
  ask(departure: Departure, goOn: () => void): void;
  answer(yes: boolean): void;
}

const isRunning = (phase: Phase) => ['running', 'suspending', 'stopping'].includes(phase);

/** Whether there is something to save, or to lose. */
function hasWork(): boolean {
  const { phase } = useSession.getState();
  // What was typed before the program runs reaches it later.
  return (
    hasUnsavedText() ||
    isRunning(phase) ||
    (phase === 'preparing' && useKeeping.getState().keeping === 'keeping')
  );
}

export const useLeaving = create<LeavingState>((set) => {
  let goOn: (() => void) | undefined;
  return {
    departure: undefined,
    ask: (departure, then) => {
      const runs = isRunning(useSession.getState().phase);
      if (!runs && !hasUnsavedText()) return then();
      goOn = then;
      if (departure === 'restart' || !runs || !isKept()) return set({ departure });
      void suspendKept().then((isSuspended) => (isSuspended ? then() : set({ departure })));
    },
    answer: (yes) => {
      const then = goOn;
      goOn = undefined;
      set({ departure: undefined });
      if (yes) then?.();
    },
  };
});

async function suspendKept(): Promise<boolean> {
  const { keeping, keep } = useKeeping.getState();
  if (keeping === 'keeping') await keep();
  return useKeeping.getState().keeping === 'kept' && useSession.getState().suspend();
}

function onLeave(event: BeforeUnloadEvent): void {
  if (!saveOnTheWayOut()) event.preventDefault();
}

/** Saves a running container before the browser leaves the page, and lets it ask if that fails. */
export function guardPage(): void {
  const update = () => {
    // Browsers keep a page without such a listener in memory when the user goes on to another one.
    if (hasWork()) addEventListener('beforeunload', onLeave);
    else removeEventListener('beforeunload', onLeave);
    // There is nothing to lose any more.
    if (!hasWork() && useLeaving.getState().departure) useLeaving.getState().answer(false);
  };
  useSession.subscribe(update);
  useKeeping.subscribe(update);
  useEditor.subscribe(update);
}

/**
 * Ends what a page does that the browser keeps in memory while the user is on another one, and loads the page
 * anew when the user comes back. WebKit stops such pages in the middle of transactions, and no page of the
 * origin could store anything until they end.
 */
export function endWhenKept(): void {
  addEventListener('pagehide', ({ persisted }) => {
    if (!persisted) return;
    loadedMachinery()?.endThreads();
    abandonStore();
  });
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
}

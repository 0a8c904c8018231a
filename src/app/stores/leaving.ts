import { create } from 'zustand';
import { type Phase, useSession } from './session.ts';

/** What ends a running container, besides its own end. */
export type Departure = 'leave' | 'restart';

interface LeavingState {
  /** What the user is asked to confirm. */
  readonly departure: Departure | undefined;
  /** Goes on at once if nothing runs, and otherwise asks first. */
  ask(departure: Departure, goOn: () => void): void;
  answer(yes: boolean): void;
}

/** Whether leaving would lose the work in the container. */
const isRunning = (phase: Phase) => phase === 'running' || phase === 'stopping';

export const useLeaving = create<LeavingState>((set) => {
  let goOn: (() => void) | undefined;
  return {
    departure: undefined,
    ask: (departure, then) => {
      if (!isRunning(useSession.getState().phase)) return then();
      goOn = then;
      set({ departure });
    },
    answer: (yes) => {
      const then = goOn;
      goOn = undefined;
      set({ departure: undefined });
      if (yes) then?.();
    },
  };
});

function warn(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

/** Makes the browser ask before it leaves the page while a container runs. */
export function guardPage(): void {
  useSession.subscribe(({ phase }) => {
    // Browsers keep a page without such a listener in memory when the user goes on to another one.
    if (isRunning(phase)) addEventListener('beforeunload', warn);
    else removeEventListener('beforeunload', warn);
    // There is nothing to lose any more.
    if (!isRunning(phase) && useLeaving.getState().departure) useLeaving.getState().answer(false);
  });
}

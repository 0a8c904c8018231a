import { create } from 'zustand';
import { useKeeping } from './keeping.ts';
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

/** Whether leaving would lose the work in the container. */
const isAtRisk = () => isRunning(useSession.getState().phase) && useKeeping.getState().keeping !== 'kept';

export const useLeaving = create<LeavingState>((set) => {
  let goOn: (() => void) | undefined;
  return {
    departure: undefined,
    ask: (departure, then) => {
      const { phase, suspend } = useSession.getState();
      if (!isRunning(phase)) return then();
      if (departure === 'leave' && !isAtRisk())
        return void suspend().then((isSuspended) => (isSuspended ? then() : set({ departure: 'leave' })));
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
  const update = () => {
    // Browsers keep a page without such a listener in memory when the user goes on to another one.
    if (isAtRisk()) addEventListener('beforeunload', warn);
    else removeEventListener('beforeunload', warn);
    // There is nothing to lose any more.
    if (!isRunning(useSession.getState().phase) && useLeaving.getState().departure)
      useLeaving.getState().answer(false);
  };
  useSession.subscribe(update);
  useKeeping.subscribe(update);
}

import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { networkNotice } from '../../api/network-notice.ts';
import { messageOf } from '../../text/message.ts';
import type { SessionEvent } from '../machine/messages.ts';
import { TerminalPort } from '../machine/terminal-port.ts';
import { checkForm } from '../model/check.ts';
import { DEFAULT_FORM } from '../model/form.ts';
import { explain, type Problem } from '../model/problem.ts';
import { loadMachinery } from './connection.ts';
import { useLibrary } from './library.ts';
import { currentRelay } from './relay.ts';
import { useSession } from './session.ts';

/** The time after which the terminal of a hidden tab ends, in ms. */
const HIDDEN_FOR = 5 * 60_000;

const GREETING = 'A Linux of its own, in this tab. Try: ls /, free -m, vi notes';
const FORM = {
  ...DEFAULT_FORM,
  entrypoint: 'sh -c',
  args: `'echo "${GREETING}"; exec sh'`,
};

export type LivePhase = 'off' | 'starting' | 'running' | 'ended';

interface Wanted {
  /** Whether the user wants a terminal on the first screen. */
  readonly isWanted: boolean;
}

interface LiveState extends Wanted {
  /** Whether this visit has a terminal on the first screen. */
  readonly isOffered: boolean;
  readonly phase: LivePhase;
  /** The terminal's end of the container. */
  readonly port: TerminalPort | undefined;
  readonly hasOutput: boolean;
  /** Why it does not run, for the user. */
  readonly note: string;

  offer(): void;
  start(): Promise<void>;
  /** Ends the container. @param note the reason, if the user did not ask for it */
  end(note?: string): void;
  want(isWanted: boolean): void;
}

const NOTHING = { phase: 'off', port: undefined, hasOutput: false, note: '' } as const;

/** A shell on the first screen, in a container of its own. */
export const useLive = create<LiveState>()(
  persist<LiveState, [], [], Wanted>(
    (set, get) => {
      /** Ends the machine. Undefined while there is none. */
      let endMachine: (() => void) | undefined;

      const finish = (phase: LivePhase, note: string) => {
        endMachine?.();
        endMachine = undefined;
        set({ phase, note });
      };

      const onEvent = (event: SessionEvent) => {
        if (event.type === 'image-ready') void useLibrary.getState().refresh();
        if (event.type === 'started') set({ phase: 'running' });
        if (event.type === 'network') set({ note: networkNotice(event.status) ?? '' });
        if (event.type === 'silent') finish('ended', 'The shell does not answer');
        if (event.type === 'exit') finish('ended', 'The shell has ended');
        if (event.type === 'failed') finish('ended', noteOf(explain(event.failure)));
      };

      return {
        ...NOTHING,
        isWanted: true,
        isOffered: false,
        offer: () => set({ isOffered: true }),
        start: async () => {
          const { wish } = checkForm(FORM);
          const isFree = useSession.getState().phase === 'none' && !endMachine && get().phase !== 'starting';
          if (!wish || !isFree) return;
          const port = new TerminalPort();
          set({ ...NOTHING, phase: 'starting', port });
          const machinery = await loadMachinery().catch((error: unknown) => messageOf(error));
          // It may have been ended in the meantime.
          if (get().port !== port) return;
          if (typeof machinery === 'string') return finish('ended', machinery);
          const { Connection, prepareSession } = machinery;
          const connection = new Connection(
            {
              ...wish,
              wantsNewest: false,
              folders: [],
              relay: currentRelay(),
              origin: { kind: 'reference', credentials: undefined },
            },
            (event) => get().port === port && onEvent(event),
            async (bytes) => {
              await port.show(bytes);
              if (get().port === port) set({ hasOutput: true });
            },
          );
          endMachine = () => connection.end();
          port.connect(connection.session);
          // A click on Run must not wait for a worker.
          void prepareSession(currentRelay());
        },
        end: (note = '') => {
          if (get().phase === 'off') return;
          finish('off', note);
          set({ port: undefined, hasOutput: false });
        },
        want: (isWanted) => {
          set({ isWanted });
          if (isWanted) void get().start();
          else get().end();
        },
      };
    },
    { name: 'linuxrun-live', version: 1, partialize: ({ isWanted }) => ({ isWanted }) },
  ),
);

function noteOf({ title, advice }: Problem): string {
  return `${title}. ${advice}`;
}

/** Ends the terminal when another container starts, or when nobody has seen it for long. */
export function watchLive(): void {
  useSession.subscribe(({ phase }) => {
    if (phase !== 'none') useLive.getState().end();
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden)
      timer = setTimeout(() => useLive.getState().end('It ended while this tab was hidden'), HIDDEN_FOR);
  });
}

/** Starts the terminal if it is wanted, as soon as the tab is visible. */
export function startLive(): void {
  const { isOffered, isWanted, start } = useLive.getState();
  if (!isOffered || !isWanted) return;
  if (!document.hidden) return void start();
  document.addEventListener('visibilitychange', () => void start(), { once: true });
}

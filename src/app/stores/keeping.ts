import { create } from 'zustand';
import { messageOf } from '../../text/message.ts';
import { makeUpName } from '../model/container-name.ts';
import { current } from './connection.ts';
import { useKept } from './kept.ts';
import { useLibrary } from './library.ts';

export type Keeping =
  /** Nobody has typed anything that could be lost. */
  | 'untouched'
  /** It is being stored, or will be as soon as its program runs. */
  | 'keeping'
  | 'kept'
  /** The user does not want it to be kept. */
  | 'refused'
  /** The store does not take it. */
  | 'failed';

interface KeepingState {
  readonly keeping: Keeping;
  /** The container's name in the store, as long as it is kept or being stored. */
  readonly name: string | undefined;
  /** Why it cannot be kept or saved. */
  readonly problem: string | undefined;
  /** Why the store does not take what the container writes. */
  readonly diskProblem: string | undefined;
  /** Whether later containers of the image begin where this one was. */
  readonly isStart: boolean;
  /** When its session was saved last, in ms since 1970. */
  readonly savedAt: number | undefined;
  /** Where a container goes on that was cut off after it was saved, if it does. */
  readonly cutOff: { readonly saved: number; readonly goesOn: boolean } | undefined;
  /** Whether the user has seen that it is kept. */
  readonly isNoticed: boolean;

  /** Begins with another container. @param name of one that is kept already */
  begin(name?: string): void;
  /** The container's program runs. */
  started(): void;
  /** The user has done something that would be lost. */
  touch(): void;
  /** Resolves when it is kept, or cannot be. */
  keep(): Promise<void>;
  /** Leaves nothing of it in the store when it ends. */
  refuse(): Promise<void>;
  /** Takes the result of a save. */
  saved(problem?: string): void;
  /** Later containers of the image begin where this one is. */
  startSaved(): void;
  noteDisk(problem: string | undefined): void;
  noteCutOff(cutOff: { readonly saved: number; readonly goesOn: boolean }): void;
  dismissCutOff(): void;
  dismiss(): void;
}

const NOTHING = {
  keeping: 'untouched',
  name: undefined,
  problem: undefined,
  diskProblem: undefined,
  isStart: false,
  savedAt: undefined,
  cutOff: undefined,
  isNoticed: false,
} as const satisfies Partial<KeepingState>;

/** Another tab may take a name between two looks at the list. */
const ATTEMPTS = 3;

/** Whether the running container is kept, or about to be. */
export function isKept(): boolean {
  const { keeping } = useKeeping.getState();
  return keeping === 'kept' || keeping === 'keeping';
}

/** Whether and how the running container is kept. */
export const useKeeping = create<KeepingState>((set, get) => {
  let isRunning = false;
  /** The latest attempt to store it. */
  let storing = Promise.resolve();

  const store = async () => {
    const session = current.connection?.session;
    if (!session) return;
    const isCurrent = () => current.connection?.session === session;
    for (let attempt = 1; isCurrent(); attempt++) {
      const name = makeUpName(useKept.getState().items.map((item) => item.name));
      // A reload that comes before the answer looks for it.
      set({ name });
      try {
        await session.keep(name);
        if (isCurrent()) set({ keeping: 'kept' });
        // Browsers that ask their user about it do so now, when there is something to lose.
        if (useKept.getState().items.length === 0) void useLibrary.getState().persist();
      } catch (error) {
        if ((error as Error).name === 'ContainerExistsError' && attempt < ATTEMPTS) {
          await useKept.getState().refresh();
          continue;
        }
        if (isCurrent()) set({ keeping: 'failed', name: undefined, problem: messageOf(error) });
      }
      return useKept.getState().refresh();
    }
  };

  return {
    ...NOTHING,
    begin: (name) => {
      isRunning = false;
      storing = Promise.resolve();
      set({ ...NOTHING, ...(name !== undefined && { keeping: 'kept', name, isNoticed: true }) });
    },
    started: () => {
      isRunning = true;
      if (get().keeping === 'keeping') storing = store();
    },
    touch: () => {
      if (get().keeping === 'untouched') void get().keep();
    },
    keep: () => {
      if (get().keeping !== 'keeping') {
        set({ keeping: 'keeping', problem: undefined });
        if (isRunning) storing = store();
      }
      return storing;
    },
    refuse: async () => {
      const { connection } = current;
      await storing;
      if (current.connection !== connection) return;
      const wasKept = get().keeping === 'kept';
      set({ keeping: 'refused', name: undefined, savedAt: undefined });
      if (!wasKept) return;
      await connection?.session.unkeep().catch((error: unknown) => set({ problem: messageOf(error) }));
      await useKept.getState().refresh();
    },
    saved: (problem) => set(problem === undefined ? { problem, savedAt: Date.now() } : { problem }),
    startSaved: () => set({ isStart: true, problem: undefined }),
    noteDisk: (diskProblem) => set({ diskProblem }),
    noteCutOff: (cutOff) => set({ cutOff }),
    dismissCutOff: () => set({ cutOff: undefined }),
    dismiss: () => set({ isNoticed: true }),
  };
});

import { proxy } from 'comlink';
import { create } from 'zustand';
import { messageOf } from '../../text/message.ts';
import type { Hit, SearchResult } from '../machine/search.ts';
import { current } from './connection.ts';
import { newJob } from './jobs.ts';

interface SearchState {
  readonly isShown: boolean;
  /** Where it is searched. */
  readonly folder: string;
  readonly text: string;
  readonly matchesCase: boolean;
  readonly hits: readonly Hit[];
  readonly state: 'idle' | 'running' | 'done' | 'cancelled' | 'failed';
  readonly result: SearchResult | undefined;
  /** Why it failed. */
  readonly problem: string;

  show(folder: string): void;
  hide(): void;
  setText(text: string): void;
  setMatchesCase(matchesCase: boolean): void;
  start(): Promise<void>;
  cancel(): void;
  /** Forgets everything: the container has ended. */
  reset(): void;
}

const NOTHING = {
  ...{ isShown: false, folder: '/', text: '', matchesCase: false, hits: [] },
  ...{ state: 'idle', result: undefined, problem: '' },
} as const satisfies Partial<SearchState>;

/** The search in the container's files. */
export const useSearch = create<SearchState>((set, get) => {
  /** The number of the latest search. */
  let job = 0;

  const cancel = () => {
    if (get().state !== 'running') return;
    void current.connection?.session.files.cancel(job);
    job = 0;
    set({ state: 'cancelled' });
  };
  return {
    ...NOTHING,
    show: (folder) => set({ isShown: true, folder }),
    hide: () => {
      cancel();
      set({ isShown: false });
    },
    setText: (text) => set({ text }),
    setMatchesCase: (matchesCase) => set({ matchesCase }),
    start: async () => {
      const { connection } = current;
      const { folder, text, matchesCase } = get();
      if (!connection || text === '') return;
      cancel();
      const mine = newJob();
      job = mine;
      set({ hits: [], state: 'running', result: undefined, problem: '' });
      const onHits = (found: Hit[]) => {
        if (job === mine) set(({ hits }) => ({ hits: [...hits, ...found] }));
      };
      const request = { folder, text, matchesCase };
      const outcome = await connection.session.files.search(mine, request, proxy(onHits)).then(
        (result) => ({ state: 'done', result }) as const,
        (error: unknown) => ({ state: 'failed', problem: messageOf(error) }) as const,
      );
      if (job === mine) set(outcome);
    },
    cancel,
    reset: () => {
      job = 0;
      set(NOTHING);
    },
  };
});

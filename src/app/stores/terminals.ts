import { create } from 'zustand';
import type { Connection } from '../machine/connection.ts';
import { TerminalPort } from '../machine/terminal-port.ts';
import { NOT_STARTED_STATUSES } from '../model/problem.ts';
import type { SavedTerminal, SavedView } from '../model/saved-view.ts';
import { current } from './connection.ts';

export interface TerminalTab {
  readonly id: number;
  /** The number of its process in the session. */
  readonly process: number;
  /** The title that the program sets. */
  readonly title: string;
  /** Whether its bell rang while it was not visible. */
  readonly hasBell: boolean;
  /** Whether its shell could not be started. The tab of an ended shell closes. */
  readonly hasFailed: boolean;
  readonly port: TerminalPort;
  /** Ends the shell of an additional terminal. */
  readonly hangUp: () => void;
}

/** Starts or takes up a process of this number, and shows its output. */
type Connect = (
  ...client: Parameters<Connection['openTerminal']>
) => Promise<Awaited<ReturnType<Connection['openTerminal']>> | undefined> | undefined;

interface TerminalsState {
  /** The terminals. The first one is the container's own. */
  readonly tabs: readonly TerminalTab[];
  readonly active: number;
  /** The terminal that is visible beside the active one. */
  readonly beside: number | undefined;
  /** Whether the find bar of the active terminal is open. */
  readonly isFinding: boolean;
  /** Whether the list of keys is open. */
  readonly areKeysShown: boolean;

  /** Starts with a single terminal for a new container. */
  begin(port: TerminalPort): void;
  /** Starts another shell in the container. */
  open(): Promise<void>;
  /** Starts another shell beside the active terminal, or shows the active one alone again. */
  split(): Promise<void>;
  /** Shows the terminals of a resumed session. The container's own is there already. */
  restore(view: Pick<SavedView, 'processes' | 'terminals' | 'active' | 'beside'>): void;
  close(id: number): void;
  activate(id: number): void;
  rename(id: number, title: string): void;
  ring(id: number): void;
  find(isFinding: boolean): void;
  showKeys(areKeysShown: boolean): void;
}

/** The number of the container's own process. */
const OWN = 0;

let next = 1;

export const useTerminals = create<TerminalsState>((set, get) => {
  const change = (id: number, change: Partial<TerminalTab>) =>
    set(({ tabs }) => ({ tabs: tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)) }));
  const makeTab = (port: TerminalPort, process: number, hangUp: () => void): TerminalTab => ({
    ...{ id: next++, process, title: '', hasBell: false, hasFailed: false },
    ...{ port, hangUp },
  });

  /** Adds a tab for a process that `connect` starts or takes up. */
  const add = async (process: number, connect: Connect, saved?: SavedTerminal) => {
    const port = new TerminalPort();
    if (saved) port.restore(saved);
    let hangUp = () => {};
    const tab = { ...makeTab(port, process, () => hangUp()), title: saved?.title ?? '' };
    const { id } = tab;
    set(({ tabs }) => ({ tabs: [...tabs, tab], active: id, isFinding: false }));
    // The container's own terminal shows that the container has ended.
    const running = await connect(
      process,
      (bytes) => port.show(bytes),
      (status) => (NOT_STARTED_STATUSES.includes(status) ? change(id, { hasFailed: true }) : get().close(id)),
    )?.catch(() => undefined);
    if (!running) return get().close(id);
    hangUp = () => void running.hangUp();
    port.connect(running);
    // The user closed the terminal before its shell started.
    if (!get().tabs.some((other) => other.id === id)) hangUp();
  };
  return {
    tabs: [],
    active: 0,
    beside: undefined,
    isFinding: false,
    areKeysShown: false,
    begin: (port) => {
      const tab = makeTab(port, OWN, () => {});
      set({ tabs: [tab], active: tab.id, beside: undefined, isFinding: false, areKeysShown: false });
    },
    open: () => add(next, (...client) => current.connection?.openTerminal(...client)),
    split: async () => {
      const { active, beside, open } = get();
      if (beside !== undefined) return set({ beside: undefined });
      set({ beside: active });
      await open();
    },
    restore: ({ processes, terminals, active, beside }) => {
      // Further shells get numbers that none of these has.
      next = Math.max(next, ...processes.map((process) => process + 1));
      for (const saved of terminals)
        if (saved.process === OWN) {
          const [own] = get().tabs;
          own?.port.restore(saved);
          if (own) change(own.id, { title: saved.title });
        } else void add(saved.process, (...client) => current.connection?.attachTerminal(...client), saved);
      set(({ tabs }) => {
        const idOf = (process: number) => tabs.find((tab) => tab.process === process)?.id;
        return { active: idOf(active) ?? tabs[0]?.id ?? 0, beside: idOf(beside) };
      });
    },
    close: (id) =>
      set(({ tabs, active, beside }) => {
        tabs.find((tab) => tab.id === id)?.hangUp();
        const left = tabs.filter((tab) => tab.id !== id);
        if (active !== id) return { tabs: left, beside: beside === id ? undefined : beside };
        return { tabs: left, active: beside ?? left.at(-1)?.id ?? 0, beside: undefined };
      }),
    activate: (id) => {
      const { active, beside } = get();
      if (id === active) return;
      // The two that are visible change their parts, and not their places.
      set({ active: id, beside: id === beside ? active : beside, isFinding: false });
      change(id, { hasBell: false });
    },
    find: (isFinding) => set({ isFinding }),
    showKeys: (areKeysShown) => set({ areKeysShown }),
    rename: (id, title) => change(id, { title }),
    ring: (id) =>
      set(({ tabs, active, beside }) => ({
        tabs: tabs.map((tab) =>
          tab.id === id && id !== active && id !== beside ? { ...tab, hasBell: true } : tab,
        ),
      })),
  };
});

import { create } from 'zustand';
import { TerminalPort } from '../machine/terminal-port.ts';
import { current } from './connection.ts';

export interface TerminalTab {
  readonly id: number;
  /** As the program in it wants it. */
  readonly title: string;
  /** Rang while something else was looked at. */
  readonly hasBell: boolean;
  /** Whether its shell could not be started; of one that has ended, nothing is left. */
  readonly hasFailed: boolean;
  readonly port: TerminalPort;
  /** Ends the shell of a further terminal. */
  readonly hangUp: () => void;
}

interface TerminalsState {
  /** The first is the container's own. */
  readonly tabs: readonly TerminalTab[];
  readonly active: number;
  /** Whether text is looked for in the active one. */
  readonly isFinding: boolean;

  /** Leaves a single terminal, for a new container. */
  begin(port: TerminalPort): void;
  /** Starts a further shell in the container. */
  open(): Promise<void>;
  close(id: number): void;
  activate(id: number): void;
  rename(id: number, title: string): void;
  ring(id: number): void;
  find(isFinding: boolean): void;
}

/** What shells of a container end with that did not even start. */
const NOT_STARTED = [126, 127];

let next = 1;

export const useTerminals = create<TerminalsState>((set, get) => {
  const change = (id: number, change: Partial<TerminalTab>) =>
    set(({ tabs }) => ({ tabs: tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)) }));
  const add = (port: TerminalPort, hangUp: () => void): TerminalTab => ({
    ...{ id: next++, title: '', hasBell: false, hasFailed: false },
    ...{ port, hangUp },
  });
  return {
    tabs: [],
    active: 0,
    isFinding: false,
    begin: (port) => {
      const tab = add(port, () => {});
      set({ tabs: [tab], active: tab.id, isFinding: false });
    },
    open: async () => {
      const port = new TerminalPort();
      let hangUp = () => {};
      const tab = add(port, () => hangUp());
      const { id } = tab;
      set(({ tabs }) => ({ tabs: [...tabs, tab], active: id, isFinding: false }));
      // A container that has ended meanwhile is told of by its own terminal.
      const process = await current.connection
        ?.openTerminal(
          (bytes) => port.show(bytes),
          (status) => (NOT_STARTED.includes(status) ? change(id, { hasFailed: true }) : get().close(id)),
        )
        .catch(() => undefined);
      if (!process) return get().close(id);
      hangUp = () => void process.hangUp();
      port.connect(process);
      // It was closed before there was anything to hang up.
      if (!get().tabs.some((other) => other.id === id)) hangUp();
    },
    close: (id) =>
      set(({ tabs, active }) => {
        tabs.find((tab) => tab.id === id)?.hangUp();
        const left = tabs.filter((tab) => tab.id !== id);
        return { tabs: left, active: active === id ? (left.at(-1)?.id ?? 0) : active };
      }),
    activate: (id) => {
      set({ active: id, isFinding: false });
      change(id, { hasBell: false });
    },
    find: (isFinding) => set({ isFinding }),
    rename: (id, title) => change(id, { title }),
    ring: (id) =>
      set(({ tabs, active }) => ({
        tabs: tabs.map((tab) => (tab.id === id && id !== active ? { ...tab, hasBell: true } : tab)),
      })),
  };
});

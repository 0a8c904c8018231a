import { create } from 'zustand';
import { TerminalPort } from '../machine/terminal-port.ts';
import { NOT_STARTED_STATUSES } from '../model/problem.ts';
import { current } from './connection.ts';

export interface TerminalTab {
  readonly id: number;
  /** The title that the program sets. */
  readonly title: string;
  /** Whether its bell rang while another terminal was visible. */
  readonly hasBell: boolean;
  /** Whether its shell could not be started. The tab of an ended shell closes. */
  readonly hasFailed: boolean;
  readonly port: TerminalPort;
  /** Ends the shell of an additional terminal. */
  readonly hangUp: () => void;
}

interface TerminalsState {
  /** The terminals. The first one is the container's own. */
  readonly tabs: readonly TerminalTab[];
  readonly active: number;
  /** Whether the find bar of the active terminal is open. */
  readonly isFinding: boolean;
  /** Whether the list of keys is open. */
  readonly areKeysShown: boolean;

  /** Starts with a single terminal for a new container. */
  begin(port: TerminalPort): void;
  /** Starts another shell in the container. */
  open(): Promise<void>;
  close(id: number): void;
  activate(id: number): void;
  rename(id: number, title: string): void;
  ring(id: number): void;
  find(isFinding: boolean): void;
  showKeys(areKeysShown: boolean): void;
}

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
    areKeysShown: false,
    begin: (port) => {
      const tab = add(port, () => {});
      set({ tabs: [tab], active: tab.id, isFinding: false, areKeysShown: false });
    },
    open: async () => {
      const port = new TerminalPort();
      let hangUp = () => {};
      const tab = add(port, () => hangUp());
      const { id } = tab;
      set(({ tabs }) => ({ tabs: [...tabs, tab], active: id, isFinding: false }));
      // The container's own terminal shows that the container has ended.
      const process = await current.connection
        ?.openTerminal(
          (bytes) => port.show(bytes),
          (status) =>
            NOT_STARTED_STATUSES.includes(status) ? change(id, { hasFailed: true }) : get().close(id),
        )
        .catch(() => undefined);
      if (!process) return get().close(id);
      hangUp = () => void process.hangUp();
      port.connect(process);
      // The user closed the terminal before its shell started.
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
    showKeys: (areKeysShown) => set({ areKeysShown }),
    rename: (id, title) => change(id, { title }),
    ring: (id) =>
      set(({ tabs, active }) => ({
        tabs: tabs.map((tab) => (tab.id === id && id !== active ? { ...tab, hasBell: true } : tab)),
      })),
  };
});

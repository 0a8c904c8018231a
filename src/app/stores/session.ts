import { create } from 'zustand';
import type { Credentials } from '../../oci/registry-auth.ts';
import type { Connection } from '../machine/connection.ts';
import type { LocalImage, SessionEvent, TerminalSize } from '../machine/messages.ts';
import { TerminalPort } from '../machine/terminal-port.ts';
import type { Wish } from '../model/check.ts';
import { explain, type Problem } from '../model/problem.ts';
import { advance, beginProgress, finishProgress, type Progress } from '../model/progress.ts';
import { useLibrary } from './library.ts';

/** What a session runs; enough to run it again. */
export interface Run {
  readonly wish: Wish;
  readonly local: LocalImage | undefined;
  readonly credentials: Credentials | undefined;
  /** The query of a link to it. */
  readonly link: string;
}

export type Phase = 'none' | 'preparing' | 'running' | 'stopping' | 'ended' | 'failed';

export interface TerminalTab {
  readonly id: number;
  /** As the program in it wants it. */
  readonly title: string;
  /** Rang while something else was looked at. */
  readonly hasBell: boolean;
  readonly port: TerminalPort;
}

interface SessionState {
  readonly phase: Phase;
  readonly run: Run | undefined;
  readonly progress: Progress;
  readonly terminals: readonly TerminalTab[];
  readonly activeTerminal: number;
  /** What the guest's agent said, in lines. */
  readonly messages: readonly string[];
  /** Of the container, once it has ended. */
  readonly status: number | undefined;
  readonly problem: Problem | undefined;
  /** Millions of instructions per second, of late. */
  readonly mips: number | undefined;
  /** Whether anything has been written to the terminal. */
  readonly hasOutput: boolean;

  start(run: Run): Promise<void>;
  cancel(): Promise<void>;
  /** Asks the container to end. */
  stop(): void;
  kill(): void;
  restart(): Promise<void>;
  /** Back to the form; whatever runs is ended. */
  leave(): Promise<void>;
  activate(terminal: number): void;
  rename(terminal: number, title: string): void;
  ring(terminal: number): void;
}

const FIGURES_INTERVAL = 1000;
const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };

const NONE = {
  phase: 'none',
  run: undefined,
  progress: beginProgress(0),
  terminals: [],
  activeTerminal: 1,
  messages: [],
  status: undefined,
  problem: undefined,
  mips: undefined,
  hasOutput: false,
} as const satisfies Partial<SessionState>;

/** The code that talks to the worker, which the form does not need. */
export const loadMachinery = () => import('../machine/connection.ts');

let connection: Connection | undefined;
let figuresTimer: ReturnType<typeof setInterval> | undefined;

export const useSession = create<SessionState>((set, get) => {
  const end = () => {
    clearInterval(figuresTimer);
    connection?.end();
    connection = undefined;
    void useLibrary.getState().refresh();
  };

  const onEvent = (event: SessionEvent) => {
    const now = performance.now();
    set(({ progress }) => ({ progress: advance(progress, event, now) }));
    switch (event.type) {
      case 'image-ready':
        performance.mark('linuxrun:pulled');
        break;
      case 'booted':
        performance.mark('linuxrun:booted');
        break;
      case 'started':
        performance.mark('linuxrun:started');
        set({ phase: 'running' });
        figuresTimer = setInterval(watchSpeed(set), FIGURES_INTERVAL);
        break;
      case 'message':
        set(({ messages }) => ({ messages: [...messages, ...event.text.trimEnd().split('\n')] }));
        break;
      case 'exit':
        performance.mark('linuxrun:exit');
        set(({ progress }) => ({
          phase: 'ended',
          status: event.status,
          progress: finishProgress(progress, now),
        }));
        end();
        break;
      case 'failed':
        set({ phase: 'failed', problem: explain(event.failure) });
        end();
    }
  };

  const show = async (port: TerminalPort, bytes: Uint8Array) => {
    await port.show(bytes);
    if (get().hasOutput) return;
    performance.mark('linuxrun:first-output');
    set(({ progress }) => ({
      hasOutput: true,
      progress: finishProgress(progress, performance.now()),
    }));
  };

  return {
    ...NONE,

    start: async (run) => {
      performance.mark('linuxrun:click');
      const port: TerminalPort = new TerminalPort({
        write: (bytes) => void connection?.session.write(bytes),
        resize: (size) => void connection?.session.resize(size),
      });
      set({
        ...NONE,
        phase: 'preparing',
        run,
        progress: beginProgress(performance.now()),
        terminals: [{ id: 1, title: '', hasBell: false, port }],
      });
      const { Connection } = await loadMachinery();
      // It may have been cancelled meanwhile.
      if (get().run !== run || get().phase !== 'preparing') return;
      connection = new Connection(
        { ...run.wish, origin: originOf(run), size: DEFAULT_SIZE },
        onEvent,
        (bytes) => show(port, bytes),
      );
    },

    cancel: async () => {
      const cancelled = connection;
      connection = undefined;
      set(NONE);
      await cancelled?.cancel();
      void useLibrary.getState().refresh();
    },

    stop: () => {
      set({ phase: 'stopping' });
      void connection?.session.stop();
    },

    kill: () => void connection?.session.kill(),

    restart: async () => {
      const { run } = get();
      end();
      if (run) await get().start(run);
    },

    leave: async () => {
      if (get().phase === 'preparing') return get().cancel();
      end();
      set(NONE);
    },

    activate: (activeTerminal) =>
      set(({ terminals }) => ({
        activeTerminal,
        terminals: terminals.map((tab) => (tab.id === activeTerminal ? { ...tab, hasBell: false } : tab)),
      })),
    rename: (id, title) =>
      set(({ terminals }) => ({
        terminals: terminals.map((tab) => (tab.id === id ? { ...tab, title } : tab)),
      })),
    ring: (id) =>
      set(({ terminals, activeTerminal }) => ({
        terminals: terminals.map((tab) =>
          tab.id === id && id !== activeTerminal ? { ...tab, hasBell: true } : tab,
        ),
      })),
  };
});

function originOf({ wish, local, credentials }: Run) {
  if (!local || wish.reference.scheme === 'docker') return { kind: 'reference', credentials } as const;
  return { kind: 'local', local, image: wish.reference.image } as const;
}

/** @returns what measures the machine's speed between one call and the next */
function watchSpeed(set: (state: Partial<SessionState>) => void): () => Promise<void> {
  let before = { instructions: 0, seconds: 0 };
  return async () => {
    const now = await connection?.session.figures();
    if (!now || now.seconds <= before.seconds) return;
    set({ mips: (now.instructions - before.instructions) / (now.seconds - before.seconds) / 1e6 });
    before = now;
  };
}

import { create } from 'zustand';
import type { Credentials } from '../../api/public.ts';
import { messageOf } from '../../text/message.ts';
import type { KeptRequest, LocalImage, ProjectFiles, SessionEvent } from '../machine/messages.ts';
import { TerminalPort } from '../machine/terminal-port.ts';
import type { Wish } from '../model/check.ts';
import type { ChosenFolder } from '../model/folders.ts';
import type { Form } from '../model/form.ts';
import { readLink, splitVariable } from '../model/link.ts';
import { explain, explainEnd, type Problem } from '../model/problem.ts';
import { advance, beginProgress, type Progress } from '../model/progress.ts';
import type { Reading } from '../model/reading.ts';
import { advanceTraffic, type Traffic } from '../model/traffic.ts';
import { current, loadedMachinery, loadMachinery } from './connection.ts';
import { useEditor } from './editor.ts';
import { useFiles } from './files.ts';
import { useJobs } from './jobs.ts';
import { useKeeping } from './keeping.ts';
import { useKept } from './kept.ts';
import { useLibrary } from './library.ts';
import { Meter } from './meter.ts';
import { usePreviews } from './previews.ts';
import { useRecent } from './recent.ts';
import { useSearch } from './search.ts';
import { showProject } from './show-project.ts';
import { StartEvents } from './start-events.ts';
import { useTerminals } from './terminals.ts';
import { restoreView, shownView } from './view.ts';

/** Workers that a start may get in place of silent ones. */
const REPLACEMENTS = 2;
/** One for each second of the time that the monitor shows. */
const MOST_READINGS = 120;
const SILENCE = 'a worker of this page did not answer';

/** What a session runs, with everything that a restart needs. */
export interface Run {
  readonly wish: Wish;
  /** The kept container that goes on. Undefined for a new one. */
  readonly kept?: KeptRequest | undefined;
  /** What a new container has of its project. */
  readonly project?: ProjectFiles | undefined;
  readonly local: LocalImage | undefined;
  readonly credentials: Credentials | undefined;
  readonly relay: string;
  readonly wantsNewest: boolean;
  /** What a new container shares. */
  readonly folders: readonly ChosenFolder[];
  /** The query of a link to this run. */
  readonly link: string;
  /** Where its project comes from, if that has an address. */
  readonly projectAddress?: string | undefined;
  /** The part of the origins of its previews that no other site can guess. Restarts keep it. */
  readonly previewId: string;
}

export type Phase = 'none' | 'preparing' | 'running' | 'suspending' | 'stopping' | 'ended' | 'failed';

interface SessionState {
  readonly phase: Phase;
  readonly run: Run | undefined;
  readonly progress: Progress;
  /** Lines of the guest's agent. */
  readonly messages: string;
  /** The exit status of the container, once it has ended. */
  readonly status: number | undefined;
  readonly problem: Problem | undefined;
  /** The memory that the machine has in place of that of the wish, because the browser refuses so much. */
  readonly lessMemory: number | undefined;
  /** The latest figures of the machine while it runs. */
  readonly reading: Reading | undefined;
  /** The readings of the last two minutes, the latest at the end. */
  readonly readings: readonly Reading[];
  readonly traffic: Traffic | undefined;
  /** What its image is for, such as `linux/arm64`, once that is known. */
  readonly platform: string | undefined;
  /** Whether the terminal has any output. */
  readonly hasOutput: boolean;
  /** Whether the session's worker, which runs, does not answer. */
  readonly isSilent: boolean;
  /** The workers of this start that were given up because they were silent. */
  readonly replaced: number;

  /** @param before the end of the machine that has the kept container until then */
  start(run: Run, before?: Promise<void>): Promise<void>;
  /** Asks the container to end. */
  stop(): void;
  kill(): void;
  /** Starts it again. @param resumes whether the programs of a kept container go on where they were saved */
  restart(resumes: boolean): Promise<void>;
  /** Saves a kept container as it is, and ends its machine. @returns whether that worked */
  suspend(): Promise<boolean>;
  /** Ends the session or its start, and goes back to the form. */
  leave(): Promise<void>;
}

const NOTHING = {
  phase: 'none',
  run: undefined,
  progress: beginProgress(0),
  messages: '',
  status: undefined,
  problem: undefined,
  lessMemory: undefined,
  reading: undefined,
  readings: [],
  traffic: undefined,
  platform: undefined,
  hasOutput: false,
  isSilent: false,
  replaced: 0,
} as const satisfies Partial<SessionState>;

export const useSession = create<SessionState>((set, get) => {
  const meter = new Meter(
    async () => current.connection?.session.figures(),
    (reading) => set(({ readings }) => ({ reading, readings: [...readings, reading].slice(-MOST_READINGS) })),
  );

  /** Returns the connection, whose further events are ignored. */
  const detach = () => {
    const { connection } = current;
    meter.stop();
    usePreviews.getState().reset();
    current.connection = undefined;
    return connection;
  };

  const end = () => {
    detach()?.end();
    refreshLists();
  };

  const onEvent = (event: SessionEvent, now: number) => {
    set(({ progress }) => ({ progress: advance(progress, event, now) }));
    switch (event.type) {
      case 'image-ready':
        void useLibrary.getState().refresh();
        break;
      case 'less-memory':
        set({ lessMemory: event.bytes });
        break;
      case 'started':
        showProject(get().run?.project);
        set(({ run }) => ({ phase: 'running', run: run && begun(run) }));
        useKeeping.getState().started();
        rememberRun(get().run);
        meter.start(get().run?.wish.cpus ?? 1);
        break;
      case 'platform':
        set({ platform: event.platform });
        break;
      case 'resumed':
        restoreView(event.view);
        set(({ run }) => ({ hasOutput: true, run: run && { ...run, previewId: event.view.previews.id } }));
        break;
      case 'cut-off':
        useKeeping.getState().noteCutOff(event);
        break;
      case 'disk':
        useKeeping.getState().noteDisk(event.problem);
        break;
      case 'saved':
        useKeeping.getState().saved(event.problem?.message);
        break;
      case 'port':
        onPort(event);
        break;
      case 'message':
        set(({ messages }) => ({ messages: messages + event.text }));
        break;
      case 'network':
        set(({ traffic }) => ({ traffic: advanceTraffic(traffic, event.status, now) }));
        break;
      case 'silent':
        onSilence();
        break;
      case 'answering':
        set({ isSilent: false });
        break;
      case 'exit':
        set(({ messages }) => ending(event.status, messages));
        end();
        break;
      case 'failed':
        set({ phase: 'failed', problem: explain(event.failure, get().run?.kept?.file !== undefined) });
        end();
    }
  };

  /** Gives a start another worker. A container that runs is not ended for that. */
  const onSilence = () => {
    const { phase, run, replaced } = get();
    if (phase !== 'preparing' || !run) return set({ isSilent: true });
    if (replaced === REPLACEMENTS)
      return onEvent(
        { type: 'failed', failure: { name: 'SilenceError', message: SILENCE } },
        performance.now(),
      );
    end();
    void begin(run, replaced + 1);
  };

  const onPort = ({ port, open }: Extract<SessionEvent, { type: 'port' }>) => {
    const { run } = get();
    usePreviews.getState().note({ port, open });
    if (run && open && run.wish.ports.some(({ container }) => container === port))
      usePreviews.getState().open(port, run.previewId);
  };

  const onShown = () => {
    if (get().hasOutput) return;
    performance.mark('linuxrun:first-output');
    set({ hasOutput: true });
  };

  /** @param replaced the workers that have been silent before */
  const begin = async (run: Run, replaced = 0, before?: Promise<void>) => {
    const port = new TerminalPort();
    useTerminals.getState().begin(port);
    useFiles.getState().reset();
    useSearch.getState().reset();
    useEditor.getState().reset();
    useJobs.getState().reset();
    useKeeping.getState().begin(run.kept?.name);
    const progress = beginProgress(performance.now(), replaced > 0 ? SILENCE : undefined);
    set({ ...NOTHING, phase: 'preparing', run, replaced, progress });
    if (before) await before;
    const machinery =
      loadedMachinery() ?? (await loadMachinery().catch((error: unknown) => messageOf(error)));
    // The user may have cancelled the run in the meantime.
    if (get().run !== run) return;
    if (typeof machinery === 'string') {
      const failure = { name: 'PageError', message: machinery };
      return onEvent({ type: 'failed', failure }, performance.now());
    }
    const { Connection } = machinery;
    // Events of a connection that was left are ignored.
    const events = new StartEvents((event, at) => current.connection === connection && onEvent(event, at));
    const connection = new Connection(
      {
        ...run.wish,
        kept: run.kept,
        project: run.project,
        wantsNewest: run.wantsNewest,
        relay: run.relay,
        folders: run.folders,
        origin: originOf(run),
      },
      (event) => {
        if (current.connection === connection) mark(event);
        events.add(event);
      },
      async (bytes) => {
        await port.show(bytes);
        if (current.connection === connection) onShown();
        events.flush();
      },
      () => shownView(get().run?.previewId ?? ''),
    );
    current.connection = connection;
    port.connect(connection.session);
  };

  return {
    ...NOTHING,

    start: (run, before) => {
      performance.mark('linuxrun:click');
      return begin(run, 0, before);
    },

    stop: () => {
      set({ phase: 'stopping' });
      void current.connection?.session.stop();
    },

    kill: () => void current.connection?.session.kill(),

    restart: async (resumes) => {
      const { run, phase, start } = get();
      const { keeping, name } = useKeeping.getState();
      if (!run) return;
      const isKept = keeping === 'kept' && name !== undefined;
      const kept = isKept ? { ...run.kept, name, resumes } : undefined;
      // The new terminal is there at once, while the files of the old machine go to the store.
      let ended: Promise<void> | undefined;
      if (kept && (phase === 'running' || phase === 'stopping')) ended = detach()?.kill();
      else end();
      await start({ ...run, kept }, ended);
    },

    suspend: async () => {
      const { connection } = current;
      const { run, phase } = get();
      if (!connection || !run || phase !== 'running') return false;
      set({ phase: 'suspending' });
      try {
        await connection.session.suspend(shownView(run.previewId));
        return true;
      } catch (error) {
        if (get().phase === 'suspending') set({ phase: 'running' });
        useKeeping.getState().saved(messageOf(error));
        return false;
      }
    },

    leave: async () => {
      const isPreparing = get().phase === 'preparing';
      // The next run may begin before this one has ended.
      const connection = detach();
      set(NOTHING);
      useEditor.getState().reset();
      if (isPreparing) await connection?.cancel();
      else connection?.end();
      refreshLists();
    },
  };
});

function refreshLists(): void {
  void useLibrary.getState().refresh();
  void useKept.getState().refresh();
}

/** Returns the state after the end of a container. The card of a problem replaces the agent's lines. */
function ending(status: number, messages: string): Partial<SessionState> {
  const problem = explainEnd(status, messages);
  return problem ? { phase: 'failed', status, problem, messages: '' } : { phase: 'ended', status };
}

/** Sets performance marks for benchmarks. */
function mark({ type }: SessionEvent): void {
  const names: Partial<Record<SessionEvent['type'], string>> = {
    resolved: 'resolved',
    'image-ready': 'pulled',
    booted: 'booted',
    started: 'started',
    exit: 'exit',
  };
  const name = names[type];
  if (name) performance.mark(`linuxrun:${name}`);
}

/** A kept container has a list of its own. */
function rememberRun(run: Run | undefined): void {
  if (run && !run.kept) useRecent.getState().remember(run.link);
}

/** The form of a run, with the values of variables, which its link lacks. */
export function formOf({ link, wish }: Run): Form {
  return { ...readLink(link).form, env: wish.env.map(splitVariable) };
}

/** Its file, or its project, has become a kept container. */
function begun(run: Run): Run {
  const { kept } = run;
  return kept ? { ...run, kept: { name: kept.name, resumes: kept.resumes }, project: undefined } : run;
}

function originOf({ wish, local, credentials }: Run) {
  if (!local || wish.reference.scheme === 'docker') return { kind: 'reference', credentials } as const;
  return { kind: 'local', local, image: wish.reference.image } as const;
}

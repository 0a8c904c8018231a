import { proxy, type Remote } from 'comlink';
import { create } from 'zustand';
import { messageOf } from '../../text/message.ts';
import type { ContainerFiles, FileText } from '../machine/container-files.ts';
import type { SavedView } from '../model/saved-view.ts';
import { type Draft, isSaved, type LineEnding, lineEndingOf, toDraft, toText } from '../model/text-file.ts';
import { join, parentOf } from '../model/tree.ts';
import { current } from './connection.ts';
import { newJob } from './jobs.ts';
import { useKeeping } from './keeping.ts';

/** A place in a file. The line counts from 1, the column from 0. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** A file in the editor. */
export interface OpenFile {
  readonly path: string;
  readonly state: 'loading' | 'ready' | 'refused';
  /** Why it cannot be edited, or was not saved. */
  readonly problem: string;
  /** Its text in the container when it was read or saved last; null if there is none. */
  readonly base: string | null;
  readonly ending: LineEnding;
  /** What the editor shows. */
  readonly draft: Draft;
  readonly isDirty: boolean;
  /** What the container has now, if that is neither the base nor the draft; null if the file is gone. */
  readonly theirs: string | null | undefined;
  /** Counts the drafts that did not come from the editor itself. */
  readonly load: number;
  /** The user's latest wish to be there. The editor takes the focus. */
  readonly visit: { readonly place: Place | undefined } | undefined;
}

interface EditorState {
  /** In the order of their tabs. */
  readonly files: readonly OpenFile[];
  /** The path of the visible one. */
  readonly active: string | undefined;
  /** Whether the editor covers the other panes of a narrow screen. */
  readonly isInFront: boolean;
  readonly isWrapped: boolean;
  /** The file with unsaved text that is about to be closed. */
  readonly closing: string | undefined;
  /** The file that is compared with the container's. */
  readonly comparing: string | undefined;

  /** Opens a file, or shows it. */
  open(path: string, place?: Place): Promise<void>;
  activate(path: string): void;
  setInFront(isInFront: boolean): void;
  setWrapped(isWrapped: boolean): void;
  /** Takes what the user has made of it. */
  edit(path: string, draft: Draft): void;
  /** Writes it into the container. @returns whether that worked */
  save(path: string): Promise<boolean>;
  /** Closes a file; asks first if it has unsaved text. */
  close(path: string): void;
  discard(path: string): void;
  cancelClosing(): void;
  /** Ends a conflict: the next save replaces what the container has. */
  keepMine(path: string): void;
  takeTheirs(path: string): void;
  compare(path: string | undefined): void;
  /** Follows a file or a folder that has another path now. */
  moved(path: string, newPath: string): void;
  /** Closes what was removed, unless it has unsaved text. */
  removed(path: string): void;
  restore(saved: SavedView['editor']): void;
  /** Forgets everything: another container starts. */
  reset(): void;
}

/** The time in which a program replaces a file in several steps, in ms. */
const SETTLING = 100;

const REFUSALS = {
  binary: 'This file is no text, so the editor does not open it. It can be downloaded.',
  large: 'This file is larger than 2 MB, so the editor does not open it. It can be downloaded.',
  missing: 'This file is gone.',
};

const NOTHING = {
  files: [],
  active: undefined,
  isInFront: false,
  isWrapped: false,
  closing: undefined,
  comparing: undefined,
} satisfies Partial<EditorState>;

export const useEditor = create<EditorState>((set, get) => {
  /** The jobs that watch the folders of open files. */
  const watches = new Map<string, number>();
  /** The saves that are on their way. */
  const saves = new Map<string, Promise<boolean>>();
  const find = (path: string) => get().files.find((file) => file.path === path);
  const change = (path: string, changes: Partial<OpenFile>) =>
    set(({ files }) => ({
      files: files.map((file) => (file.path === path ? { ...file, ...changes } : file)),
    }));
  const textOf = (read: FileText) => (read.kind === 'text' ? read.text : null);

  /** Takes the container's text, which has nothing unsaved against it. */
  const load = (path: string, text: string) => {
    const ending = lineEndingOf(text);
    const file = find(path);
    change(path, {
      ...{ state: 'ready', problem: '', base: text, ending, draft: toDraft(text, ending) },
      ...{ isDirty: false, theirs: undefined, load: (file?.load ?? 0) + 1 },
    });
  };

  /** Takes what the container has now. */
  const meet = (path: string, read: FileText) => {
    const file = find(path);
    if (!file) return;
    const text = textOf(read);
    if (file.state !== 'ready') {
      if (text !== null) return load(path, text);
      return change(path, { state: 'refused', problem: REFUSALS[read.kind as keyof typeof REFUSALS] });
    }
    if (text === file.base) return change(path, { theirs: undefined });
    // Both sides may have made the same change.
    if (isSaved(file.draft, text, file.ending))
      return change(path, { base: text, isDirty: false, theirs: undefined });
    if (!file.isDirty && text !== null) return load(path, text);
    // The text of a clean file that is gone is all that is left of it.
    change(path, file.isDirty ? { theirs: text } : { base: null, isDirty: true });
  };

  const check = async (path: string): Promise<void> => {
    const { connection } = current;
    if (!connection || !find(path)) return;
    try {
      await saves.get(path);
      const before = find(path)?.base;
      const read = await connection.session.files.readText(path);
      if (current.connection !== connection) return;
      // A save has come in between, and what was read may be older.
      if (saves.has(path) || find(path)?.base !== before) return check(path);
      meet(path, read);
    } catch (error) {
      if (find(path)?.state === 'loading') change(path, { state: 'refused', problem: messageOf(error) });
    }
  };

  const watch = (folder: string) => {
    const { connection } = current;
    if (!connection || watches.has(folder)) return;
    const job = newJob();
    watches.set(folder, job);
    const changed = new Set<string>();
    const onChange = (name: string) => {
      const path = join(folder, name);
      if (!find(path) || changed.has(path)) return;
      changed.add(path);
      setTimeout(() => {
        changed.delete(path);
        void check(path);
      }, SETTLING);
    };
    // Without a watch, a save still finds changes.
    void connection.session.files
      .watch(job, folder, proxy(onChange))
      .catch(() => {})
      .then(() => watches.get(folder) === job && watches.delete(folder));
  };
  const unwatch = () => {
    const folders = new Set(get().files.map(({ path }) => parentOf(path)));
    for (const [folder, job] of watches)
      if (!folders.has(folder)) {
        watches.delete(folder);
        void current.connection?.session.files.cancel(job);
      }
  };

  const add = (path: string) => {
    const file: OpenFile = {
      ...{ path, state: 'loading', problem: '', base: null, ending: '\n', draft: '', isDirty: false },
      ...{ theirs: undefined, load: 0, visit: undefined },
    };
    set(({ files }) => ({ files: [...files, file] }));
  };

  const write = async (path: string): Promise<boolean> => {
    const file = find(path);
    if (file?.state !== 'ready') return false;
    const { draft, base, ending } = file;
    const text = toText(draft, ending);
    try {
      useKeeping.getState().touch();
      const present = await containerFiles().writeText(path, text, base);
      if (present) meet(path, present);
      else {
        // The user may have typed meanwhile.
        const latest = find(path)?.draft ?? draft;
        const isDirty = !isSaved(latest, text, ending);
        change(path, { base: text, isDirty, theirs: undefined, problem: '' });
      }
      return !present;
    } catch (error) {
      change(path, { problem: `This file is not saved: ${messageOf(error)}. Its text is still here.` });
      return false;
    }
  };

  return {
    ...NOTHING,
    open: async (path, place) => {
      if (!find(path)) add(path);
      set({ active: path, isInFront: true });
      change(path, { visit: { place } });
      watch(parentOf(path));
      await check(path);
    },
    activate: (active) => {
      set({ active });
      watch(parentOf(active));
      void check(active);
    },
    setInFront: (isInFront) => set({ isInFront }),
    setWrapped: (isWrapped) => set({ isWrapped }),
    edit: (path, draft) => {
      const file = find(path);
      if (!file) return;
      const isDirty = !isSaved(draft, file.base, file.ending);
      // Unsaved text is kept with the session.
      if (isDirty) useKeeping.getState().touch();
      change(path, { draft, isDirty, problem: '' });
    },
    save: async (path) => {
      await saves.get(path);
      const saving = write(path);
      saves.set(path, saving);
      return saving.finally(() => saves.get(path) === saving && saves.delete(path));
    },
    close: (path) => {
      if (find(path)?.isDirty) set({ closing: path });
      else get().discard(path);
    },
    discard: (path) => {
      set(({ files, active, isInFront }) => {
        const at = files.findIndex((file) => file.path === path);
        const left = files.filter((file) => file.path !== path);
        const next = active === path ? (left[at] ?? left.at(-1))?.path : active;
        return { files: left, active: next, closing: undefined, isInFront: isInFront && left.length > 0 };
      });
      unwatch();
    },
    cancelClosing: () => set({ closing: undefined }),
    keepMine: (path) => {
      const { theirs } = find(path) ?? {};
      if (theirs !== undefined) change(path, { base: theirs, theirs: undefined, problem: '' });
    },
    takeTheirs: (path) => {
      const { theirs } = find(path) ?? {};
      if (theirs === null) get().discard(path);
      else if (theirs !== undefined) load(path, theirs);
    },
    compare: (comparing) => set({ comparing }),
    moved: (path, newPath) => {
      const follow = (old: string) => (isBelow(old, path) ? newPath + old.slice(path.length) : old);
      set(({ files, active }) => ({
        files: files.map((file) => ({ ...file, path: follow(file.path), visit: undefined })),
        active: active && follow(active),
      }));
      unwatch();
      for (const file of get().files) watch(parentOf(file.path));
    },
    removed: (path) => {
      for (const file of get().files) if (!file.isDirty && isBelow(file.path, path)) get().discard(file.path);
    },
    restore: ({ open, active, isInFront, isWrapped }) => {
      set({ isInFront, isWrapped });
      for (const { path, unsaved } of open) {
        if (find(path)) continue;
        add(path);
        if (unsaved) {
          const ending = lineEndingOf(unsaved.text);
          const draft = toDraft(unsaved.text, ending);
          change(path, { state: 'ready', base: unsaved.base, ending, draft, isDirty: true, load: 1 });
        }
        watch(parentOf(path));
        void check(path);
      }
      set(({ files }) => ({ active: (files.find(({ path }) => path === active) ?? files[0])?.path }));
    },
    reset: () => {
      watches.clear();
      set(NOTHING);
    },
  };
});

/** Whether a path is another one, or leads into it. */
function isBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}

/** Whether any file has unsaved text. */
export function hasUnsavedText(): boolean {
  return useEditor.getState().files.some(({ isDirty }) => isDirty);
}

/** Returns what the editor shows, for a save of the session. */
export function shownEditor(): SavedView['editor'] {
  const { files, active, isInFront, isWrapped } = useEditor.getState();
  return {
    open: files
      .filter(({ state }) => state !== 'refused')
      .map(({ path, base, draft, ending, isDirty }) => ({
        path,
        unsaved: isDirty ? { text: toText(draft, ending), base } : null,
      })),
    active: active ?? '',
    isInFront,
    isWrapped,
  };
}

function containerFiles(): Remote<ContainerFiles> {
  if (!current.connection) throw new Error('the container has ended');
  return current.connection.session.files;
}

import type { Remote } from 'comlink';
import { create } from 'zustand';
import { messageOf } from '../../text/message.ts';
import type { ContainerFiles } from '../machine/container-files.ts';
import type { Picked } from '../model/dropped.ts';
import { fileName } from '../model/names.ts';
import type { SavedView } from '../model/saved-view.ts';
import {
  destinationOf,
  type Folder,
  join,
  parentOf,
  ROOT,
  type Row,
  rowAt,
  rowsOf,
  sortEntries,
  wayTo,
} from '../model/tree.ts';
import { current } from './connection.ts';
import { useEditor } from './editor.ts';
import { useJobs } from './jobs.ts';
import { useKeeping } from './keeping.ts';

/** What the panel asks before it acts. */
export type Question =
  | { readonly kind: 'new-folder'; readonly folder: string }
  | { readonly kind: 'new-file'; readonly folder: string }
  | { readonly kind: 'rename'; readonly path: string }
  | {
      readonly kind: 'move';
      readonly path: string;
      /** The folder that was tried, and why it was not possible. */
      readonly failed?: { readonly folder: string; readonly problem: string };
    }
  | { readonly kind: 'delete'; readonly path: string; readonly isFolder: boolean }
  | {
      readonly kind: 'replace';
      /** What is to be uploaded, and where to. */
      readonly picked: readonly Picked[];
      readonly folder: string;
      /** The names that are taken there. */
      readonly taken: readonly string[];
    };

interface FilesState {
  /** Whether the panel is open. */
  readonly isShown: boolean;
  /** The folders that have been listed, by path. */
  readonly folders: ReadonlyMap<string, Folder>;
  readonly expanded: ReadonlySet<string>;
  /** The id of the selected row. */
  readonly selected: string;
  readonly question: Question | undefined;

  /** Forgets everything: the files have ended with their container. */
  reset(): void;
  /** Opens the panel, at first in the container's working directory. */
  show(): Promise<void>;
  hide(): void;
  /** Opens the panel as it was in a saved session. */
  restore(saved: SavedView['files']): void;
  select(id: string): void;
  /** Selects a file, with all folders open on the way to it. */
  reveal(path: string): Promise<void>;
  expand(path: string): Promise<void>;
  collapse(path: string): void;
  /** Lists more of a large folder. */
  showMore(path: string): Promise<void>;
  /** Lists all expanded folders again. */
  refresh(): Promise<void>;
  ask(question: Question | undefined): void;
  /** These reject with the error to show. */
  makeFolder(path: string): Promise<void>;
  /** Makes an empty file, and opens it. */
  makeFile(path: string): Promise<void>;
  /** Moves a file or a folder into another folder. */
  move(path: string, folder: string): Promise<void>;
  /** Moves what was dragged. Tells in a question why it cannot. */
  drop(path: string, folder: string): void;
  rename(path: string, name: string): Promise<void>;
  /** Removes a file, or a folder with its contents. */
  remove(path: string): Promise<void>;
  /** Uploads into a folder; asks before it replaces anything. */
  offer(picked: readonly Picked[], folder: string): Promise<void>;
  upload(picked: readonly Picked[], folder: string): Promise<void>;
}

/** The most files of a folder that are shown at first. */
const FIRST_LIMIT = 1000;

const NOTHING = {
  isShown: false,
  folders: new Map<string, Folder>(),
  expanded: new Set<string>(),
  selected: ROOT,
  question: undefined,
} satisfies Partial<FilesState>;

export const useFiles = create<FilesState>((set, get) => {
  /** Lists a folder. Keeps what is known of it until then. */
  const list = async (path: string, limit = limitOf(get().folders.get(path))) => {
    const { connection } = current;
    if (!connection) return;
    const folder = await connection.session.files.list(path, limit).then(
      ({ entries, hasMore }): Folder => ({ entries: sortEntries(entries), hasMore }),
      (error: unknown): Folder => ({ entries: [], hasMore: false, problem: messageOf(error) }),
    );
    // The container may have ended meanwhile.
    if (current.connection === connection)
      set(({ folders }) => ({ folders: new Map(folders).set(path, folder) }));
  };
  const expand = async (path: string) => {
    set(({ expanded }) => ({ expanded: new Set(expanded).add(path) }));
    await list(path);
  };

  const relocate = async (path: string, newPath: string) => {
    if (newPath === path) return;
    await containerFiles().rename(path, newPath);
    useKeeping.getState().touch();
    useEditor.getState().moved(path, newPath);
    await Promise.all([list(parentOf(path)), expand(parentOf(newPath))]);
    set({ selected: newPath });
  };

  return {
    ...NOTHING,
    reset: () => set(NOTHING),
    show: async () => {
      if (!current.connection) return;
      set({ isShown: true });
      if (get().expanded.size > 0) return get().refresh();
      const start = await containerFiles()
        .currentDir()
        .catch(() => ROOT);
      for (const folder of wayTo(start)) await expand(folder);
      set({ selected: wayTo(start).at(-1) ?? ROOT });
    },
    hide: () => set({ isShown: false }),
    restore: ({ isShown, expanded, selected }) => {
      set({ isShown, expanded: new Set(expanded), selected });
      if (isShown) void get().refresh();
    },
    select: (selected) => set({ selected }),
    reveal: async (path) => {
      for (const folder of wayTo(parentOf(path))) await expand(folder);
      set({ selected: path });
    },
    expand,
    collapse: (path) =>
      set(({ expanded }) => ({ expanded: new Set([...expanded].filter((other) => other !== path)) })),
    showMore: async (path) => list(path, 2 * limitOf(get().folders.get(path))),
    refresh: async () => {
      // One folder may not answer, such as that of a file system in a process.
      await Promise.all([...get().expanded].map((path) => list(path)));
    },
    ask: (question) => set({ question }),
    makeFolder: async (path) => {
      await containerFiles().makeFolder(path, false);
      useKeeping.getState().touch();
      await expand(parentOf(path));
      set({ selected: path });
    },
    makeFile: async (path) => {
      await containerFiles().makeFile(path);
      useKeeping.getState().touch();
      await expand(parentOf(path));
      set({ selected: path });
      await useEditor.getState().open(path);
    },
    rename: (path, name) => relocate(path, join(parentOf(path), name)),
    move: (path, folder) => relocate(path, join(folder, fileName(path))),
    drop: (path, folder) => {
      // Dropped where it was, or on itself.
      if (folder === parentOf(path) || folder === path) return;
      const ask = (error: unknown) => {
        const failed = { folder, problem: messageOf(error) };
        set({ question: { kind: 'move', path, failed } });
      };
      get().move(path, folder).catch(ask);
    },
    remove: async (path) => {
      set({ selected: parentOf(path) });
      useKeeping.getState().touch();
      await useJobs.getState().remove(path);
      if (!(await containerFiles().exists(path))) useEditor.getState().removed(path);
      await list(parentOf(path));
    },
    offer: async (picked, folder) => {
      if (!current.connection) return;
      const taken: string[] = [];
      // The upload tells why a folder cannot be read.
      for (const name of new Set(picked.map(({ path }) => path.split('/', 1).join())))
        if (
          await containerFiles()
            .exists(join(folder, name))
            .catch(() => false)
        )
          taken.push(name);
      if (taken.length > 0) set({ question: { kind: 'replace', picked, folder, taken } });
      else await get().upload(picked, folder);
    },
    upload: async (picked, folder) => {
      useKeeping.getState().touch();
      await useJobs.getState().upload(picked, folder);
      await expand(folder);
    },
  };
});

/** Returns the visible rows. */
export function filesRows({ folders, expanded }: Pick<FilesState, 'folders' | 'expanded'>): Row[] {
  return rowsOf(folders, expanded);
}

/** Returns the folder that uploads go to: the selected one, or that of the selected file. */
export function destination(): string {
  const files = useFiles.getState();
  return destinationOf(rowAt(filesRows(files), files.selected));
}

function limitOf(folder: Folder | undefined): number {
  return Math.max(FIRST_LIMIT, folder?.entries.length ?? 0);
}

function containerFiles(): Remote<ContainerFiles> {
  if (!current.connection) throw new Error('the container has ended');
  return current.connection.session.files;
}

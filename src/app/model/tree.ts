/** The tree of a container's files, as far as it is known. Paths are absolute. */
import type { FolderEntry } from '../../api/public.ts';

/** What is known of a folder. */
export interface Folder {
  /** In the order in which they are shown. */
  readonly entries: readonly FolderEntry[];
  /** Whether it has more files than these. */
  readonly hasMore: boolean;
  /** Why it cannot be listed. */
  readonly problem?: string | undefined;
}

interface Place {
  /** Unique among the rows. */
  readonly id: string;
  /** 1 for the root. */
  readonly level: number;
  /** The number among its siblings, from 1 on, and their number. */
  readonly position: number;
  readonly siblings: number;
}

/** A file or a folder. */
export interface FileRow extends Place {
  readonly kind: 'file';
  readonly path: string;
  /** Undefined for the root. */
  readonly entry: FolderEntry | undefined;
  /** Undefined unless the entry is a folder. */
  readonly isExpanded: boolean | undefined;
}

/** What there is to say about a folder instead of its files, or after them. */
export interface NoteRow extends Place {
  readonly kind: 'loading' | 'empty' | 'problem' | 'more';
  /** The folder's path. */
  readonly path: string;
  readonly text: string;
}

export type Row = FileRow | NoteRow;

export const ROOT = '/';

const order = new Intl.Collator(undefined, { numeric: true });

/** Folders come first, and links to folders are folders. */
export function sortEntries(entries: readonly FolderEntry[]): FolderEntry[] {
  return [...entries].sort(
    (a, b) => Number(isFolder(b)) - Number(isFolder(a)) || order.compare(a.name, b.name),
  );
}

export function isFolder({ type, target }: FolderEntry): boolean {
  return (target?.type ?? type) === 'directory';
}

export function join(folder: string, name: string): string {
  return folder === ROOT ? `/${name}` : `${folder}/${name}`;
}

/** Returns the folder of a file. The root is its own. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || ROOT;
}

/** Returns the folders on the way to a path, from the root on, and the path itself. */
export function wayTo(path: string): string[] {
  const way = [ROOT];
  for (const name of path.split('/')) {
    if (name === '..') way.splice(Math.max(1, way.length - 1));
    else if (name !== '' && name !== '.') way.push(join(way.at(-1) ?? ROOT, name));
  }
  return way;
}

/** Returns the visible rows. */
export function rowsOf(folders: ReadonlyMap<string, Folder>, expanded: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const add = (path: string, entry: FolderEntry | undefined, place: Omit<Place, 'id'>) => {
    const isExpanded = !entry || isFolder(entry) ? expanded.has(path) : undefined;
    rows.push({ kind: 'file', id: path, path, entry, isExpanded, ...place });
    if (isExpanded) addInside(path, place.level + 1);
  };
  const addInside = (path: string, level: number) => {
    const folder = folders.get(path);
    const note = noteOf(folder);
    const siblings = (folder?.entries.length ?? 0) + (note ? 1 : 0);
    folder?.entries.forEach((entry, index) => {
      add(join(path, entry.name), entry, { level, position: index + 1, siblings });
    });
    // No name contains NUL.
    if (note) rows.push({ ...note, id: `${path}\0`, path, level, position: siblings, siblings });
  };
  add(ROOT, undefined, { level: 1, position: 1, siblings: 1 });
  return rows;
}

function noteOf(folder: Folder | undefined): Pick<NoteRow, 'kind' | 'text'> | undefined {
  if (!folder) return { kind: 'loading', text: 'Loading' };
  const { entries, hasMore, problem } = folder;
  if (problem) return { kind: 'problem', text: problem };
  if (hasMore) return { kind: 'more', text: `Show more than these ${entries.length} files` };
  return entries.length === 0 ? { kind: 'empty', text: 'Empty' } : undefined;
}

/** Returns the selected row; if it is gone, that of the nearest folder on the way to it. */
export function rowAt(rows: readonly Row[], id: string): Row {
  const byId = new Map(rows.map((row) => [row.id, row]));
  // The row of a note has an id of its own.
  for (let at = id.split('\0', 1).join(); at !== ROOT; at = parentOf(at)) {
    const row = byId.get(id) ?? byId.get(at);
    if (row) return row;
  }
  return byId.get(id) ?? (rows[0] as Row);
}

/** Returns the folder that new files go to when a row is selected. */
export function destinationOf(row: Row): string {
  return row.kind === 'file' && row.isExpanded === undefined ? parentOf(row.path) : row.path;
}

/** Returns why a file cannot have this name, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'A name is needed';
  if (name === '.' || name === '..') return 'This name has another meaning';
  if (/[/\0]/.test(name)) return 'A name cannot contain a slash';
  return undefined;
}

/** @returns permissions such as `rwxr-x--x`, as `ls` shows them */
export function formatMode(mode: number): string {
  const special = [0o4000, 0o2000, 0o1000].map((bit) => (mode & bit) !== 0);
  return [6, 3, 0]
    .map((shift, index) => {
      const bits = (mode >> shift) & 7;
      const letters = index === 2 ? 'tT' : 'sS';
      const last = special[index] ? letters[bits & 1 ? 0 : 1] : bits & 1 ? 'x' : '-';
      return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
    })
    .join('');
}

/** Returns a name that every system can store, with the right extension. */
export function savedName(shown: string): string {
  return shown.replace(/[\\/:*?"<>|]/g, '_') || '_';
}

/**
 * A folder that a container shares with its host. Names and targets of links are byte text
 * (`src/text/byte-text.ts`), so every name of Linux has one.
 *
 * Operations may overlap in time and finish in any order. One that fails rejects with an error whose `code`
 * is Linux's name, such as `ENOENT`; anything else is EIO to the container.
 */
export interface SharedFolder {
  /** Whether `attributes` can be used. A folder without them answers ENOTSUP. */
  readonly attributes?: ExtendedAttributes | undefined;
  /** The status of the file itself: no link is followed. */
  status(way: Way): Promise<FileStatus>;
  /** The files in a folder, in any order, without `.` and `..`. */
  list(way: Way): Promise<readonly FolderEntry[]>;
  /** Opens a regular file, and nothing else. */
  open(way: Way, access: Access): Promise<OpenFile>;
  /** Makes a regular file and opens it for reading and writing. @throws EEXIST */
  create(way: Way, mode: number, owner: Owner): Promise<OpenFile>;
  /** Makes a folder, a file, or what else the type in `mode` says. @throws EEXIST */
  make(way: Way, mode: number, owner: Owner): Promise<void>;
  /** Makes a symbolic link. @throws EEXIST */
  makeLink(way: Way, target: string, owner: Owner): Promise<void>;
  /** Reads where a symbolic link leads. */
  readLink(way: Way): Promise<string>;
  /** Gives a file a further name. @throws EEXIST */
  link(way: Way, newWay: Way): Promise<void>;
  /** Removes a name of anything but a folder. Files that are open stay usable. */
  remove(way: Way): Promise<void>;
  /** Removes an empty folder. */
  removeFolder(way: Way): Promise<void>;
  /** Renames or moves a file or a folder. */
  rename(way: Way, newWay: Way, rule: RenameRule): Promise<void>;
  /** Changes the file itself: no link is followed. */
  change(way: Way, changes: Changes): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(way: Way): Promise<void>;
  /** Measures its room. */
  capacity(): Promise<Capacity>;
  /** Releases what it holds. No operation is in progress, and none follows. */
  close(): Promise<void>;
}

/** A regular file, which stays usable when its names change or go. */
export interface OpenFile {
  /** Its status now. */
  status(): Promise<FileStatus>;
  /** Fills the buffers, one after the other; returns the number of bytes, which is less only at the end. */
  read(position: number, into: readonly Uint8Array[]): Promise<number>;
  /** Writes all of it. */
  write(position: number, from: readonly Uint8Array[]): Promise<void>;
  /** Changes its status or its size. */
  change(changes: Changes): Promise<void>;
  /** Makes its content durable, and its status unless only the content is asked for. */
  sync(contentOnly: boolean): Promise<void>;
  /** Ends its use. */
  close(): Promise<void>;
}

/** Extended attributes of files. Values are bytes, names byte text. */
export interface ExtendedAttributes {
  /** Reads a value. @throws ENODATA */
  get(way: Way, name: string): Promise<Uint8Array>;
  /** Sets a value. @throws EEXIST, ENODATA by the rule */
  set(way: Way, name: string, value: Uint8Array, rule: 'any' | 'create' | 'replace'): Promise<void>;
  /** Lists the names. */
  list(way: Way): Promise<readonly string[]>;
  /** Removes a value. @throws ENODATA */
  remove(way: Way, name: string): Promise<void>;
}

/**
 * The names from the root of the folder to a file; none for the root itself. No name is empty, `.` or `..`,
 * has more than 255 bytes, or contains `/` or NUL.
 */
export type Way = readonly string[];

/** For each way of opening a file. */
export interface Access {
  /** Whether its content is read. */
  readonly read: boolean;
  /** Whether its content is written. */
  readonly write: boolean;
  /** Makes the file empty. */
  readonly truncate: boolean;
}

/** The owner of a file, in numbers of Linux. */
export interface Owner {
  /** The user. */
  readonly user: number;
  /** The group. */
  readonly group: number;
}

/** What has the new name is replaced, or must not exist, or gets the old name. */
export type RenameRule = 'replace' | 'keep' | 'exchange';

/** The status of a file. */
export interface FileStatus extends Owner {
  /** Type and permissions, as Linux's st_mode. */
  readonly mode: number;
  /** In bytes. */
  readonly size: number;
  /** The number of its names. */
  readonly links: number;
  /** When it was last read, in nanoseconds since 1970. */
  readonly accessed: bigint;
  /** When its content last changed. */
  readonly modified: bigint;
  /** When its content or its status last changed. */
  readonly changed: bigint;
  /** Which no other file of the folder has at the same time; 0 if the folder knows none. */
  readonly inode: bigint;
  /** Bytes that its content takes. */
  readonly allocated: number;
}

/** What of a file changes; what is missing stays as it is. */
export interface Changes {
  /** Permissions. */
  readonly mode?: number | undefined;
  /** The user that it belongs to. */
  readonly user?: number | undefined;
  /** The group that it belongs to. */
  readonly group?: number | undefined;
  /** In bytes; what is added is zeros. */
  readonly size?: number | undefined;
  /** When it was last read, in nanoseconds since 1970. */
  readonly accessed?: bigint | undefined;
  /** When its content last changed, in nanoseconds since 1970. */
  readonly modified?: bigint | undefined;
}

/** A file in a folder. */
export interface FolderEntry {
  /** Its name. */
  readonly name: string;
  /** The type, as in Linux's st_mode; 0 if it is not known. */
  readonly type: number;
}

/** The room of a folder. */
export interface Capacity {
  /** The unit of the others, in bytes. */
  readonly blockSize: number;
  /** All blocks. */
  readonly blocks: number;
  /** Those that are free. */
  readonly freeBlocks: number;
  /** Those of them that programs may use. */
  readonly availableBlocks: number;
  /** The most files. */
  readonly files: number;
  /** How many of them can still be made. */
  readonly freeFiles: number;
}

/** The types of files in st_mode. */
export const S_IFMT = 0o170000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFBLK = 0o060000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFSOCK = 0o140000;

export function isFolder(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** An operation on a shared folder that failed. */
export class FolderError extends Error {
  override name = 'FolderError';
  /** Linux's name, such as `ENOENT`. */
  readonly code: string;

  /** @param code Linux's name of the error */
  constructor(code: string, message = code) {
    super(message);
    this.code = code;
  }
}

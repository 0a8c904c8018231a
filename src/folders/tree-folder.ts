import { encodeBytes } from '../text/byte-text.ts';
import {
  type Access,
  type Capacity,
  type Changes,
  type ExtendedAttributes,
  type FileStatus,
  type FolderEntry,
  FolderError,
  isFolder,
  type OpenFile,
  type Owner,
  type RenameRule,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type SharedFolder,
  type Way,
} from './shared-folder.ts';

const PERMISSIONS = 0o7777;
const SET_GROUP = 0o2000;
export const BLOCK = 4096;
/** What a file, a name and an attribute count in the limit beside their bytes. */
const FILE_COST = 512;
export const NAME_COST = 512;
const MAX_SIZE = 2 ** 43;
const MAX_ATTRIBUTE = 64 << 10;
const NANOSECONDS_PER_MS = 1_000_000n;

/** Options of a folder in memory. */
export interface MemoryFolderOptions {
  /** The most memory that its content may take, in bytes; by default 256 MiB. */
  readonly limit?: number | undefined;
}

/** The content of a file, which may be sparse. */
export interface Content {
  /** Bytes of the store that it takes. */
  readonly allocated: number;
  /** Fills the buffers, one after the other, with zeros where nothing was written. */
  read(position: number, into: readonly Uint8Array[]): void;
  /** @throws ENOSPC */
  write(position: number, from: readonly Uint8Array[]): void;
  /** Makes bytes zeros that were written. */
  clear(start: number, end: number): void;
  /** Drops what is after a size. */
  cut(size: number): void;
}

/** Counts the memory that a folder takes. */
export class Room {
  readonly limit: number;
  used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** @throws ENOSPC */
  charge(bytes: number): void {
    if (bytes > 0 && this.used + bytes > this.limit) fail('ENOSPC');
    this.used += bytes;
  }
}

/** A file of any type. */
export interface Inode {
  readonly number: number;
  mode: number;
  user: number;
  group: number;
  links: number;
  size: number;
  accessed: bigint;
  modified: bigint;
  changed: bigint;
  readonly content: Content;
  readonly children: Map<string, Inode>;
  readonly attributes: Map<string, Uint8Array>;
  readonly target: string;
  opened: number;
}

/**
 * A folder whose tree of files is in memory, with all that Linux asks of a file system. The content of files
 * is where a subclass puts it.
 */
export abstract class TreeFolder implements SharedFolder {
  protected readonly root: Inode;
  protected readonly room: Room;
  readonly #newContent: () => Content;
  #files = 0;
  /** The number of the next file. */
  protected next = 1;

  constructor(room: Room, newContent: () => Content) {
    this.room = room;
    this.#newContent = newContent;
    this.root = this.addInode({ mode: S_IFDIR | 0o755, user: 0, group: 0 });
    this.root.links = 2;
  }

  /** A file has changed, or is new. */
  protected changedInode(_inode: Inode): void {}

  /** A name leads to another file now, or to none. */
  protected changedName(_parent: Inode, _name: string, _inode: Inode | undefined): void {}

  readonly attributes: ExtendedAttributes = {
    get: async (way, name) => this.#find(way).attributes.get(name) ?? fail('ENODATA'),
    set: async (way, name, value, rule) => {
      const inode = this.#find(way);
      const old = inode.attributes.get(name);
      if (rule === 'create' && old) fail('EEXIST');
      if (rule === 'replace' && !old) fail('ENODATA');
      if (value.length > MAX_ATTRIBUTE) fail('E2BIG');
      this.room.charge(value.length - (old?.length ?? -NAME_COST));
      inode.attributes.set(name, value.slice());
      this.#touch(inode);
    },
    list: async (way) => [...this.#find(way).attributes.keys()],
    remove: async (way, name) => {
      const inode = this.#find(way);
      const old = inode.attributes.get(name) ?? fail('ENODATA');
      this.room.used -= old.length + NAME_COST;
      inode.attributes.delete(name);
      this.#touch(inode);
    },
  };

  async status(way: Way): Promise<FileStatus> {
    return statusOf(this.#find(way));
  }

  async list(way: Way): Promise<readonly FolderEntry[]> {
    const folder = this.#folder(way);
    return Array.from(folder.children, ([name, { mode }]) => ({ name, type: mode & S_IFMT }));
  }

  async open(way: Way, { truncate }: Access): Promise<OpenFile> {
    const inode = this.#find(way);
    if (isFolder(inode.mode)) fail('EISDIR');
    if ((inode.mode & S_IFMT) !== S_IFREG) fail('ENXIO');
    if (truncate) this.#resize(inode, 0);
    return this.#opened(inode);
  }

  async create(way: Way, mode: number, owner: Owner): Promise<OpenFile> {
    return this.#opened(this.#add(way, S_IFREG | (mode & PERMISSIONS), owner));
  }

  async make(way: Way, mode: number, owner: Owner): Promise<void> {
    this.#add(way, mode, owner);
  }

  async makeLink(way: Way, target: string, owner: Owner): Promise<void> {
    this.#add(way, S_IFLNK | 0o777, owner, target);
  }

  async readLink(way: Way): Promise<string> {
    const inode = this.#find(way);
    return (inode.mode & S_IFMT) === S_IFLNK ? inode.target : fail('EINVAL');
  }

  async link(way: Way, newWay: Way): Promise<void> {
    const inode = this.#find(way);
    if (isFolder(inode.mode)) fail('EPERM');
    const [parent, name] = this.#parent(newWay);
    if (parent.children.has(name)) fail('EEXIST');
    this.room.charge(NAME_COST);
    this.#put(parent, name, inode);
    inode.links++;
    this.#touch(inode);
  }

  async remove(way: Way): Promise<void> {
    const [parent, name] = this.#parent(way);
    const inode = parent.children.get(name) ?? fail('ENOENT');
    if (isFolder(inode.mode)) fail('EISDIR');
    this.#take(parent, name);
    this.#unlink(inode);
  }

  async removeFolder(way: Way): Promise<void> {
    const [parent, name] = this.#parent(way);
    const inode = parent.children.get(name) ?? fail('ENOENT');
    if (!isFolder(inode.mode)) fail('ENOTDIR');
    if (inode.children.size > 0) fail('ENOTEMPTY');
    this.#take(parent, name);
    parent.links--;
    inode.links = 1;
    this.#unlink(inode);
  }

  async rename(way: Way, newWay: Way, rule: RenameRule): Promise<void> {
    const [from, oldName] = this.#parent(way);
    const [to, newName] = this.#parent(newWay);
    const inode = from.children.get(oldName) ?? fail('ENOENT');
    const other = to.children.get(newName);
    if (isBelow(newWay, way) || (rule === 'exchange' && isBelow(way, newWay))) fail('EINVAL');
    if (rule === 'keep' && other) fail('EEXIST');
    if (rule === 'exchange') {
      if (!other) fail('ENOENT');
      this.#place(from, oldName, other as Inode, inode);
      this.#place(to, newName, inode, other);
    } else {
      if (other === inode) return;
      if (other) this.#requireReplaceable(inode, other);
      this.#take(from, oldName);
      if (isFolder(inode.mode)) from.links--;
      this.#place(to, newName, inode, other);
      if (other) {
        if (isFolder(other.mode)) other.links = 1;
        this.#unlink(other);
      }
    }
    this.#touch(inode);
  }

  #requireReplaceable(inode: Inode, other: Inode): void {
    if (isFolder(inode.mode)) {
      if (!isFolder(other.mode)) fail('ENOTDIR');
      if (other.children.size > 0) fail('ENOTEMPTY');
    } else if (isFolder(other.mode)) {
      fail('EISDIR');
    }
  }

  async change(way: Way, changes: Changes): Promise<void> {
    this.#change(this.#find(way), changes);
  }

  abstract syncFolder(): Promise<void>;
  abstract capacity(): Promise<Capacity>;
  abstract close(): Promise<void>;

  /** Makes a file durable. */
  protected abstract sync(): Promise<void>;

  /** The number of files. */
  protected get files(): number {
    return this.#files;
  }

  #change(inode: Inode, { mode, user, group, size, accessed, modified }: Changes): void {
    if (size !== undefined) this.#resize(inode, size);
    if (mode !== undefined) inode.mode = (inode.mode & S_IFMT) | (mode & PERMISSIONS);
    if (user !== undefined) inode.user = user;
    if (group !== undefined) inode.group = group;
    if (accessed !== undefined) inode.accessed = accessed;
    if (modified !== undefined) inode.modified = modified;
    this.#touch(inode);
  }

  #opened(inode: Inode): OpenFile {
    inode.opened++;
    let isOpen = true;
    return {
      status: async () => statusOf(inode),
      read: async (position, into) => {
        inode.accessed = now();
        return read(inode, position, into);
      },
      write: async (position, from) => this.#write(inode, position, from),
      change: async (changes) => this.#change(inode, changes),
      sync: () => this.sync(),
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        inode.opened--;
        this.#release(inode);
      },
    };
  }

  #write(inode: Inode, position: number, from: readonly Uint8Array[]): void {
    const end = from.reduce((sum, { length }) => sum + length, position);
    if (end > MAX_SIZE) fail('EFBIG');
    if (position > inode.size) inode.content.clear(inode.size, position);
    inode.content.write(position, from);
    inode.size = Math.max(inode.size, end);
    this.#touchContent(inode);
  }

  #resize(inode: Inode, size: number): void {
    if (isFolder(inode.mode)) fail('EISDIR');
    if (size > MAX_SIZE) fail('EFBIG');
    if (size < inode.size) inode.content.cut(size);
    else inode.content.clear(inode.size, size);
    inode.size = size;
    this.#touchContent(inode);
  }

  /** Makes a file without a name. */
  protected addInode({ mode, user, group, target = '', number }: NewInode): Inode {
    const time = now();
    this.#files++;
    return {
      number: number ?? this.next++,
      ...{ mode, user, group, links: 1, target, opened: 0 },
      size: encodeBytes(target).length,
      ...{ accessed: time, modified: time, changed: time },
      ...{ content: this.#newContent(), children: new Map(), attributes: new Map() },
    };
  }

  #add(way: Way, mode: number, owner: Owner, target = ''): Inode {
    const [parent, name] = this.#parent(way);
    if (parent.children.has(name)) fail('EEXIST');
    this.room.charge(costOf(target));
    const inode = this.addInode({ mode, user: owner.user, group: owner.group, target });
    if (parent.mode & SET_GROUP) {
      inode.group = parent.group;
      if (isFolder(mode)) inode.mode |= SET_GROUP;
    }
    if (isFolder(mode)) inode.links = 2;
    this.#place(parent, name, inode, undefined);
    this.changedInode(inode);
    return inode;
  }

  /** Puts a file in the place of another. The parent of a folder has a link more. */
  #place(parent: Inode, name: string, inode: Inode, other: Inode | undefined): void {
    if (isFolder(inode.mode)) parent.links++;
    if (other && isFolder(other.mode)) parent.links--;
    this.#put(parent, name, inode);
  }

  #put(parent: Inode, name: string, inode: Inode): void {
    parent.children.set(name, inode);
    this.changedName(parent, name, inode);
    this.#touchContent(parent);
  }

  #take(parent: Inode, name: string): void {
    parent.children.delete(name);
    this.changedName(parent, name, undefined);
    this.#touchContent(parent);
  }

  #touch(inode: Inode): void {
    inode.changed = now();
    this.changedInode(inode);
  }

  #touchContent(inode: Inode): void {
    inode.modified = now();
    inode.changed = inode.modified;
    this.changedInode(inode);
  }

  #unlink(inode: Inode): void {
    inode.links--;
    this.#touch(inode);
    this.room.used -= NAME_COST;
    this.#release(inode);
  }

  /** Frees what no name and no open file needs. */
  #release(inode: Inode): void {
    if (inode.links > 0 || inode.opened > 0) return;
    this.#files--;
    this.room.used -= costOf(inode.target) - NAME_COST;
    for (const value of inode.attributes.values()) this.room.used -= value.length + NAME_COST;
    inode.content.cut(0);
    inode.attributes.clear();
  }

  #find(way: Way): Inode {
    let inode = this.root;
    for (const name of way) {
      if (!isFolder(inode.mode)) fail('ENOTDIR');
      inode = inode.children.get(name) ?? fail('ENOENT');
    }
    return inode;
  }

  #folder(way: Way): Inode {
    const inode = this.#find(way);
    return isFolder(inode.mode) ? inode : fail('ENOTDIR');
  }

  #parent(way: Way): [Inode, string] {
    const name = way.at(-1);
    if (name === undefined) return fail('EBUSY');
    return [this.#folder(way.slice(0, -1)), name];
  }
}

/** What a new file has. */
interface NewInode extends Owner {
  readonly mode: number;
  readonly target?: string | undefined;
  readonly number?: number | undefined;
}

/** What a file with one name counts in the limit, without its content. */
export function costOf(target: string): number {
  return FILE_COST + NAME_COST + 2 * target.length;
}

function read({ size, content }: Inode, position: number, into: readonly Uint8Array[]): number {
  let left = Math.max(0, size - position);
  const within = into.map((bytes) => {
    const part = bytes.subarray(0, left);
    left -= part.length;
    return part;
  });
  content.read(position, within);
  return within.reduce((sum, { length }) => sum + length, 0);
}

function isBelow(way: Way, folder: Way): boolean {
  return way.length > folder.length && folder.every((name, index) => way[index] === name);
}

function statusOf({ number, size, links, mode, user, group, content, ...inode }: Inode): FileStatus {
  return {
    inode: BigInt(number),
    size: isFolder(mode) ? BLOCK : size,
    ...{ mode, user, group, links },
    accessed: inode.accessed,
    modified: inode.modified,
    changed: inode.changed,
    allocated: content.allocated,
  };
}

/** Times of files that change one after the other differ, as far as Linux's clock would show it. */
function now(): bigint {
  return (
    BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * (NANOSECONDS_PER_MS / 1000n)
  );
}

function fail(code: string): never {
  throw new FolderError(code);
}

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
const BLOCK = 4096;
/** Content is stored in pieces, so that files may be sparse. */
const PIECE = 64 << 10;
/** What a file, a name and an attribute count in the limit beside their bytes. */
const FILE_COST = 512;
const NAME_COST = 512;
const DEFAULT_LIMIT = 256 << 20;
const MAX_SIZE = 2 ** 43;
const MAX_ATTRIBUTE = 64 << 10;
const NANOSECONDS_PER_MS = 1_000_000n;

/** Options of a folder in memory. */
export interface MemoryFolderOptions {
  /** The most memory that its content may take, in bytes; by default 256 MiB. */
  readonly limit?: number | undefined;
}

/** A file of any type. */
interface Inode {
  readonly number: bigint;
  mode: number;
  user: number;
  group: number;
  links: number;
  size: number;
  accessed: bigint;
  modified: bigint;
  changed: bigint;
  readonly pieces: Map<number, Uint8Array>;
  readonly children: Map<string, Inode>;
  readonly attributes: Map<string, Uint8Array>;
  readonly target: string;
  opened: number;
}

/** A folder in memory, with all that Linux asks of a file system except its limit. */
export class MemoryFolder implements SharedFolder {
  readonly #limit: number;
  readonly #root: Inode;
  #used = 0;
  #files = 0;
  #next = 1n;

  /** Makes an empty one. */
  constructor({ limit = DEFAULT_LIMIT }: MemoryFolderOptions = {}) {
    this.#limit = limit;
    this.#root = this.#newInode(S_IFDIR | 0o755, { user: 0, group: 0 });
    this.#root.links = 2;
  }

  /** Extended attributes of its files. */
  readonly attributes: ExtendedAttributes = {
    get: async (way, name) => this.#find(way).attributes.get(name) ?? fail('ENODATA'),
    set: async (way, name, value, rule) => {
      const inode = this.#find(way);
      const old = inode.attributes.get(name);
      if (rule === 'create' && old) fail('EEXIST');
      if (rule === 'replace' && !old) fail('ENODATA');
      if (value.length > MAX_ATTRIBUTE) fail('E2BIG');
      this.#charge(value.length - (old?.length ?? -NAME_COST));
      inode.attributes.set(name, value.slice());
      inode.changed = now();
    },
    list: async (way) => [...this.#find(way).attributes.keys()],
    remove: async (way, name) => {
      const inode = this.#find(way);
      const old = inode.attributes.get(name) ?? fail('ENODATA');
      this.#used -= old.length + NAME_COST;
      inode.attributes.delete(name);
      inode.changed = now();
    },
  };

  /** Bytes that count in its limit. */
  get usedBytes(): number {
    return this.#used;
  }

  /** The status of a file. */
  async status(way: Way): Promise<FileStatus> {
    return statusOf(this.#find(way));
  }

  /** The files in a folder. */
  async list(way: Way): Promise<readonly FolderEntry[]> {
    const folder = this.#folder(way);
    return Array.from(folder.children, ([name, { mode }]) => ({ name, type: mode & S_IFMT }));
  }

  /** Opens a regular file. */
  async open(way: Way, { truncate }: Access): Promise<OpenFile> {
    const inode = this.#find(way);
    if (isFolder(inode.mode)) fail('EISDIR');
    if ((inode.mode & S_IFMT) !== S_IFREG) fail('ENXIO');
    if (truncate) this.#resize(inode, 0);
    return this.#opened(inode);
  }

  /** Makes a regular file and opens it. */
  async create(way: Way, mode: number, owner: Owner): Promise<OpenFile> {
    return this.#opened(this.#add(way, S_IFREG | (mode & PERMISSIONS), owner));
  }

  /** Makes a folder or a file of another type. */
  async make(way: Way, mode: number, owner: Owner): Promise<void> {
    this.#add(way, mode, owner);
  }

  /** Makes a symbolic link. */
  async makeLink(way: Way, target: string, owner: Owner): Promise<void> {
    this.#add(way, S_IFLNK | 0o777, owner, target);
  }

  /** Reads where a symbolic link leads. */
  async readLink(way: Way): Promise<string> {
    const inode = this.#find(way);
    return (inode.mode & S_IFMT) === S_IFLNK ? inode.target : fail('EINVAL');
  }

  /** Gives a file a further name. */
  async link(way: Way, newWay: Way): Promise<void> {
    const inode = this.#find(way);
    if (isFolder(inode.mode)) fail('EPERM');
    const [parent, name] = this.#parent(newWay);
    if (parent.children.has(name)) fail('EEXIST');
    this.#charge(NAME_COST);
    parent.children.set(name, inode);
    inode.links++;
    inode.changed = now();
    touch(parent);
  }

  /** Removes a name. */
  async remove(way: Way): Promise<void> {
    const [parent, name] = this.#parent(way);
    const inode = parent.children.get(name) ?? fail('ENOENT');
    if (isFolder(inode.mode)) fail('EISDIR');
    parent.children.delete(name);
    touch(parent);
    this.#unlink(inode);
  }

  /** Removes an empty folder. */
  async removeFolder(way: Way): Promise<void> {
    const [parent, name] = this.#parent(way);
    const inode = parent.children.get(name) ?? fail('ENOENT');
    if (!isFolder(inode.mode)) fail('ENOTDIR');
    if (inode.children.size > 0) fail('ENOTEMPTY');
    parent.children.delete(name);
    parent.links--;
    touch(parent);
    inode.links = 1;
    this.#unlink(inode);
  }

  /** Renames or moves a file or a folder. */
  async rename(way: Way, newWay: Way, rule: RenameRule): Promise<void> {
    const [from, oldName] = this.#parent(way);
    const [to, newName] = this.#parent(newWay);
    const inode = from.children.get(oldName) ?? fail('ENOENT');
    const other = to.children.get(newName);
    if (isBelow(newWay, way) || (rule === 'exchange' && isBelow(way, newWay))) fail('EINVAL');
    if (rule === 'keep' && other) fail('EEXIST');
    if (rule === 'exchange') {
      if (!other) fail('ENOENT');
      place(from, oldName, other as Inode, inode);
      place(to, newName, inode, other);
    } else {
      if (other === inode) return;
      if (other) this.#requireReplaceable(inode, other);
      from.children.delete(oldName);
      if (isFolder(inode.mode)) from.links--;
      place(to, newName, inode, other);
      if (other) {
        if (isFolder(other.mode)) other.links = 1;
        this.#unlink(other);
      }
    }
    for (const folder of [from, to]) touch(folder);
    inode.changed = now();
  }

  #requireReplaceable(inode: Inode, other: Inode): void {
    if (isFolder(inode.mode)) {
      if (!isFolder(other.mode)) fail('ENOTDIR');
      if (other.children.size > 0) fail('ENOTEMPTY');
    } else if (isFolder(other.mode)) {
      fail('EISDIR');
    }
  }

  /** Changes the status of a file. */
  async change(way: Way, changes: Changes): Promise<void> {
    this.#change(this.#find(way), changes);
  }

  /** Does nothing, because memory is never durable. */
  async syncFolder(): Promise<void> {}

  /** Measures its room. */
  async capacity(): Promise<Capacity> {
    const free = Math.max(0, Math.floor((this.#limit - this.#used) / BLOCK));
    const freeFiles = Math.floor((free * BLOCK) / (FILE_COST + NAME_COST));
    return {
      blockSize: BLOCK,
      blocks: Math.floor(this.#limit / BLOCK),
      freeBlocks: free,
      availableBlocks: free,
      files: this.#files + freeFiles,
      freeFiles,
    };
  }

  /** Does nothing: its files stay. */
  async close(): Promise<void> {}

  #change(inode: Inode, { mode, user, group, size, accessed, modified }: Changes): void {
    if (size !== undefined) this.#resize(inode, size);
    if (mode !== undefined) inode.mode = (inode.mode & S_IFMT) | (mode & PERMISSIONS);
    if (user !== undefined) inode.user = user;
    if (group !== undefined) inode.group = group;
    if (accessed !== undefined) inode.accessed = accessed;
    if (modified !== undefined) inode.modified = modified;
    inode.changed = now();
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
      sync: async () => {},
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
    let at = position;
    for (const bytes of from)
      for (let done = 0; done < bytes.length; ) {
        const start = at % PIECE;
        const length = Math.min(bytes.length - done, PIECE - start);
        this.#piece(inode, Math.floor(at / PIECE)).set(bytes.subarray(done, done + length), start);
        done += length;
        at += length;
        inode.size = Math.max(inode.size, at);
      }
    inode.modified = now();
    inode.changed = inode.modified;
  }

  #piece(inode: Inode, index: number): Uint8Array {
    const found = inode.pieces.get(index);
    if (found) return found;
    this.#charge(PIECE);
    const piece = new Uint8Array(PIECE);
    inode.pieces.set(index, piece);
    return piece;
  }

  #resize(inode: Inode, size: number): void {
    if (isFolder(inode.mode)) fail('EISDIR');
    if (size > MAX_SIZE) fail('EFBIG');
    for (const index of [...inode.pieces.keys()])
      if (index * PIECE >= size) {
        inode.pieces.delete(index);
        this.#used -= PIECE;
      }
    if (size < inode.size) inode.pieces.get(Math.floor(size / PIECE))?.fill(0, size % PIECE);
    inode.size = size;
    inode.modified = now();
    inode.changed = inode.modified;
  }

  /** @throws ENOSPC */
  #charge(bytes: number): void {
    if (bytes > 0 && this.#used + bytes > this.#limit) fail('ENOSPC');
    this.#used += bytes;
  }

  #newInode(mode: number, { user, group }: Owner, target = ''): Inode {
    const time = now();
    this.#files++;
    return {
      number: this.#next++,
      ...{ mode, user, group, links: 1, target, opened: 0 },
      size: encodeBytes(target).length,
      ...{ accessed: time, modified: time, changed: time },
      ...{ pieces: new Map(), children: new Map(), attributes: new Map() },
    };
  }

  #add(way: Way, mode: number, owner: Owner, target = ''): Inode {
    const [parent, name] = this.#parent(way);
    if (parent.children.has(name)) fail('EEXIST');
    this.#charge(FILE_COST + NAME_COST + 2 * target.length);
    const inode = this.#newInode(mode, owner, target);
    if (parent.mode & SET_GROUP) {
      inode.group = parent.group;
      if (isFolder(mode)) inode.mode |= SET_GROUP;
    }
    if (isFolder(mode)) inode.links = 2;
    place(parent, name, inode, undefined);
    touch(parent);
    return inode;
  }

  #unlink(inode: Inode): void {
    inode.links--;
    inode.changed = now();
    this.#used -= NAME_COST;
    this.#release(inode);
  }

  /** Frees what no name and no open file needs. */
  #release(inode: Inode): void {
    if (inode.links > 0 || inode.opened > 0) return;
    this.#files--;
    this.#used -= FILE_COST + 2 * inode.target.length + inode.pieces.size * PIECE;
    for (const value of inode.attributes.values()) this.#used -= value.length + NAME_COST;
    inode.pieces.clear();
    inode.attributes.clear();
  }

  #find(way: Way): Inode {
    let inode = this.#root;
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

function read(inode: Inode, position: number, into: readonly Uint8Array[]): number {
  let at = position;
  for (const bytes of into)
    for (let done = 0; done < bytes.length && at < inode.size; ) {
      const start = at % PIECE;
      const length = Math.min(bytes.length - done, PIECE - start, inode.size - at);
      const piece = inode.pieces.get(Math.floor(at / PIECE));
      if (piece) bytes.set(piece.subarray(start, start + length), done);
      else bytes.fill(0, done, done + length);
      done += length;
      at += length;
    }
  return at - position;
}

/** Puts a file in the place of another. The parent of a folder has a link more. */
function place(parent: Inode, name: string, inode: Inode, other: Inode | undefined): void {
  parent.children.set(name, inode);
  if (isFolder(inode.mode)) parent.links++;
  if (other && isFolder(other.mode)) parent.links--;
}

function isBelow(way: Way, folder: Way): boolean {
  return way.length > folder.length && folder.every((name, index) => way[index] === name);
}

function touch(folder: Inode): void {
  folder.modified = now();
  folder.changed = folder.modified;
}

function statusOf({ number, size, links, mode, user, group, pieces, ...inode }: Inode): FileStatus {
  return {
    inode: number,
    size: isFolder(mode) ? BLOCK : size,
    ...{ mode, user, group, links },
    accessed: inode.accessed,
    modified: inode.modified,
    changed: inode.changed,
    allocated: pieces.size * PIECE,
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

/** Folders of the host, in Node. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { decodeBytes } from '../text/byte-text.ts';
import { PathPlaces, type Places } from './host-places.ts';
import { hostText, IS_ROOT, statusOf } from './host-status.ts';
import { DescriptorPlaces } from './linux-places.ts';
import {
  type Access,
  type Capacity,
  type Changes,
  type FileStatus,
  type FolderEntry,
  FolderError,
  type OpenFile,
  type Owner,
  type RenameRule,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  type SharedFolder,
  type Way,
} from './shared-folder.ts';

const { constants } = fs;
const PERMISSIONS = 0o7777;
const NANOSECONDS = 1_000_000_000;
/** One for all: programs look for many missing files, and a new error costs as much as the look-up. */
const MISSING = new FolderError('ENOENT');
/** These take long. All else is done at once, because Node needs 100 µs to have another thread do it. */
const [syncFile, syncContent] = [promisify(fs.fsync), promisify(fs.fdatasync)];

/**
 * A folder of the host, for a thread that may wait. Nothing outside of it is read or written
 * (`host-places.ts`, `linux-places.ts`), and only regular files are opened.
 *
 * Files belong to users of the host. If this process is not root's, the container's root stands for its user,
 * and no other owner can be given to a file.
 */
export class HostFolder implements SharedFolder {
  readonly #places: Places;

  constructor(path: string, places = placesIn(path)) {
    this.#places = places;
  }

  async status(way: Way): Promise<FileStatus> {
    const status = fs.lstatSync(this.#places.at(way), { bigint: true, throwIfNoEntry: false });
    if (!status) throw MISSING;
    return statusOf(status);
  }

  async list(way: Way): Promise<readonly FolderEntry[]> {
    const folder = this.#places.folder(way);
    const entries = fs.readdirSync(folder, { withFileTypes: true, encoding: 'buffer' });
    return entries.map((entry) => ({
      name: decodeBytes(entry.name as unknown as Buffer),
      type: typeOf(entry),
    }));
  }

  async open(way: Way, { read, write, truncate }: Access): Promise<OpenFile> {
    const access = read && write ? constants.O_RDWR : write ? constants.O_WRONLY : constants.O_RDONLY;
    return this.#places.pinned(way, (path, status) => {
      if ((status.mode & S_IFMT) === S_IFDIR) fail('EISDIR');
      if ((status.mode & S_IFMT) !== S_IFREG) fail('ENXIO');
      const file = fs.openSync(path, access | (truncate ? constants.O_TRUNC : 0));
      return new HostFile(file, truncate || !this.#places.canPin ? undefined : status);
    });
  }

  async create(way: Way, mode: number, owner: Owner): Promise<OpenFile> {
    return this.#create(way, mode, owner);
  }

  async make(way: Way, mode: number, owner: Owner): Promise<void> {
    switch (mode & S_IFMT) {
      case S_IFREG:
        return this.#create(way, mode, owner).close();
      case S_IFDIR:
        fs.mkdirSync(this.#places.at(way), mode & PERMISSIONS);
        return this.#complete(way, mode, owner);
      default:
        // Node makes neither FIFOs nor sockets, and the host's devices are none of the container's.
        fail('EPERM');
    }
  }

  async makeLink(way: Way, target: string, owner: Owner): Promise<void> {
    const path = this.#places.at(way);
    fs.symlinkSync(hostText(target), path);
    if (IS_ROOT) fs.lchownSync(path, owner.user, owner.group);
  }

  async readLink(way: Way): Promise<string> {
    return decodeBytes(fs.readlinkSync(this.#places.at(way), 'buffer'));
  }

  async link(way: Way, newWay: Way): Promise<void> {
    fs.linkSync(...this.#places.atBoth(way, newWay));
  }

  async remove(way: Way): Promise<void> {
    fs.unlinkSync(this.#places.at(way));
  }

  async removeFolder(way: Way): Promise<void> {
    fs.rmdirSync(this.#places.at(way));
    this.#places.moved(way);
  }

  async rename(way: Way, newWay: Way, rule: RenameRule): Promise<void> {
    // Node has no interface for it.
    if (rule === 'exchange') fail('EINVAL');
    const [path, newPath] = this.#places.atBoth(way, newWay);
    if (rule === 'keep' && fs.lstatSync(newPath, { throwIfNoEntry: false })) fail('EEXIST');
    fs.renameSync(path, newPath);
    this.#places.moved(way);
    this.#places.moved(newWay);
  }

  async change(way: Way, changes: Changes): Promise<void> {
    this.#places.pinned(way, (path, status) => {
      if (changes.size !== undefined) {
        if ((status.mode & S_IFMT) !== S_IFREG) fail('EINVAL');
        fs.truncateSync(path, changes.size);
      }
      const owner = newOwner(changes, status);
      const times = newTimes(changes, status);
      if ((status.mode & S_IFMT) === S_IFLNK) return this.#changeLink(way, changes, owner, times);
      if (owner) fs.chownSync(path, owner.user, owner.group);
      if (changes.mode !== undefined) fs.chmodSync(path, changes.mode & PERMISSIONS);
      if (times) fs.utimesSync(path, ...times);
    });
  }

  async syncFolder(way: Way): Promise<void> {
    const folder = fs.openSync(this.#places.folder(way), constants.O_RDONLY);
    await syncFile(folder).finally(() => fs.closeSync(folder));
  }

  async capacity(): Promise<Capacity> {
    const { bsize, blocks, bfree, bavail, files, ffree } = fs.statfsSync(this.#places.folder([]));
    return {
      ...{ blockSize: bsize, blocks, files, freeFiles: ffree },
      ...{ freeBlocks: bfree, availableBlocks: bavail },
    };
  }

  async close(): Promise<void> {
    this.#places.close();
  }

  #create(way: Way, mode: number, owner: Owner): HostFile {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
    const file = fs.openSync(this.#places.at(way), flags, mode & PERMISSIONS);
    try {
      const given = statusOf(fs.fstatSync(file, { bigint: true }));
      // Otherwise the group is that of the folder, because the folder has SET_GROUP.
      const group = given.group === process.getgid?.() ? owner.group : given.group;
      const isOther = IS_ROOT && (given.user !== owner.user || given.group !== group);
      if (isOther) fs.fchownSync(file, owner.user, group);
      // This process has a mask of its own.
      const isMasked = (given.mode & PERMISSIONS) !== (mode & PERMISSIONS);
      if (isMasked) fs.fchmodSync(file, mode & PERMISSIONS);
      return new HostFile(file, isOther || isMasked ? undefined : given);
    } catch (error) {
      fs.closeSync(file);
      throw error;
    }
  }

  /** Gives a new folder its owner and all its permissions. */
  #complete(way: Way, mode: number, owner: Owner): void {
    this.#places.pinned(way, (path, status) => {
      if (IS_ROOT) fs.chownSync(path, owner.user, status.mode & SET_GROUP ? status.group : owner.group);
      const wanted = (mode & PERMISSIONS) | (status.mode & SET_GROUP);
      if ((status.mode & PERMISSIONS) !== wanted) fs.chmodSync(path, wanted);
    });
  }

  /** A link has no permissions of its own. */
  #changeLink(way: Way, { mode }: Changes, owner: Owner | undefined, times: Times | undefined): void {
    if (mode !== undefined && owner === undefined) fail('EOPNOTSUPP');
    const path = this.#places.at(way);
    if (owner) fs.lchownSync(path, owner.user, owner.group);
    if (times) fs.lutimesSync(path, ...times);
  }
}

/** The places in a folder of the host. */
export function placesIn(root: string): Places {
  const canDescend = process.platform === 'linux' && fs.existsSync('/proc/self/fd');
  return canDescend ? new DescriptorPlaces(root) : new PathPlaces(root);
}

const SET_GROUP = 0o2000;

/** A regular file of the host. */
class HostFile implements OpenFile {
  /** Undefined once it is closed, because another file could have its number then. */
  #open: number | undefined;
  /** Of this moment: the first question needs no other call. */
  #status: FileStatus | undefined;
  readonly #syncing = new Set<Promise<void>>();

  constructor(descriptor: number, status: FileStatus | undefined) {
    this.#open = descriptor;
    this.#status = status;
  }

  get #descriptor(): number {
    return this.#open ?? fail('EBADF');
  }

  async status(): Promise<FileStatus> {
    const known = this.#status;
    this.#status = undefined;
    return known ?? statusOf(fs.fstatSync(this.#descriptor, { bigint: true }));
  }

  async read(position: number, into: readonly Uint8Array[]): Promise<number> {
    return fs.readvSync(this.#descriptor, into, position);
  }

  async write(position: number, from: readonly Uint8Array[]): Promise<void> {
    this.#status = undefined;
    let at = position;
    for (let rest = from.filter(({ length }) => length > 0); rest.length > 0; ) {
      const written = fs.writevSync(this.#descriptor, rest, at);
      if (written === 0) fail('EIO');
      at += written;
      rest = after(rest, written);
    }
  }

  async change(changes: Changes): Promise<void> {
    const { size, mode } = changes;
    const descriptor = this.#descriptor;
    this.#status = undefined;
    if (size !== undefined) fs.ftruncateSync(descriptor, size);
    const status = await this.status();
    const owner = newOwner(changes, status);
    if (owner) fs.fchownSync(descriptor, owner.user, owner.group);
    if (mode !== undefined) fs.fchmodSync(descriptor, mode & PERMISSIONS);
    const times = newTimes(changes, status);
    if (times) fs.futimesSync(descriptor, ...times);
  }

  async sync(contentOnly: boolean): Promise<void> {
    const syncing = (contentOnly ? syncContent : syncFile)(this.#descriptor);
    this.#syncing.add(syncing);
    await syncing.finally(() => this.#syncing.delete(syncing));
  }

  async close(): Promise<void> {
    const descriptor = this.#descriptor;
    this.#open = undefined;
    if (this.#syncing.size > 0) await Promise.allSettled(this.#syncing);
    fs.closeSync(descriptor);
  }
}

/** The owner that a file gets, in numbers of the host; undefined if it stays. @throws EPERM */
function newOwner({ user, group }: Changes, status: FileStatus): Owner | undefined {
  const wanted = { user: user ?? status.user, group: group ?? status.group };
  if (wanted.user === status.user && wanted.group === status.group) return undefined;
  if (!IS_ROOT) fail('EPERM');
  return wanted;
}

/** As Node wants them. */
type Times = readonly [number | Date, number | Date];

function newTimes({ accessed, modified }: Changes, status: FileStatus): Times | undefined {
  if (accessed === undefined && modified === undefined) return undefined;
  return [toTime(accessed ?? status.accessed), toTime(modified ?? status.modified)];
}

/** In seconds. Node takes a negative number for the present. */
function toTime(nanoseconds: bigint): number | Date {
  return nanoseconds < 0n ? new Date(Number(nanoseconds) / 1e6) : Number(nanoseconds) / NANOSECONDS;
}

/** The type of an entry, as in st_mode. */
function typeOf(entry: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
}): number {
  if (entry.isFile()) return S_IFREG;
  if (entry.isDirectory()) return S_IFDIR;
  if (entry.isSymbolicLink()) return S_IFLNK;
  if (entry.isFIFO()) return S_IFIFO;
  if (entry.isSocket()) return S_IFSOCK;
  if (entry.isCharacterDevice()) return S_IFCHR;
  return entry.isBlockDevice() ? S_IFBLK : 0;
}

/** What is left of buffers after some bytes. */
function after(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  return buffers.flatMap((bytes) => {
    const skipped = Math.min(left, bytes.length);
    left -= skipped;
    return skipped === bytes.length ? [] : [bytes.subarray(skipped)];
  });
}

function fail(code: string): never {
  throw new FolderError(code);
}

/** Folders of the host, in Node. */
import { constants, existsSync, type PathLike } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import * as fs from 'node:fs/promises';
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

const PERMISSIONS = 0o7777;
const NANOSECONDS = 1_000_000_000;

/**
 * A folder of the host. Nothing outside of it is read or written (`host-places.ts`, `linux-places.ts`), and
 * only regular files are opened.
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
    return this.#places.at(way, async (path) => statusOf(await fs.lstat(path, { bigint: true })));
  }

  async list(way: Way): Promise<readonly FolderEntry[]> {
    return this.#places.inFolder(way, async (folder) => {
      const entries = await fs.readdir(folder, { withFileTypes: true, encoding: 'buffer' });
      return entries.map((entry) => ({
        name: decodeBytes(entry.name as unknown as Buffer),
        type: typeOf(entry),
      }));
    });
  }

  async open(way: Way, { read, write, truncate }: Access): Promise<OpenFile> {
    const access = read && write ? constants.O_RDWR : write ? constants.O_WRONLY : constants.O_RDONLY;
    return this.#places.pinned(way, async (path, status) => {
      if ((status.mode & S_IFMT) === S_IFDIR) throw new FolderError('EISDIR');
      if ((status.mode & S_IFMT) !== S_IFREG) throw new FolderError('ENXIO');
      const handle = await fs.open(path, access | (truncate ? constants.O_TRUNC : 0));
      return new HostFile(handle, truncate || !this.#places.canPin ? undefined : status);
    });
  }

  create(way: Way, mode: number, owner: Owner): Promise<OpenFile> {
    return this.#create(way, mode, owner);
  }

  async make(way: Way, mode: number, owner: Owner): Promise<void> {
    switch (mode & S_IFMT) {
      case S_IFREG:
        return (await this.#create(way, mode, owner)).close();
      case S_IFDIR:
        await this.#places.at(way, (path) => fs.mkdir(path, mode & PERMISSIONS));
        return this.#complete(way, mode, owner);
      default:
        // Node makes neither FIFOs nor sockets, and the host's devices are none of the container's.
        throw new FolderError('EPERM');
    }
  }

  async makeLink(way: Way, target: string, owner: Owner): Promise<void> {
    await this.#places.at(way, (path) => fs.symlink(hostText(target), path));
    if (IS_ROOT) await this.#places.at(way, (path) => fs.lchown(path, owner.user, owner.group));
  }

  async readLink(way: Way): Promise<string> {
    return this.#places.at(way, async (path) => decodeBytes(await fs.readlink(path, 'buffer')));
  }

  async link(way: Way, newWay: Way): Promise<void> {
    await this.#places.atBoth(way, newWay, (path, newPath) => fs.link(path, newPath));
  }

  async remove(way: Way): Promise<void> {
    await this.#places.at(way, (path) => fs.unlink(path));
  }

  async removeFolder(way: Way): Promise<void> {
    await this.#places.at(way, (path) => fs.rmdir(path));
    this.#places.moved(way);
  }

  async rename(way: Way, newWay: Way, rule: RenameRule): Promise<void> {
    // Node has no interface for it.
    if (rule === 'exchange') throw new FolderError('EINVAL');
    await this.#places.atBoth(way, newWay, async (path, newPath) => {
      if (rule === 'keep') await requireMissing(newPath);
      await fs.rename(path, newPath);
    });
    this.#places.moved(way);
    this.#places.moved(newWay);
  }

  async change(way: Way, changes: Changes): Promise<void> {
    await this.#places.pinned(way, async (path, status) => {
      const isLink = (status.mode & S_IFMT) === S_IFLNK;
      if (changes.size !== undefined) {
        if ((status.mode & S_IFMT) !== S_IFREG) throw new FolderError('EINVAL');
        await fs.truncate(path, changes.size);
      }
      const owner = newOwner(changes, status);
      if (isLink) return this.#changeLink(way, changes, owner, status);
      if (owner) await fs.chown(path, owner.user, owner.group);
      if (changes.mode !== undefined) await fs.chmod(path, changes.mode & PERMISSIONS);
      const times = newTimes(changes, status);
      if (times) await fs.utimes(path, ...times);
    });
  }

  async syncFolder(way: Way): Promise<void> {
    await this.#places.inFolder(way, async (path) => {
      const folder = await fs.open(path, constants.O_RDONLY);
      await folder.sync().finally(() => folder.close());
    });
  }

  async capacity(): Promise<Capacity> {
    return this.#places.inFolder([], async (path) => {
      const { bsize, blocks, bfree, bavail, files, ffree } = await fs.statfs(path);
      return {
        ...{ blockSize: bsize, blocks, files, freeFiles: ffree },
        ...{ freeBlocks: bfree, availableBlocks: bavail },
      };
    });
  }

  close(): Promise<void> {
    return this.#places.close();
  }

  async #create(way: Way, mode: number, owner: Owner): Promise<HostFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
    const handle = await this.#places.at(way, (path) => fs.open(path, flags, mode & PERMISSIONS));
    try {
      const given = statusOf(await handle.stat({ bigint: true }));
      // Otherwise the group is that of the folder, because the folder has SET_GROUP.
      const group = given.group === process.getgid?.() ? owner.group : given.group;
      const isOther = IS_ROOT && (given.user !== owner.user || given.group !== group);
      if (isOther) await handle.chown(owner.user, group);
      // This process has a mask of its own.
      const isMasked = (given.mode & PERMISSIONS) !== (mode & PERMISSIONS);
      if (isMasked) await handle.chmod(mode & PERMISSIONS);
      return new HostFile(handle, isOther || isMasked ? undefined : given);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Gives a new folder its owner and all its permissions. */
  async #complete(way: Way, mode: number, owner: Owner): Promise<void> {
    await this.#places.pinned(way, async (path, status) => {
      if (IS_ROOT) await fs.chown(path, owner.user, status.mode & SET_GROUP ? status.group : owner.group);
      const wanted = (mode & PERMISSIONS) | (status.mode & SET_GROUP);
      if ((status.mode & PERMISSIONS) !== wanted) await fs.chmod(path, wanted);
    });
  }

  /** A link has no permissions of its own. */
  async #changeLink(way: Way, changes: Changes, owner: Owner | undefined, status: FileStatus): Promise<void> {
    if (changes.mode !== undefined && owner === undefined) throw new FolderError('EOPNOTSUPP');
    await this.#places.at(way, async (path) => {
      if (owner) await fs.lchown(path, owner.user, owner.group);
      const times = newTimes(changes, status);
      if (times) await fs.lutimes(path, ...times);
    });
  }
}

/** The places in a folder of the host. */
export function placesIn(root: string): Places {
  const canDescend = process.platform === 'linux' && existsSync('/proc/self/fd');
  return canDescend ? new DescriptorPlaces(root) : new PathPlaces(root);
}

const SET_GROUP = 0o2000;

/** A regular file of the host. */
class HostFile implements OpenFile {
  readonly #handle: FileHandle;
  /** Of this moment: the first question needs no other call. */
  #status: FileStatus | undefined;

  constructor(handle: FileHandle, status: FileStatus | undefined) {
    this.#handle = handle;
    this.#status = status;
  }

  async status(): Promise<FileStatus> {
    const known = this.#status;
    this.#status = undefined;
    return known ?? statusOf(await this.#handle.stat({ bigint: true }));
  }

  async read(position: number, into: readonly Uint8Array[]): Promise<number> {
    const { bytesRead } = await this.#handle.readv(into as Uint8Array[], position);
    return bytesRead;
  }

  async write(position: number, from: readonly Uint8Array[]): Promise<void> {
    this.#status = undefined;
    let at = position;
    for (let rest = from.filter(({ length }) => length > 0); rest.length > 0; ) {
      const { bytesWritten } = await this.#handle.writev(rest as Uint8Array[], at);
      if (bytesWritten === 0) throw new FolderError('EIO');
      at += bytesWritten;
      rest = after(rest, bytesWritten);
    }
  }

  async change(changes: Changes): Promise<void> {
    const { size, mode, user, group, accessed, modified } = changes;
    this.#status = undefined;
    if (size !== undefined) await this.#handle.truncate(size);
    if (user !== undefined || group !== undefined) {
      const owner = newOwner(changes, await this.status());
      if (owner) await this.#handle.chown(owner.user, owner.group);
    }
    if (mode !== undefined) await this.#handle.chmod(mode & PERMISSIONS);
    if (accessed === undefined && modified === undefined) return;
    const isWhole = accessed !== undefined && modified !== undefined;
    const times = isWhole ? { accessed, modified } : await this.status();
    await this.#handle.utimes(toTime(accessed ?? times.accessed), toTime(modified ?? times.modified));
  }

  sync(contentOnly: boolean): Promise<void> {
    return contentOnly ? this.#handle.datasync() : this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** The owner that a file gets, in numbers of the host; undefined if it stays. @throws EPERM */
function newOwner({ user, group }: Changes, status: FileStatus): Owner | undefined {
  const wanted = { user: user ?? status.user, group: group ?? status.group };
  if (wanted.user === status.user && wanted.group === status.group) return undefined;
  if (!IS_ROOT) throw new FolderError('EPERM');
  return wanted;
}

/** As Node wants them. */
function newTimes(
  { accessed, modified }: Changes,
  status: FileStatus,
): [number | Date, number | Date] | undefined {
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

/** @throws EEXIST */
async function requireMissing(path: PathLike): Promise<void> {
  const exists = await fs.lstat(path).then(
    () => true,
    () => false,
  );
  if (exists) throw new FolderError('EEXIST');
}

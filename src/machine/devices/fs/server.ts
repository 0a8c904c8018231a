import {
  type Changes,
  type FileStatus,
  type FolderEntry,
  FolderError,
  type RenameRule,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  type SharedFolder,
  type Way,
} from '../../../folders/shared-folder.ts';
import { decodeBytes, encodeBytes } from '../../../text/byte-text.ts';
import * as fuse from './fuse.ts';
import { Reply } from './fuse.ts';
import { type Node, Nodes, type OpenHandle, rootId, Share, wayOf } from './nodes.ts';
import { addEntry, addName, attributesReply, fittingEntries, inodeOf } from './replies.ts';
import type { Request } from './request.ts';

const PAGE = 4096;
/** The most bytes of a READ or a WRITE; `QUEUE_SIZE` of the device has room for the pages. */
export const MAX_TRANSFER = 1 << 20;
const MAX_FILES = 1 << 16;
const MAX_FOLDERS = 1 << 12;
/** The most bytes that a request without content may write. */
const MAX_ZEROS = 256 << 20;
const MAX_COPY = 16 << 20;
const MAX_TARGET = 4095;
const PERMISSIONS = 0o7777;
const SET_USER = 0o4000;
const SET_GROUP = 0o2000;
const GROUP_EXECUTE = 0o010;
const NANOSECONDS = 1_000_000_000;
const NANOSECONDS_PER_MS = 1_000_000n;
/** `.` and `..`. */
const DOTS = [
  { name: '.', type: S_IFDIR },
  { name: '..', type: S_IFDIR },
];

const FEATURES =
  fuse.ASYNC_READ |
  fuse.ATOMIC_O_TRUNC |
  fuse.BIG_WRITES |
  fuse.AUTO_INVAL_DATA |
  fuse.DO_READDIRPLUS |
  fuse.READDIRPLUS_AUTO |
  fuse.ASYNC_DIO |
  fuse.PARALLEL_DIROPS |
  fuse.MAX_PAGES |
  fuse.HANDLE_KILLPRIV_V2;

/** An open folder, with its files as they were when the guest began to read them. */
interface FolderHandle {
  readonly node: Node;
  entries: readonly FolderEntry[] | undefined;
}

/** Where a reply goes. */
export interface Room {
  /** Bytes after the header of the reply. */
  readonly size: number;
  /** Views of the next bytes after the header. */
  take(length: number): Uint8Array[];
}

/** A reply whose content is already in the guest's buffer. */
export interface Filled {
  readonly filled: number;
}

const EMPTY = new Reply(0);

/** Answers FUSE requests out of shared folders. */
export class FuseServer {
  readonly #shares: Share[] = [];
  readonly #nodes = new Nodes();
  readonly #files = new Map<bigint, OpenHandle>();
  readonly #folders = new Map<bigint, FolderHandle>();
  #nextHandle = 1n;
  #isMounted = false;

  /** Whether the guest has mounted the device. */
  get isMounted(): boolean {
    return this.#isMounted;
  }

  /** The number of files that the guest knows, and that it has open. */
  get counts(): { readonly known: number; readonly open: number } {
    return { known: this.#nodes.size, open: this.#files.size + this.#folders.size };
  }

  /** Shares a folder, whose root is in the root of the device by its number. */
  add(folder: SharedFolder | Promise<SharedFolder>, readOnly: boolean): number {
    const share = new Share(folder, readOnly, this.#shares.length);
    this.#shares.push(share);
    this.#nodes.addRoot(share);
    return share.index;
  }

  /** Makes durable what is in the folders, and releases them. No request follows. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#shares.map((share) => share.close()));
  }

  /** The guest has gone: closes what it had open. No request is in progress. */
  async reset(): Promise<void> {
    this.#isMounted = false;
    const opened = [...this.#files.values()];
    this.#files.clear();
    this.#folders.clear();
    this.#nodes.forgetAll();
    for (const { node } of opened) node.opened.clear();
    await Promise.allSettled(opened.map(({ file }) => file.close()));
  }

  /** Carries out FORGET and BATCH_FORGET, which have no reply. */
  forget(request: Request): void {
    if (request.opcode === fuse.FORGET) {
      this.#nodes.forget(request.node, request.u64());
      return;
    }
    const count = request.u32();
    request.skip(4);
    for (let i = 0; i < count; i++) this.#nodes.forget(request.u64(), request.u64());
  }

  /** @throws an error whose `code` is that of the reply */
  async answer(request: Request, room: Room): Promise<Reply | Filled> {
    switch (request.opcode) {
      case fuse.INIT:
        return this.#initialise(request);
      case fuse.DESTROY:
        await this.reset();
        return EMPTY;
      case fuse.LOOKUP:
        return this.#lookUp(request);
      case fuse.GETATTR:
        return this.#getAttributes(request);
      case fuse.SETATTR:
        return this.#setAttributes(request);
      case fuse.READLINK:
        return this.#readLink(request);
      case fuse.SYMLINK:
        return this.#makeLink(request);
      case fuse.MKNOD: {
        const mode = request.u32();
        request.skip(12);
        return this.#make(request, mode);
      }
      case fuse.MKDIR: {
        const mode = S_IFDIR | (request.u32() & PERMISSIONS);
        request.skip(4);
        return this.#make(request, mode);
      }
      case fuse.UNLINK:
      case fuse.RMDIR:
        return this.#remove(request);
      case fuse.RENAME:
        return this.#rename(request, request.u64(), 'replace');
      case fuse.RENAME2:
        return this.#rename2(request);
      case fuse.LINK:
        return this.#link(request);
      case fuse.OPEN:
        return this.#open(request);
      case fuse.CREATE:
        return this.#create(request);
      case fuse.READ:
        return this.#read(request, room);
      case fuse.WRITE:
        return this.#write(request);
      case fuse.FSYNC:
        return this.#sync(request);
      case fuse.RELEASE:
        return this.#release(request);
      case fuse.FALLOCATE:
        return this.#allocate(request);
      case fuse.COPY_FILE_RANGE:
        return this.#copy(request);
      case fuse.STATFS:
        return this.#capacity(request);
      case fuse.OPENDIR:
        return this.#openFolder(request);
      case fuse.READDIR:
        return this.#readFolder(request, room);
      case fuse.READDIRPLUS:
        return this.#readFolderPlus(request, room);
      case fuse.RELEASEDIR:
        this.#folders.delete(request.u64());
        return EMPTY;
      case fuse.SYNCFS:
        return this.#syncAll();
      case fuse.FSYNCDIR:
        return this.#syncFolder(request);
      case fuse.GETXATTR:
      case fuse.LISTXATTR:
      case fuse.SETXATTR:
      case fuse.REMOVEXATTR:
        return this.#attribute(request, room);
      default:
        // For FLUSH this is success from now on: all writes are in the folder already.
        return fail('ENOSYS');
    }
  }

  async #initialise(request: Request): Promise<Reply> {
    const major = request.u32();
    if (major < fuse.MAJOR) fail('EINVAL');
    const reply = new Reply(fuse.INIT_OUT_SIZE);
    if (major > fuse.MAJOR) return reply.u32(fuse.MAJOR).u32(fuse.MINOR);
    request.skip(4);
    const readAhead = request.u32();
    await this.reset();
    this.#isMounted = true;
    reply.u32(fuse.MAJOR).u32(fuse.MINOR).u32(readAhead).u32(FEATURES);
    return reply
      .u32(0)
      .u32(MAX_TRANSFER)
      .u32(1)
      .u16(MAX_TRANSFER / PAGE);
  }

  async #lookUp(request: Request): Promise<Reply> {
    if (request.node === fuse.ROOT_NODE) return this.#lookUpShare(request.name());
    const parent = this.#nodes.get(request.node);
    return this.#entry(parent, request.name());
  }

  async #lookUpShare(name: string): Promise<Reply> {
    const share = this.#shares[/^\d{1,4}$/.test(name) ? Number(name) : -1] ?? fail('ENOENT');
    await share.opened;
    const node = this.#nodes.get(rootId(share.index));
    return this.#entryReply(fuse.ENTRY_OUT_SIZE, node, await this.#statusOf(node));
  }

  /** The file of a name, as replies to LOOKUP and to what makes files tell it. */
  async #entry(parent: Node, name: string): Promise<Reply> {
    const status = await parent.share.folder.status([...wayOf(parent), name]);
    const node = this.#nodes.found(parent, name, status.inode);
    return this.#entryReply(fuse.ENTRY_OUT_SIZE, node, status);
  }

  /** struct fuse_entry_out, at the begin of a reply */
  #entryReply(size: number, node: Node, status: FileStatus): Reply {
    this.#nodes.tell(node);
    return addEntry(new Reply(size), node, status);
  }

  async #getAttributes(request: Request): Promise<Reply> {
    if (request.node === fuse.ROOT_NODE) return attributesReply(DEVICE_ROOT, fuse.ROOT_NODE);
    const flags = request.u32();
    request.skip(4);
    const handle = flags & fuse.GETATTR_FH ? this.#files.get(request.u64()) : undefined;
    const node = this.#nodes.get(request.node);
    return attributesReply(handle ? await handle.file.status() : await this.#statusOf(node), inodeOf(node));
  }

  async #statusOf(node: Node): Promise<FileStatus> {
    for (const { file } of node.opened) return file.status();
    const status = await node.share.folder.status(wayOf(node));
    requireSame(node, status);
    return status;
  }

  async #setAttributes(request: Request): Promise<Reply> {
    const node = this.#writable(request.node);
    const valid = request.u32();
    request.skip(4);
    const handle = this.#files.get(request.u64());
    const changes = await this.#changesOf(request, valid, node);
    await this.#change(node, changes, valid & fuse.FATTR_FH ? handle : undefined);
    return attributesReply(await this.#statusOf(node), inodeOf(node));
  }

  /** struct fuse_setattr_in after the handle */
  async #changesOf(request: Request, valid: number, node: Node): Promise<Changes> {
    const size = request.u64();
    request.skip(8);
    const [atime, mtime] = [request.u64(), request.u64()];
    request.skip(8);
    const [atimeRest, mtimeRest] = [request.u32(), request.u32()];
    request.skip(4);
    const mode = request.u32() & PERMISSIONS;
    request.skip(4);
    const [user, group] = [request.u32(), request.u32()];
    const has = (bits: number) => (valid & bits) !== 0;
    const changesOwner = has(fuse.FATTR_UID | fuse.FATTR_GID);
    return {
      mode: has(fuse.FATTR_MODE)
        ? mode
        : changesOwner || (has(fuse.FATTR_SIZE) && has(fuse.FATTR_KILL_SUIDGID))
          ? await this.#withoutPrivileges(node)
          : undefined,
      user: has(fuse.FATTR_UID) ? user : undefined,
      group: has(fuse.FATTR_GID) ? group : undefined,
      size: has(fuse.FATTR_SIZE) ? sizeOf(size) : undefined,
      accessed: timeOf(has(fuse.FATTR_ATIME), has(fuse.FATTR_ATIME_NOW), atime, atimeRest),
      modified: timeOf(has(fuse.FATTR_MTIME), has(fuse.FATTR_MTIME_NOW), mtime, mtimeRest),
    };
  }

  /** Permissions without those to act as others, if a program has them. */
  async #withoutPrivileges(node: Node): Promise<number | undefined> {
    const { mode } = await this.#statusOf(node);
    if ((mode & S_IFMT) !== S_IFREG) return undefined;
    const dropped = SET_USER | (mode & GROUP_EXECUTE ? SET_GROUP : 0);
    return mode & dropped ? mode & PERMISSIONS & ~dropped : undefined;
  }

  /** A file without a name can be changed where it is open. */
  async #change(node: Node, changes: Changes, given?: OpenHandle): Promise<void> {
    if (Object.values(changes).every((value) => value === undefined)) return;
    const resizes = changes.size !== undefined;
    const usable = (handle: OpenHandle) => handle.node === node && (handle.writable || !resizes);
    const handle = given && usable(given) ? given : [...node.opened].find(usable);
    await (handle ? handle.file.change(changes) : node.share.folder.change(wayOf(node), changes));
  }

  async #readLink(request: Request): Promise<Reply> {
    const node = this.#nodes.get(request.node);
    const target = encodeBytes(await node.share.folder.readLink(wayOf(node)));
    return new Reply(target.length).raw(target);
  }

  async #makeLink(request: Request): Promise<Reply> {
    const parent = this.#writable(request.node);
    const name = request.name();
    const target = request.string();
    if (target.length > MAX_TARGET) fail('ENAMETOOLONG');
    if (target.length === 0) fail('ENOENT');
    await parent.share.folder.makeLink([...wayOf(parent), name], decodeBytes(target), request);
    return this.#entry(parent, name);
  }

  async #make(request: Request, mode: number): Promise<Reply> {
    const parent = this.#writable(request.node);
    const name = request.name();
    await parent.share.folder.make([...wayOf(parent), name], mode, request);
    return this.#entry(parent, name);
  }

  async #remove(request: Request): Promise<Reply> {
    const parent = this.#writable(request.node);
    const name = request.name();
    const way = [...wayOf(parent), name];
    if (request.opcode === fuse.RMDIR) await parent.share.folder.removeFolder(way);
    else await parent.share.folder.remove(way);
    this.#nodes.removed(parent, name);
    return EMPTY;
  }

  async #rename2(request: Request): Promise<Reply> {
    const newParent = request.u64();
    const flags = request.u32();
    request.skip(4);
    const rules: Record<number, RenameRule> = {
      0: 'replace',
      [fuse.RENAME_NOREPLACE]: 'keep',
      [fuse.RENAME_EXCHANGE]: 'exchange',
    };
    return this.#rename(request, newParent, rules[flags] ?? fail('EINVAL'));
  }

  async #rename(request: Request, newFolder: bigint, rule: RenameRule): Promise<Reply> {
    const parent = this.#writable(request.node);
    const newParent = this.#writable(newFolder);
    if (parent.share !== newParent.share) fail('EXDEV');
    const [name, newName] = [request.name(), request.name()];
    await parent.share.folder.rename([...wayOf(parent), name], [...wayOf(newParent), newName], rule);
    if (rule === 'exchange') this.#nodes.exchanged(parent, name, newParent, newName);
    else if (parent !== newParent || name !== newName) this.#nodes.renamed(parent, name, newParent, newName);
    return EMPTY;
  }

  async #link(request: Request): Promise<Reply> {
    const node = this.#nodes.get(request.u64());
    const parent = this.#writable(request.node);
    if (parent.share !== node.share) fail('EXDEV');
    const name = request.name();
    await parent.share.folder.link(wayOf(node), [...wayOf(parent), name]);
    return this.#entry(parent, name);
  }

  async #open(request: Request): Promise<Reply> {
    const flags = request.u32();
    const openFlags = request.u32();
    const node = this.#nodes.get(request.node);
    const access = accessOf(flags);
    if (node.share.readOnly && (access.write || access.truncate)) fail('EROFS');
    this.#requireFiles();
    const mode =
      access.truncate && openFlags & fuse.OPEN_KILL_SUIDGID && (await this.#withoutPrivileges(node));
    const file = await node.share.folder.open(wayOf(node), access);
    try {
      const status = await file.status();
      requireSame(node, status);
      if (mode) await file.change({ mode });
      return this.#addFile(new Reply(fuse.OPEN_OUT_SIZE), { node, file, ...handleOf(access) }, status);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #create(request: Request): Promise<Reply> {
    const parent = this.#writable(request.node);
    const flags = request.u32();
    const mode = request.u32();
    request.skip(8);
    const name = request.name();
    const way = [...wayOf(parent), name];
    this.#requireFiles();
    const { folder } = parent.share;
    const file = await folder.create(way, mode, request).catch((error) => {
      // The host may have made it meanwhile.
      if (flags & fuse.O_EXCL || codeOf(error) !== 'EEXIST') throw error;
      return folder.open(way, accessOf(flags));
    });
    try {
      const status = await file.status();
      const node = this.#nodes.found(parent, name, status.inode);
      const reply = this.#entryReply(fuse.ENTRY_OUT_SIZE + fuse.OPEN_OUT_SIZE, node, status);
      return this.#addFile(reply, { node, file, ...handleOf(accessOf(flags)) }, status);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #requireFiles(): void {
    if (this.#files.size >= MAX_FILES) fail('ENFILE');
  }

  /** Adds struct fuse_open_out. The guest keeps what it has of a content that has not changed. */
  #addFile(reply: Reply, handle: OpenHandle, { modified, changed, size }: FileStatus): Reply {
    const { node } = handle;
    const id = this.#nextHandle++;
    this.#files.set(id, handle);
    node.opened.add(handle);
    const content = `${modified} ${changed} ${size}`;
    const isSame = node.seen === content;
    node.seen = content;
    return reply.u64(id).u32(isSame ? fuse.FOPEN_KEEP_CACHE : 0);
  }

  async #read(request: Request, room: Room): Promise<Filled> {
    const handle = this.#file(request);
    if (!handle.readable) fail('EBADF');
    const offset = request.offset();
    const size = Math.min(request.u32(), room.size, MAX_TRANSFER);
    const buffers = room.take(size);
    const filled = await handle.file.read(offset, buffers);
    return { filled: Math.max(0, Math.min(filled, size)) };
  }

  async #write(request: Request): Promise<Reply> {
    const handle = this.#file(request);
    if (!handle.writable) fail('EBADF');
    const offset = request.offset();
    const size = request.u32();
    const flags = request.u32();
    const given = request.data.reduce((sum, { length }) => sum + length, 0);
    if (given !== size || size > MAX_TRANSFER) fail('EINVAL');
    if (flags & fuse.WRITE_KILL_SUIDGID) {
      const mode = await this.#withoutPrivileges(handle.node);
      if (mode !== undefined) await handle.file.change({ mode });
    }
    await handle.file.write(offset, request.data);
    return new Reply(8).u32(size).u32(0);
  }

  async #sync(request: Request): Promise<Reply> {
    const handle = this.#file(request);
    await handle.file.sync((request.u32() & fuse.FSYNC_FDATASYNC) !== 0);
    return EMPTY;
  }

  async #release(request: Request): Promise<Reply> {
    const id = request.u64();
    const handle = this.#files.get(id) ?? fail('EBADF');
    this.#files.delete(id);
    handle.node.opened.delete(handle);
    await handle.file.close();
    return EMPTY;
  }

  async #allocate(request: Request): Promise<Reply> {
    const { file, writable } = this.#file(request);
    if (!writable) fail('EBADF');
    const [offset, length] = [request.offset(), request.offset()];
    const mode = request.u32();
    const keepsSize = (mode & fuse.FALLOC_KEEP_SIZE) !== 0;
    const zeros = mode & (fuse.FALLOC_PUNCH_HOLE | fuse.FALLOC_ZERO_RANGE);
    if (mode & ~(fuse.FALLOC_KEEP_SIZE | fuse.FALLOC_PUNCH_HOLE | fuse.FALLOC_ZERO_RANGE)) fail('EOPNOTSUPP');
    const end = sizeOf(BigInt(offset) + BigInt(length));
    const { size } = await file.status();
    if (zeros) await writeZeros(file, offset, Math.min(end, size));
    if (!keepsSize && end > size) await file.change({ size: end });
    return EMPTY;
  }

  async #copy(request: Request): Promise<Reply> {
    const from = this.#file(request);
    const offset = request.offset();
    request.skip(8);
    const to = this.#file(request);
    const newOffset = request.offset();
    const length = Math.min(request.offset(), MAX_COPY);
    if (!from.readable || !to.writable) fail('EBADF');
    const buffer = new Uint8Array(Math.min(length, MAX_TRANSFER));
    let done = 0;
    while (done < length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, length - done));
      const count = await from.file.read(offset + done, [piece]);
      if (count > 0) await to.file.write(newOffset + done, [piece.subarray(0, count)]);
      done += count;
      if (count < piece.length) break;
    }
    return new Reply(8).u32(done).u32(0);
  }

  async #capacity(request: Request): Promise<Reply> {
    if (request.node === fuse.ROOT_NODE) return new Reply(fuse.STATFS_OUT_SIZE).capacity(NO_CAPACITY);
    const { share } = this.#nodes.get(request.node);
    return new Reply(fuse.STATFS_OUT_SIZE).capacity(await share.folder.capacity());
  }

  async #openFolder(request: Request): Promise<Reply> {
    if (this.#folders.size >= MAX_FOLDERS) fail('EMFILE');
    // The root of the device has no list: the guest asks for shares by their numbers.
    const node = this.#nodes.get(request.node);
    const id = this.#nextHandle++;
    this.#folders.set(id, { node, entries: undefined });
    return new Reply(fuse.OPEN_OUT_SIZE).u64(id).u32(0);
  }

  /** The rest of a folder after what the guest has read, and how much of the reply it wants. */
  async #rest(request: Request, room: Room): Promise<[FolderHandle, readonly FolderEntry[], number, number]> {
    const handle = this.#folders.get(request.u64()) ?? fail('EBADF');
    const offset = request.offset();
    const size = Math.min(request.u32(), room.size, MAX_TRANSFER);
    if (offset === 0 || !handle.entries)
      handle.entries = [...DOTS, ...(await handle.node.share.folder.list(wayOf(handle.node)))];
    return [handle, handle.entries, offset, size];
  }

  async #readFolder(request: Request, room: Room): Promise<Reply> {
    const [, entries, offset, size] = await this.#rest(request, room);
    const reply = new Reply(size);
    for (let at = offset; at < entries.length; at++)
      if (!addName(reply, entries[at] as FolderEntry, at, fuse.UNKNOWN_INODE)) break;
    return reply;
  }

  async #readFolderPlus(request: Request, room: Room): Promise<Reply> {
    const [{ node }, entries, offset, size] = await this.#rest(request, room);
    const { folder } = node.share;
    const way = wayOf(node);
    const fitting = fittingEntries(entries, offset, size);
    // A file that has gone, or cannot be looked at, is listed without more.
    const found = await Promise.all(
      fitting.map(({ name }) =>
        isDots(name) ? undefined : folder.status([...way, name]).catch(() => undefined),
      ),
    );
    const reply = new Reply(size);
    for (const [index, entry] of fitting.entries()) {
      const status = found[index];
      if (status) {
        const file = this.#nodes.found(node, entry.name, status.inode);
        this.#nodes.tell(file);
        addEntry(reply, file, status);
        addName(reply, { ...entry, type: status.mode & S_IFMT }, offset + index, inodeOf(file));
      } else {
        reply.skip(fuse.ENTRY_OUT_SIZE);
        addName(reply, entry, offset + index, fuse.UNKNOWN_INODE);
      }
    }
    return reply;
  }

  async #syncFolder(request: Request): Promise<Reply> {
    const { node } = this.#folders.get(request.u64()) ?? fail('EBADF');
    await node.share.folder.syncFolder(wayOf(node));
    return EMPTY;
  }

  async #syncAll(): Promise<Reply> {
    const open = this.#shares.filter(({ readOnly }) => !readOnly);
    await Promise.all(open.map(({ folder }) => folder.syncFolder([])));
    return EMPTY;
  }

  async #attribute(request: Request, room: Room): Promise<Reply> {
    // ENOSYS is the answer for all files: the guest does not ask again.
    const node = this.#nodes.get(request.node);
    if (!this.#shares.some(({ folder }) => folder.attributes)) fail('ENOSYS');
    const { attributes } = node.share.folder;
    if (!attributes) return fail('EOPNOTSUPP');
    const way = wayOf(node);
    switch (request.opcode) {
      case fuse.GETXATTR: {
        const size = request.u32();
        request.skip(4);
        return sized(await attributes.get(way, attributeName(request)), size, room);
      }
      case fuse.LISTXATTR: {
        const size = request.u32();
        const names = await attributes.list(way);
        return sized(encodeBytes(names.map((name) => `${name}\0`).join('')), size, room);
      }
      case fuse.REMOVEXATTR:
        this.#writable(request.node);
        await attributes.remove(way, attributeName(request));
        return EMPTY;
      default:
        return this.#setAttribute(request, this.#writable(request.node), way);
    }
  }

  async #setAttribute(request: Request, { share }: Node, way: Way): Promise<Reply> {
    const size = request.u32();
    const flags = request.u32();
    const name = attributeName(request);
    const value = request.bytes(size);
    const rule = flags & fuse.XATTR_CREATE ? 'create' : flags & fuse.XATTR_REPLACE ? 'replace' : 'any';
    await share.folder.attributes?.set(way, name, value, rule);
    return EMPTY;
  }

  #file(request: Request): OpenHandle {
    return this.#files.get(request.u64()) ?? fail('EBADF');
  }

  /** @throws EROFS, ESTALE */
  #writable(id: bigint): Node {
    if (id === fuse.ROOT_NODE) fail('EROFS');
    const node = this.#nodes.get(id);
    return node.share.readOnly ? fail('EROFS') : node;
  }
}

/** The root of the device, in which the roots of shares are. */
const DEVICE_ROOT: FileStatus = {
  ...{ mode: S_IFDIR | 0o555, size: 0, links: 2, user: 0, group: 0, inode: fuse.ROOT_NODE, allocated: 0 },
  ...{ accessed: 0n, modified: 0n, changed: 0n },
};

const NO_CAPACITY = { blockSize: PAGE, blocks: 0, freeBlocks: 0, availableBlocks: 0, files: 0, freeFiles: 0 };

/** Linux's number of the error of a reply. */
export function errorNumber(error: unknown): number {
  return fuse.ERRNO[codeOf(error)] ?? (fuse.ERRNO.EIO as number);
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'EIO';
}

/** Another file may have the name now. @throws ESTALE, after which the guest looks again */
function requireSame(node: Node, { inode }: FileStatus): void {
  if (node.inode !== 0n && inode !== node.inode) fail('ESTALE');
}

function accessOf(flags: number) {
  const kind = flags & fuse.O_ACCMODE;
  const write = kind === fuse.O_WRONLY || kind === fuse.O_RDWR;
  return { read: kind !== fuse.O_WRONLY, write, truncate: (flags & fuse.O_TRUNC) !== 0 };
}

function handleOf({ read, write }: { read: boolean; write: boolean }) {
  return { readable: read, writable: write };
}

function isDots(name: string): boolean {
  return name === '.' || name === '..';
}

async function writeZeros(file: OpenHandle['file'], start: number, end: number): Promise<void> {
  if (end - start > MAX_ZEROS) fail('EOPNOTSUPP');
  const zeros = new Uint8Array(Math.min(MAX_TRANSFER, Math.max(0, end - start)));
  for (let at = start; at < end; at += zeros.length)
    await file.write(at, [zeros.subarray(0, Math.min(zeros.length, end - at))]);
}

function sizeOf(value: bigint): number {
  const size = Number(value);
  return Number.isSafeInteger(size) ? size : fail('EFBIG');
}

function timeOf(isGiven: boolean, isNow: boolean, seconds: bigint, rest: number): bigint | undefined {
  if (isNow) return BigInt(Date.now()) * NANOSECONDS_PER_MS;
  if (!isGiven) return undefined;
  if (rest >= NANOSECONDS) fail('EINVAL');
  return BigInt.asIntN(64, seconds) * BigInt(NANOSECONDS) + BigInt(rest);
}

function attributeName(request: Request): string {
  const name = request.string();
  return name.length > 0 && name.length <= 255 ? decodeBytes(name) : fail('ERANGE');
}

/** The reply to GETXATTR and LISTXATTR: the value, or its length if the guest has no room yet. */
function sized(value: Uint8Array, size: number, room: Room): Reply {
  if (size === 0) return new Reply(8).u32(value.length).u32(0);
  return value.length <= Math.min(size, room.size) ? new Reply(value.length).raw(value) : fail('ERANGE');
}

function fail(code: string): never {
  throw new FolderError(code);
}

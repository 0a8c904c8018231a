import { type LockHolder, LockTable } from '../../../folders/locks.ts';
import {
  type FileStatus,
  type RenameRule,
  S_IFDIR,
  type SharedFolder,
} from '../../../folders/shared-folder.ts';
import { decodeBytes, encodeBytes } from '../../../text/byte-text.ts';
import { fail } from './errors.ts';
import { answerAttributes } from './extended-attributes.ts';
import { FileLocks } from './file-locks.ts';
import * as fuse from './fuse.ts';
import { Reply } from './fuse.ts';
import { type Node, Nodes, rootId, Share, wayOf } from './nodes.ts';
import { OpenFiles } from './open-files.ts';
import { OpenFolders } from './open-folders.ts';
import {
  attributesReply,
  EMPTY,
  entryReply,
  type Filled,
  inodeOf,
  MAX_TRANSFER,
  type Room,
} from './replies.ts';
import type { Request } from './request.ts';
import { change, changesOf, PERMISSIONS, statusOf } from './status.ts';

const PAGE = 4096;
const MAX_TARGET = 4095;
const FEATURES =
  fuse.ASYNC_READ |
  fuse.POSIX_LOCKS |
  fuse.ATOMIC_O_TRUNC |
  fuse.BIG_WRITES |
  fuse.FLOCK_LOCKS |
  fuse.AUTO_INVAL_DATA |
  fuse.DO_READDIRPLUS |
  fuse.READDIRPLUS_AUTO |
  fuse.ASYNC_DIO |
  fuse.PARALLEL_DIROPS |
  fuse.MAX_PAGES |
  fuse.HANDLE_KILLPRIV_V2;

/** Answers FUSE requests out of shared folders. */
export class FuseServer {
  readonly #shares: Share[] = [];
  readonly #nodes = new Nodes();
  readonly #files = new OpenFiles(this.#nodes);
  readonly #folders = new OpenFolders(this.#nodes);
  readonly #locks: FileLocks;
  #isMounted = false;

  /** @param holder has the guest's locks, by default away from those of other guests */
  constructor(holder: LockHolder = new LockTable().addHolder()) {
    this.#locks = new FileLocks(this.#files, holder);
  }

  /** Whether the guest has mounted the device. */
  get isMounted(): boolean {
    return this.#isMounted;
  }

  /**
   * Shares a folder, whose root is in the root of the device by its number.
   * @param place as `placeOf` gives it
   */
  add(folder: SharedFolder | Promise<SharedFolder>, readOnly: boolean, place = ''): number {
    const share = new Share(folder, readOnly, this.#shares.length, place);
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
    this.releaseLocks();
    this.#folders.closeAll();
    this.#nodes.forgetAll();
    await this.#files.closeAll();
  }

  /** Lets go of all locks, and answers the requests that wait for some, which would never finish. */
  releaseLocks(): void {
    this.#locks.release();
  }

  /** Carries out FORGET, BATCH_FORGET and INTERRUPT, which have no reply. */
  note(request: Request): void {
    if (request.opcode === fuse.INTERRUPT) this.#locks.interrupt(request);
    else if (request.opcode === fuse.FORGET) this.#nodes.forget(request.node, request.u64());
    else this.#forgetMany(request);
  }

  #forgetMany(request: Request): void {
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
        return this.#files.open(request);
      case fuse.CREATE:
        return this.#files.create(request);
      case fuse.READ:
        return this.#files.read(request, room);
      case fuse.WRITE:
        return this.#files.write(request);
      case fuse.FSYNC:
        return this.#files.sync(request);
      case fuse.RELEASE:
        return this.#files.release(request);
      case fuse.FALLOCATE:
        return this.#files.allocate(request);
      case fuse.COPY_FILE_RANGE:
        return this.#files.copy(request);
      case fuse.GETLK:
        return this.#locks.find(request);
      case fuse.SETLK:
      case fuse.SETLKW:
        return this.#locks.set(request);
      case fuse.STATFS:
        return this.#capacity(request);
      case fuse.OPENDIR:
        return this.#folders.open(request);
      case fuse.READDIR:
        return this.#folders.read(request, room);
      case fuse.READDIRPLUS:
        return this.#folders.readPlus(request, room);
      case fuse.RELEASEDIR:
        return this.#folders.release(request);
      case fuse.SYNCFS:
        return this.#syncAll();
      case fuse.FSYNCDIR:
        return this.#folders.sync(request);
      case fuse.GETXATTR:
      case fuse.LISTXATTR:
      case fuse.SETXATTR:
      case fuse.REMOVEXATTR:
        // ENOSYS is the answer for all files: the guest does not ask again.
        if (!this.#shares.some(({ folder }) => folder.attributes)) fail('ENOSYS');
        return answerAttributes(request, room, this.#nodes);
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
    return entryReply(this.#nodes, fuse.ENTRY_OUT_SIZE, node, await statusOf(node));
  }

  /** The file of a name, as replies to LOOKUP and to what makes files tell it. */
  async #entry(parent: Node, name: string): Promise<Reply> {
    const status = await parent.share.folder.status([...wayOf(parent), name]);
    const node = this.#nodes.found(parent, name, status.inode);
    return entryReply(this.#nodes, fuse.ENTRY_OUT_SIZE, node, status);
  }

  async #getAttributes(request: Request): Promise<Reply> {
    if (request.node === fuse.ROOT_NODE) return attributesReply(DEVICE_ROOT, fuse.ROOT_NODE);
    const flags = request.u32();
    request.skip(4);
    const handle = flags & fuse.GETATTR_FH ? this.#files.find(request.u64()) : undefined;
    const node = this.#nodes.get(request.node);
    return attributesReply(handle ? await handle.file.status() : await statusOf(node), inodeOf(node));
  }

  async #setAttributes(request: Request): Promise<Reply> {
    const node = this.#nodes.writable(request.node);
    const valid = request.u32();
    request.skip(4);
    const handle = this.#files.find(request.u64());
    const changes = await changesOf(request, valid, node);
    await change(node, changes, valid & fuse.FATTR_FH ? handle : undefined);
    return attributesReply(await statusOf(node), inodeOf(node));
  }

  async #readLink(request: Request): Promise<Reply> {
    const node = this.#nodes.get(request.node);
    const target = encodeBytes(await node.share.folder.readLink(wayOf(node)));
    return new Reply(target.length).raw(target);
  }

  async #makeLink(request: Request): Promise<Reply> {
    const parent = this.#nodes.writable(request.node);
    const name = request.name();
    const target = request.string();
    if (target.length > MAX_TARGET) fail('ENAMETOOLONG');
    if (target.length === 0) fail('ENOENT');
    await parent.share.folder.makeLink([...wayOf(parent), name], decodeBytes(target), request);
    return this.#entry(parent, name);
  }

  async #make(request: Request, mode: number): Promise<Reply> {
    const parent = this.#nodes.writable(request.node);
    const name = request.name();
    await parent.share.folder.make([...wayOf(parent), name], mode, request);
    return this.#entry(parent, name);
  }

  async #remove(request: Request): Promise<Reply> {
    const parent = this.#nodes.writable(request.node);
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
    const parent = this.#nodes.writable(request.node);
    const newParent = this.#nodes.writable(newFolder);
    if (parent.share !== newParent.share) fail('EXDEV');
    const [name, newName] = [request.name(), request.name()];
    await parent.share.folder.rename([...wayOf(parent), name], [...wayOf(newParent), newName], rule);
    if (rule === 'exchange') this.#nodes.exchanged(parent, name, newParent, newName);
    else if (parent !== newParent || name !== newName) this.#nodes.renamed(parent, name, newParent, newName);
    return EMPTY;
  }

  async #link(request: Request): Promise<Reply> {
    const node = this.#nodes.get(request.u64());
    const parent = this.#nodes.writable(request.node);
    if (parent.share !== node.share) fail('EXDEV');
    const name = request.name();
    await parent.share.folder.link(wayOf(node), [...wayOf(parent), name]);
    return this.#entry(parent, name);
  }

  async #capacity(request: Request): Promise<Reply> {
    if (request.node === fuse.ROOT_NODE) return new Reply(fuse.STATFS_OUT_SIZE).capacity(NO_CAPACITY);
    const { share } = this.#nodes.get(request.node);
    return new Reply(fuse.STATFS_OUT_SIZE).capacity(await share.folder.capacity());
  }

  async #syncAll(): Promise<Reply> {
    const open = this.#shares.filter(({ readOnly }) => !readOnly);
    await Promise.all(open.map(({ folder }) => folder.syncFolder([])));
    return EMPTY;
  }
}

/** The root of the device, in which the roots of shares are. */
const DEVICE_ROOT: FileStatus = {
  ...{ mode: S_IFDIR | 0o555, size: 0, links: 2, user: 0, group: 0, inode: fuse.ROOT_NODE, allocated: 0 },
  ...{ accessed: 0n, modified: 0n, changed: 0n },
};

const NO_CAPACITY = { blockSize: PAGE, blocks: 0, freeBlocks: 0, availableBlocks: 0, files: 0, freeFiles: 0 };

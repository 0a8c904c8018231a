import { type FolderEntry, S_IFDIR, S_IFMT } from '../../../folders/shared-folder.ts';
import { fail } from './errors.ts';
import * as fuse from './fuse.ts';
import { Reply } from './fuse.ts';
import { type Node, type Nodes, wayOf } from './nodes.ts';
import { addEntry, addName, EMPTY, fittingEntries, inodeOf, MAX_TRANSFER, type Room } from './replies.ts';
import type { Request } from './request.ts';

const MAX_FOLDERS = 1 << 12;
/** `.` and `..`. */
const DOTS = [
  { name: '.', type: S_IFDIR },
  { name: '..', type: S_IFDIR },
];

/** An open folder, with its files as they were when the guest began to read them. */
interface FolderHandle {
  readonly node: Node;
  entries: readonly FolderEntry[] | undefined;
}

/** The folders that the guest has open. */
export class OpenFolders {
  readonly #nodes: Nodes;
  readonly #open = new Map<bigint, FolderHandle>();
  #next = 1n;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  closeAll(): void {
    this.#open.clear();
  }

  open(request: Request): Reply {
    if (this.#open.size >= MAX_FOLDERS) fail('EMFILE');
    // The root of the device has no list: the guest asks for shares by their numbers.
    const node = this.#nodes.get(request.node);
    const id = this.#next++;
    this.#open.set(id, { node, entries: undefined });
    return new Reply(fuse.OPEN_OUT_SIZE).u64(id).u32(0);
  }

  /** The rest of a folder after what the guest has read, and how much of the reply it wants. */
  async #rest(request: Request, room: Room): Promise<[FolderHandle, readonly FolderEntry[], number, number]> {
    const handle = this.#open.get(request.u64()) ?? fail('EBADF');
    const offset = request.offset();
    const size = Math.min(request.u32(), room.size, MAX_TRANSFER);
    if (offset === 0 || !handle.entries)
      handle.entries = [...DOTS, ...(await handle.node.share.folder.list(wayOf(handle.node)))];
    return [handle, handle.entries, offset, size];
  }

  async read(request: Request, room: Room): Promise<Reply> {
    const [, entries, offset, size] = await this.#rest(request, room);
    const reply = new Reply(size);
    for (let at = offset; at < entries.length; at++)
      if (!addName(reply, entries[at] as FolderEntry, at, fuse.UNKNOWN_INODE)) break;
    return reply;
  }

  async readPlus(request: Request, room: Room): Promise<Reply> {
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

  async sync(request: Request): Promise<Reply> {
    const { node } = this.#open.get(request.u64()) ?? fail('EBADF');
    await node.share.folder.syncFolder(wayOf(node));
    return EMPTY;
  }

  release(request: Request): Reply {
    this.#open.delete(request.u64());
    return EMPTY;
  }
}

function isDots(name: string): boolean {
  return name === '.' || name === '..';
}

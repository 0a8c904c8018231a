import type { FileStatus } from '../../../folders/shared-folder.ts';
import { codeOf, fail } from './errors.ts';
import * as fuse from './fuse.ts';
import { Reply } from './fuse.ts';
import { type Nodes, type OpenHandle, wayOf } from './nodes.ts';
import { EMPTY, entryReply, type Filled, MAX_TRANSFER, type Room } from './replies.ts';
import type { Request } from './request.ts';
import { requireSame, sizeOf, withoutPrivileges } from './status.ts';

const MAX_FILES = 1 << 16;
/** The most bytes that a request without content may write. */
const MAX_ZEROS = 256 << 20;
const MAX_COPY = 16 << 20;

/** The files that the guest has open, and what it does with their content. */
export class OpenFiles {
  readonly #nodes: Nodes;
  readonly #open = new Map<bigint, OpenHandle>();
  #next = 1n;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /** One that requests for a file may name. */
  find(id: bigint): OpenHandle | undefined {
    return this.#open.get(id);
  }

  /** The guest has gone. */
  async closeAll(): Promise<void> {
    const opened = [...this.#open.values()];
    this.#open.clear();
    for (const { node } of opened) node.opened.clear();
    await Promise.allSettled(opened.map(({ file }) => file.close()));
  }

  async open(request: Request): Promise<Reply> {
    const flags = request.u32();
    const openFlags = request.u32();
    const node = this.#nodes.get(request.node);
    const access = accessOf(flags);
    if (node.share.readOnly && (access.write || access.truncate)) fail('EROFS');
    this.#requireFiles();
    const mode = access.truncate && openFlags & fuse.OPEN_KILL_SUIDGID && (await withoutPrivileges(node));
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

  async create(request: Request): Promise<Reply> {
    const parent = this.#nodes.writable(request.node);
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
      const reply = entryReply(this.#nodes, fuse.ENTRY_OUT_SIZE + fuse.OPEN_OUT_SIZE, node, status);
      return this.#addFile(reply, { node, file, ...handleOf(accessOf(flags)) }, status);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #requireFiles(): void {
    if (this.#open.size >= MAX_FILES) fail('ENFILE');
  }

  /** Adds struct fuse_open_out. The guest keeps what it has of a content that has not changed. */
  #addFile(reply: Reply, handle: OpenHandle, { modified, changed, size }: FileStatus): Reply {
    const { node } = handle;
    const id = this.#next++;
    this.#open.set(id, handle);
    node.opened.add(handle);
    const content = `${modified} ${changed} ${size}`;
    const isSame = node.seen === content;
    node.seen = content;
    return reply.u64(id).u32(isSame ? fuse.FOPEN_KEEP_CACHE : 0);
  }

  async read(request: Request, room: Room): Promise<Filled> {
    const handle = this.#file(request);
    if (!handle.readable) fail('EBADF');
    const offset = request.offset();
    const size = Math.min(request.u32(), room.size, MAX_TRANSFER);
    const buffers = room.take(size);
    const filled = await handle.file.read(offset, buffers);
    return { filled: Math.max(0, Math.min(filled, size)) };
  }

  async write(request: Request): Promise<Reply> {
    const handle = this.#file(request);
    if (!handle.writable) fail('EBADF');
    const offset = request.offset();
    const size = request.u32();
    const flags = request.u32();
    const given = request.data.reduce((sum, { length }) => sum + length, 0);
    if (given !== size || size > MAX_TRANSFER) fail('EINVAL');
    if (flags & fuse.WRITE_KILL_SUIDGID) {
      const mode = await withoutPrivileges(handle.node);
      if (mode !== undefined) await handle.file.change({ mode });
    }
    await handle.file.write(offset, request.data);
    return new Reply(8).u32(size).u32(0);
  }

  async sync(request: Request): Promise<Reply> {
    const handle = this.#file(request);
    await handle.file.sync((request.u32() & fuse.FSYNC_FDATASYNC) !== 0);
    return EMPTY;
  }

  async release(request: Request): Promise<Reply> {
    const id = request.u64();
    const handle = this.#open.get(id) ?? fail('EBADF');
    this.#open.delete(id);
    handle.node.opened.delete(handle);
    await handle.file.close();
    return EMPTY;
  }

  async allocate(request: Request): Promise<Reply> {
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

  async copy(request: Request): Promise<Reply> {
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

  #file(request: Request): OpenHandle {
    return this.#open.get(request.u64()) ?? fail('EBADF');
  }
}

function accessOf(flags: number) {
  const kind = flags & fuse.O_ACCMODE;
  const write = kind === fuse.O_WRONLY || kind === fuse.O_RDWR;
  return { read: kind !== fuse.O_WRONLY, write, truncate: (flags & fuse.O_TRUNC) !== 0 };
}

function handleOf({ read, write }: { read: boolean; write: boolean }) {
  return { readable: read, writable: write };
}

async function writeZeros(file: OpenHandle['file'], start: number, end: number): Promise<void> {
  if (end - start > MAX_ZEROS) fail('EOPNOTSUPP');
  const zeros = new Uint8Array(Math.min(MAX_TRANSFER, Math.max(0, end - start)));
  for (let at = start; at < end; at += zeros.length)
    await file.write(at, [zeros.subarray(0, Math.min(zeros.length, end - at))]);
}

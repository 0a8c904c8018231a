import type { LockHolder, LockOwner, LockRange, LockType } from '../../../folders/locks.ts';
import { fail } from './errors.ts';
import * as fuse from './fuse.ts';
import { Reply } from './fuse.ts';
import { type Node, wayOf } from './nodes.ts';
import type { OpenFiles } from './open-files.ts';
import { EMPTY } from './replies.ts';
import type { Request } from './request.ts';

/** Interrupts of requests that have not arrived. Most of them are of requests that have been answered. */
const MAX_EARLY = 256;

interface Asked extends LockRange {
  readonly file: string;
  readonly owner: LockOwner;
  /** Missing to unlock. */
  readonly type: LockType | undefined;
}

/**
 * Locks of the guest. Its kernel remembers those that it has, and lets go of them when files and processes
 * end (kernel/patches).
 */
export class FileLocks {
  readonly #files: OpenFiles;
  readonly #holder: LockHolder;
  readonly #names = new WeakMap<Node, string>();
  /** By the requests' numbers. */
  readonly #waits = new Map<bigint, number>();
  readonly #early = new Set<bigint>();
  #next = 0;

  constructor(files: OpenFiles, holder: LockHolder) {
    this.#files = files;
    this.#holder = holder;
  }

  /** Carries out GETLK. */
  async find(request: Request): Promise<Reply> {
    const { file, owner, type, ...range } = this.#asked(request);
    const found = type && (await this.#holder.find(file, owner, range, type));
    const reply = new Reply(fuse.LK_OUT_SIZE);
    if (!found) return reply.u64(0).u64(0).u32(fuse.F_UNLCK).u32(0);
    // A process of another machine has no number here.
    return reply.u64(found.start).u64(found.end).u32(typeNumber(found.type)).u32(0);
  }

  /** Carries out SETLK, and SETLKW, which waits. */
  async set(request: Request): Promise<Reply> {
    const { file, owner, type, ...range } = this.#asked(request);
    if (!type) {
      await this.#holder.unlock(file, owner, range);
      return EMPTY;
    }
    const wait = request.opcode === fuse.SETLKW ? this.#startWait(request.unique) : undefined;
    try {
      const changed = await this.#holder.lock(file, owner, range, type, wait);
      return changed ? new Reply(4).u32(1) : EMPTY;
    } finally {
      if (wait !== undefined) this.#waits.delete(request.unique);
    }
  }

  /** Carries out INTERRUPT, which may come before its request. */
  interrupt(request: Request): void {
    const unique = request.u64();
    const wait = this.#waits.get(unique);
    if (wait === undefined) this.#keepEarly(unique);
    else this.#holder.interrupt(wait);
  }

  #keepEarly(unique: bigint): void {
    this.#early.add(unique);
    const [oldest] = this.#early.size > MAX_EARLY ? this.#early : [];
    if (oldest !== undefined) this.#early.delete(oldest);
  }

  /** Lets go of all locks, and answers the requests that wait. */
  release(): void {
    this.#early.clear();
    this.#holder.release();
  }

  #startWait(unique: bigint): number {
    if (this.#early.delete(unique)) fail('EINTR');
    if (this.#waits.has(unique)) fail('EINVAL');
    const wait = this.#next++;
    this.#waits.set(unique, wait);
    return wait;
  }

  /** Reads struct fuse_lk_in. */
  #asked(request: Request): Asked {
    const { node } = this.#files.find(request.u64()) ?? fail('EBADF');
    const number = request.u64();
    const [start, end, type] = [request.u64(), request.u64(), request.u32()];
    request.skip(4);
    const flags = request.u32();
    if (start > end || end > fuse.OFFSET_MAX || type > fuse.F_UNLCK) fail('EINVAL');
    const kind = flags & fuse.LK_FLOCK ? 'flock' : flags & fuse.LK_OPEN_FILE ? 'open-file' : 'process';
    return { file: this.#nameOf(node), owner: { kind, number }, start, end, type: TYPES[type] };
  }

  /** By which all machines of the thread know a file: its inode, or its names if the folder knows none. */
  #nameOf(node: Node): string {
    const { share, inode } = node;
    const name = this.#names.get(node) ?? `${share.place}/${inode || wayOf(node).join('/')}`;
    this.#names.set(node, name);
    return name;
  }
}

/** By F_RDLCK, F_WRLCK and F_UNLCK. */
const TYPES: readonly (LockType | undefined)[] = ['read', 'write', undefined];

function typeNumber(type: LockType): number {
  return TYPES.indexOf(type);
}

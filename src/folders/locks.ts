/**
 * Locks on files of shared folders, by the rules of fcntl(2) and flock(2), between all machines of a thread.
 * A machine has the locks of its guest as a `LockHolder`, until it ends.
 */
import { FolderError } from './shared-folder.ts';

/** The most that a machine has: ranges, ranges of one file, and requests that wait. */
export const MAX_LOCKS = 1 << 16;
export const MAX_LOCKS_OF_FILE = 1024;
export const MAX_WAITING = 128;
/** Files without locks of which the table knows who has seen the last changes. */
export const MAX_QUIET = 4096;
/** How many processes that wait for each other are looked at. Linux looks at 10. */
const MAX_CHAIN = 32;

export type LockType = 'read' | 'write';

/** A range of bytes, ends included. */
export interface LockRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Who asks: two owners are the same if the kinds and the numbers are. */
export interface LockOwner {
  /**
   * Locks of flock(2) and those of fcntl(2) do not keep each other away. Owners of kind `open-file` are
   * like processes, but Linux looks for no deadlock between them.
   */
  readonly kind: 'process' | 'open-file' | 'flock';
  readonly number: bigint;
}

/** The locks of a machine. */
export interface LockHolder {
  /** Finds a lock that keeps the owner from having one. */
  find(file: string, owner: LockOwner, range: LockRange, type: LockType): Promise<FoundLock | undefined>;
  /**
   * Gives the owner a lock, in place of those that it has in the range.
   * @param wait a number by which `interrupt` ends the wait for others; without it nothing waits
   * @returns whether another machine may have changed files since this one had a lock of the file
   * @throws EAGAIN, EDEADLK, EINTR, ENOLCK
   */
  lock(file: string, owner: LockOwner, range: LockRange, type: LockType, wait?: number): Promise<boolean>;
  /** Takes what the owner has in the range. @throws ENOLCK if too many ranges would be left */
  unlock(file: string, owner: LockOwner, range: LockRange): Promise<void>;
  /** Has a request that waits fail with EINTR. */
  interrupt(wait: number): void;
  /** Lets go of all locks, and ends all waits. */
  release(): void;
}

export interface FoundLock extends LockRange {
  readonly type: LockType;
}

interface Lock extends FoundLock {
  readonly holder: Holder;
  readonly owner: LockOwner;
  /** Of its owner, who has no lock of another key. */
  readonly key: string;
}

interface Waiting {
  readonly file: LockedFile;
  readonly lock: Lock;
  /** One of those that keep it from the lock. */
  blocker: Lock;
  /** Nothing keeps it from the lock any more. */
  grant(): void;
  interrupt(): void;
}

interface LockedFile {
  readonly name: string;
  locks: Lock[];
  /** In the order of their requests. */
  readonly waiting: Set<Waiting>;
  /** Those that have had a lock since the last change that a lock protected; all, if it is missing. */
  current: Set<LockHolder> | undefined;
}

/** All locks of a thread's machines. */
export class LockTable {
  readonly #locked = new Map<string, LockedFile>();
  #holders = 0;
  /** Files without locks, the longest unused first. */
  readonly #quiet = new Map<string, LockedFile>();
  /** Those that are in `current` of all files that are forgotten. */
  #current: Set<LockHolder> | undefined;
  /** All that wait in the order in which deadlocks are looked for. */
  readonly waiting = new Set<Waiting>();

  /** The locks of one more machine. */
  addHolder(): LockHolder {
    return new Holder(this, this.#holders++);
  }

  /** Lets go of the locks of a machine that has ended. What it knows is of no use to others. */
  removeHolder(holder: LockHolder): void {
    holder.release();
    const known = [...this.#locked.values(), ...this.#quiet.values()];
    for (const current of [this.#current, ...known.map(({ current }) => current)]) current?.delete(holder);
  }

  find(name: string): LockedFile {
    const known = this.#locked.get(name) ?? this.#quiet.get(name);
    return known ?? { name, locks: [], waiting: new Set(), current: this.#current && new Set(this.#current) };
  }

  /** Keeps the state of a file as long as it has locks, and that of some others. */
  keep(file: LockedFile): void {
    const { name } = file;
    const [from, to] = file.locks.length > 0 ? [this.#quiet, this.#locked] : [this.#locked, this.#quiet];
    from.delete(name);
    to.set(name, file);
    const [oldest] = this.#quiet.size > MAX_QUIET ? this.#quiet.values() : [];
    if (oldest) this.#forget(oldest);
  }

  #forget({ name, current }: LockedFile): void {
    this.#quiet.delete(name);
    if (current) this.#current = new Set([...current].filter((one) => this.#current?.has(one) ?? true));
  }
}

/** Those of this thread's machines. */
export const locks = new LockTable();

class Holder implements LockHolder {
  readonly #table: LockTable;
  readonly #number: number;
  readonly #waiting = new Map<number, Waiting>();
  /** How many locks it has of each file, and of all. */
  readonly #files = new Map<LockedFile, number>();
  #locks = 0;

  constructor(table: LockTable, number: number) {
    this.#table = table;
    this.#number = number;
  }

  async find(name: string, owner: LockOwner, range: LockRange, type: LockType) {
    const lock = this.#lockOf(owner, range, type);
    const found = this.#table.find(name).locks.find((other) => conflict(other, lock));
    return found && { type: found.type, start: found.start, end: found.end };
  }

  async lock(name: string, owner: LockOwner, range: LockRange, type: LockType, wait?: number) {
    const file = this.#table.find(name);
    const lock = this.#lockOf(owner, range, type);
    // flock(2) gives up the old lock before it waits for another one.
    if (blockerOf(file, lock) && owner.kind === 'flock') this.#replace(file, lock, []);
    const blocker = blockerOf(file, lock);
    return blocker ? this.#wait(file, lock, blocker, wait) : this.#grant(file, lock);
  }

  async unlock(name: string, owner: LockOwner, range: LockRange): Promise<void> {
    this.#replace(this.#table.find(name), this.#lockOf(owner, range, 'read'), []);
  }

  interrupt(wait: number): void {
    this.#waiting.get(wait)?.interrupt();
  }

  release(): void {
    for (const waiting of [...this.#waiting.values()]) waiting.interrupt();
    for (const file of [...this.#files.keys()]) {
      const own = new Set(file.locks.filter(({ holder }) => holder === this));
      this.#noteChanges(file, own, []);
      this.#setLocks(file, own, []);
    }
  }

  #lockOf({ kind, number }: LockOwner, { start, end }: LockRange, type: LockType): Lock {
    return {
      holder: this,
      owner: { kind, number },
      key: `${this.#number} ${kind} ${number}`,
      start,
      end,
      type,
    };
  }

  #wait(file: LockedFile, lock: Lock, blocker: Lock, id: number | undefined): Promise<boolean> {
    if (id === undefined) throw new FolderError('EAGAIN');
    if (this.#waiting.size >= MAX_WAITING) throw new FolderError('ENOLCK');
    if (isDeadlock(this.#table.waiting, file, lock)) throw new FolderError('EDEADLK');
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.delete(id);
        this.#table.waiting.delete(waiting);
        file.waiting.delete(waiting);
      };
      const grant = () => {
        stop();
        resolve(this.#grant(file, lock));
      };
      const interrupt = () => {
        stop();
        reject(new FolderError('EINTR'));
      };
      const waiting = { file, lock, blocker, grant, interrupt };
      this.#waiting.set(id, waiting);
      this.#table.waiting.add(waiting);
      file.waiting.add(waiting);
    });
  }

  /** @returns whether others may have changed files */
  async #grant(file: LockedFile, lock: Lock): Promise<boolean> {
    this.#replace(file, lock, [lock]);
    const isCurrent = file.current?.has(this) ?? true;
    file.current?.add(this);
    return !isCurrent;
  }

  /** Puts locks in the place of what the owner has in a range. */
  #replace(file: LockedFile, range: Lock, added: readonly Lock[]): void {
    const old = new Set(file.locks.filter((lock) => lock.key === range.key && touches(lock, range)));
    const kept = merged([...[...old].flatMap((lock) => without(lock, range)), ...added]);
    const growth = kept.length - old.size;
    if (growth > 0) {
      const ofFile = this.#files.get(file) ?? 0;
      if (ofFile + growth > MAX_LOCKS_OF_FILE || this.#locks + growth > MAX_LOCKS)
        throw new FolderError('ENOLCK');
    }
    this.#noteChanges(file, old, kept);
    this.#setLocks(file, old, kept);
  }

  /** What a lock to write protected may be different for all others, once it is given up. */
  #noteChanges(file: LockedFile, old: ReadonlySet<Lock>, kept: readonly Lock[]): void {
    if (![...old].some((lock) => lock.type === 'write' && !isCovered(lock, kept))) return;
    file.current = new Set((file.current?.has(this) ?? true) ? [this] : []);
  }

  /** Has locks of this holder in the place of others, and gives the file to those that wait for it. */
  #setLocks(file: LockedFile, old: ReadonlySet<Lock>, added: readonly Lock[]): void {
    const growth = added.length - old.size;
    const count = (this.#files.get(file) ?? 0) + growth;
    this.#locks += growth;
    if (count > 0) this.#files.set(file, count);
    else this.#files.delete(file);
    file.locks = [...file.locks.filter((lock) => !old.has(lock)), ...added];
    this.#table.keep(file);
    for (const waiting of file.waiting) {
      if (!old.has(waiting.blocker)) continue;
      const blocker = blockerOf(file, waiting.lock);
      if (blocker) waiting.blocker = blocker;
      else waiting.grant();
    }
  }
}

function conflict(one: Lock, other: Lock): boolean {
  const sameRules = (one.owner.kind === 'flock') === (other.owner.kind === 'flock');
  const overlap = one.start <= other.end && other.start <= one.end;
  return sameRules && overlap && (one.type === 'write' || other.type === 'write') && one.key !== other.key;
}

/** The youngest lock that keeps an owner from having another one. */
function blockerOf(file: LockedFile, lock: Lock): Lock | undefined {
  return file.locks.findLast((other) => conflict(other, lock));
}

/** Whether those that keep a process from a lock wait for the process itself. */
function isDeadlock(all: Iterable<Waiting>, file: LockedFile, wanted: Lock): boolean {
  if (wanted.owner.kind !== 'process') return false;
  const left = new Set([...all].filter(({ lock }) => lock.owner.kind === 'process'));
  const next: Pick<Waiting, 'file' | 'lock'>[] = [{ file, lock: wanted }];
  for (const [index, { file, lock }] of next.entries()) {
    if (index === MAX_CHAIN) break;
    const blocking = new Set(file.locks.filter((other) => conflict(other, lock)).map(({ key }) => key));
    if (blocking.has(wanted.key)) return true;
    for (const waiting of left) {
      if (!blocking.has(waiting.lock.key)) continue;
      left.delete(waiting);
      next.push(waiting);
    }
  }
  return false;
}

/** Whether they overlap, or one begins where the other ends. */
function touches(one: LockRange, other: LockRange): boolean {
  return one.start <= other.end + 1n && other.start <= one.end + 1n;
}

function without(lock: Lock, { start, end }: LockRange): Lock[] {
  if (lock.end < start || lock.start > end) return [lock];
  return [
    ...(lock.start < start ? [{ ...lock, end: start - 1n }] : []),
    ...(lock.end > end ? [{ ...lock, start: end + 1n }] : []),
  ];
}

/** Joins locks of an owner, which do not overlap, where one of the same type begins at another's end. */
function merged(locks: readonly Lock[]): Lock[] {
  const joined: Lock[] = [];
  for (const lock of [...locks].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = joined.at(-1);
    if (last && last.type === lock.type && last.end + 1n === lock.start)
      joined[joined.length - 1] = { ...last, end: lock.end };
    else joined.push(lock);
  }
  return joined;
}

function isCovered({ start, end }: Lock, locks: readonly Lock[]): boolean {
  return locks.some((lock) => lock.type === 'write' && lock.start <= start && lock.end >= end);
}

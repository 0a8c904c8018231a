import { explained, explainHandleError } from './picked-errors.ts';
import { PickedFile } from './picked-file.ts';
import {
  type Access,
  type Capacity,
  type Changes,
  type FileStatus,
  type FolderEntry,
  FolderError,
  isFolder,
  type OpenFile,
  type Owner,
  type RenameRule,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  type SharedFolder,
  type Way,
} from './shared-folder.ts';

const PERMISSIONS = 0o7777;
const FILE_MODE = S_IFREG | 0o644;
const FOLDER_MODE = S_IFDIR | 0o755;
const BLOCK = 4096;
/** What is said of its room, because browsers do not tell it: a TiB. */
const BLOCKS = 2 ** 28;
/**
 * How many files may have a status that differs from the usual one, and how many folders have a handle at
 * hand.
 */
const MOST_STATUS = 1 << 16;
const MOST_FOLDERS = 1024;
const NANOSECONDS_PER_MS = 1_000_000n;

type FileHandle = FileSystemFileHandle & {
  /** Chromium and Firefox have it for some files. */
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
};
type Handle = FileHandle | FileSystemDirectoryHandle;

/** What handles do not keep. */
interface Kept {
  mode?: number | undefined;
  user?: number | undefined;
  group?: number | undefined;
  accessed?: bigint | undefined;
  modified?: bigint | undefined;
  changed?: bigint | undefined;
  /** The time of the file for which `modified` stands. */
  instead?: number | undefined;
}

/**
 * A folder of the computer that the user has picked, by the File System Access API. Modes, owners and times
 * that the guest sets are kept in memory, as long as the folder is shared. There are no links.
 */
export class PickedFolder implements SharedFolder {
  readonly #root: FileSystemDirectoryHandle;
  readonly #folders = new Map<string, FileSystemDirectoryHandle>();
  readonly #kept = new Map<string, Kept>();
  readonly #opened = new Map<string, PickedFile>();
  readonly #since = now();

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  async status(way: Way): Promise<FileStatus> {
    const opened = this.#opened.get(keyOf(way));
    return opened ? this.#fileStatus(way, opened) : this.#statusOf(way, await this.#find(way));
  }

  async list(way: Way): Promise<readonly FolderEntry[]> {
    const folder = await this.#folder(way);
    return explained(async () => {
      const entries: FolderEntry[] = [];
      for await (const [name, { kind }] of folder.entries())
        entries.push({ name, type: kind === 'file' ? S_IFREG : S_IFDIR });
      return entries;
    });
  }

  async open(way: Way, { truncate }: Access): Promise<OpenFile> {
    const known = this.#opened.get(keyOf(way));
    const handle = known ? undefined : await this.#find(way);
    if (handle?.kind === 'directory') throw new FolderError('EISDIR');
    const opened = this.#use(way, handle);
    try {
      if (truncate) await opened.resize(0);
      return this.#openFile(way, opened);
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  async create(way: Way, mode: number, owner: Owner): Promise<OpenFile> {
    const handle = await this.#add(way, S_IFREG | (mode & PERMISSIONS), owner);
    return this.#openFile(way, this.#use(way, handle as FileHandle));
  }

  async make(way: Way, mode: number, owner: Owner): Promise<void> {
    await this.#add(way, mode, owner);
  }

  async makeLink(way: Way): Promise<void> {
    await this.#requireFree(way);
    throw new FolderError('EPERM');
  }

  async readLink(): Promise<string> {
    throw new FolderError('EINVAL');
  }

  async link(way: Way, newWay: Way): Promise<void> {
    await this.#find(way);
    await this.#requireFree(newWay);
    throw new FolderError('EPERM');
  }

  async remove(way: Way): Promise<void> {
    const handle = await this.#find(way);
    if (handle.kind === 'directory') throw new FolderError('EISDIR');
    await this.#detach(way);
    await this.#removeEntry(way);
  }

  async removeFolder(way: Way): Promise<void> {
    const handle = await this.#find(way);
    if (handle.kind === 'file') throw new FolderError('ENOTDIR');
    await requireEmpty(handle);
    await this.#removeEntry(way);
  }

  async rename(way: Way, newWay: Way, rule: RenameRule): Promise<void> {
    if (rule === 'exchange' || isBelow(newWay, way)) throw new FolderError('EINVAL');
    const handle = await this.#find(way);
    const other = await this.#find(newWay).catch(orMissing);
    if (other && rule === 'keep') throw new FolderError('EEXIST');
    if (keyOf(way) === keyOf(newWay)) return;
    if (other) await this.#requireReplaceable(handle, other);
    const folder = await this.#folder(newWay.slice(0, -1));
    for (const opened of this.#openedIn(way).values()) await opened.sync();
    if (other?.kind === 'file') await this.#detach(newWay);
    await explained(() => moveTo(handle, folder, nameOf(newWay), async () => this.#removeTree(way)));
    this.#moved(way, newWay);
    this.#touch(way.slice(0, -1));
    this.#touch(newWay.slice(0, -1));
    for (const [key, opened] of this.#openedIn(newWay))
      opened.renamed((await this.#find(key.split('/'))) as FileHandle);
  }

  /** The open files that are this one or below it. */
  #openedIn(way: Way): Map<string, PickedFile> {
    return new Map([...this.#opened].filter(([key]) => isWithin(key, keyOf(way))));
  }

  async change(way: Way, changes: Changes): Promise<void> {
    const handle = await this.#find(way);
    if (changes.size !== undefined) {
      if (handle.kind === 'directory') throw new FolderError('EISDIR');
      const opened = this.#use(way, handle);
      try {
        await opened.resize(changes.size);
      } finally {
        await opened.close();
      }
    }
    await this.#keep(way, changes, handle.kind === 'file' ? handle : undefined);
  }

  async syncFolder(): Promise<void> {
    await Promise.all(Array.from(this.#opened.values(), (opened) => opened.sync()));
  }

  async capacity(): Promise<Capacity> {
    const [blocks, files] = [BLOCKS, BLOCKS];
    const free = { freeBlocks: blocks, availableBlocks: blocks, freeFiles: files };
    return { blockSize: BLOCK, blocks, files, ...free };
  }

  close(): Promise<void> {
    return this.syncFolder();
  }

  /** The open file of a way, with one user more. */
  #use(way: Way, handle: FileHandle | undefined): PickedFile {
    const key = keyOf(way);
    const known = this.#opened.get(key);
    if (known) return known.use();
    const opened = new PickedFile(handle as FileHandle, () => {
      for (const [key, other] of this.#opened) if (other === opened) this.#opened.delete(key);
    });
    this.#opened.set(key, opened);
    return opened.use();
  }

  #openFile(way: Way, opened: PickedFile): OpenFile {
    /** Its name may change. */
    const wayNow = () => {
      for (const [key, other] of this.#opened) if (other === opened) return key === '' ? [] : key.split('/');
      return undefined;
    };
    return {
      status: () => this.#fileStatus(wayNow() ?? way, opened),
      read: (position, into) => opened.read(position, into),
      write: (position, from) => opened.write(position, from),
      change: async ({ size, ...changes }) => {
        if (size !== undefined) await opened.resize(size);
        const present = wayNow();
        if (present) await this.#keep(present, changes, opened.handle);
      },
      sync: () => opened.sync(),
      close: () => opened.close(),
    };
  }

  async #fileStatus(way: Way, opened: PickedFile): Promise<FileStatus> {
    const { size, lastModified } = await opened.measure();
    const kept = opened.isDetached ? {} : (this.#kept.get(keyOf(way)) ?? {});
    return statusOf(FILE_MODE, { size, lastModified }, kept, opened.isDetached ? 0 : 1);
  }

  async #statusOf(way: Way, handle: Handle): Promise<FileStatus> {
    const kept = this.#kept.get(keyOf(way)) ?? {};
    if (handle.kind === 'file') return statusOf(FILE_MODE, await explained(() => handle.getFile()), kept, 1);
    return statusOf(FOLDER_MODE, { size: BLOCK, lastModified: this.#since }, kept, 2);
  }

  /** @throws EEXIST */
  async #add(way: Way, mode: number, owner: Owner): Promise<Handle> {
    const type = mode & S_IFMT;
    await this.#requireFree(way);
    if (type !== S_IFREG && type !== S_IFDIR) throw new FolderError('EPERM');
    const parent = await this.#folder(way.slice(0, -1));
    const handle = await explained<Handle>(() =>
      type === S_IFREG
        ? parent.getFileHandle(nameOf(way), { create: true })
        : parent.getDirectoryHandle(nameOf(way), { create: true }),
    );
    this.#setKept(way, { mode, user: owner.user, group: owner.group });
    this.#touch(way.slice(0, -1));
    return handle;
  }

  async #requireFree(way: Way): Promise<void> {
    if (await this.#find(way).catch(orMissing)) throw new FolderError('EEXIST');
  }

  async #requireReplaceable(handle: Handle, other: Handle): Promise<void> {
    if (handle.kind === 'file' && other.kind === 'directory') throw new FolderError('EISDIR');
    if (handle.kind === 'directory' && other.kind === 'file') throw new FolderError('ENOTDIR');
    if (other.kind === 'directory') await requireEmpty(other);
  }

  async #removeEntry(way: Way): Promise<void> {
    const parent = await this.#folder(way.slice(0, -1));
    await explained(() => parent.removeEntry(nameOf(way)));
    this.#forget(way);
    this.#touch(way.slice(0, -1));
  }

  async #removeTree(way: Way): Promise<void> {
    const parent = await this.#folder(way.slice(0, -1));
    await explained(() => parent.removeEntry(nameOf(way), { recursive: true }));
  }

  /** Keeps the content of an open file whose name goes. */
  async #detach(way: Way): Promise<void> {
    await this.#opened.get(keyOf(way))?.detach();
    this.#opened.delete(keyOf(way));
  }

  async #keep(way: Way, changes: Changes, file: FileHandle | undefined): Promise<void> {
    const { mode, user, group, accessed, modified } = changes;
    if ([mode, user, group, accessed, modified].every((value) => value === undefined)) return;
    const kept = { ...this.#kept.get(keyOf(way)), changed: BigInt(now()) * NANOSECONDS_PER_MS };
    const type = file ? S_IFREG : S_IFDIR;
    if (mode !== undefined) kept.mode = type | (mode & PERMISSIONS);
    if (user !== undefined) kept.user = user;
    if (group !== undefined) kept.group = group;
    if (accessed !== undefined) kept.accessed = accessed;
    if (modified !== undefined) {
      const opened = this.#opened.get(keyOf(way));
      await opened?.sync();
      kept.modified = modified;
      kept.instead = file && (await explained(() => file.getFile())).lastModified;
    }
    this.#setKept(way, kept);
  }

  #setKept(way: Way, kept: Kept): void {
    const key = keyOf(way);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.size > MOST_STATUS ? this.#kept.keys() : [];
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  /** The content of a folder has changed. */
  #touch(way: Way): void {
    const time = BigInt(now()) * NANOSECONDS_PER_MS;
    this.#setKept(way, { ...this.#kept.get(keyOf(way)), modified: time, changed: time, instead: undefined });
  }

  #forget(way: Way): void {
    const key = keyOf(way);
    for (const map of [this.#folders, this.#kept])
      for (const known of map.keys()) if (isWithin(known, key)) map.delete(known);
  }

  #moved(way: Way, newWay: Way): void {
    const [key, newKey] = [keyOf(way), keyOf(newWay)];
    this.#kept.delete(newKey);
    for (const map of [this.#kept, this.#opened] as Map<string, unknown>[])
      for (const [known, value] of [...map])
        if (isWithin(known, key)) {
          map.delete(known);
          map.set(newKey + known.slice(key.length), value);
        }
    this.#forgetFolders(key);
    this.#forgetFolders(newKey);
  }

  #forgetFolders(key: string): void {
    for (const known of this.#folders.keys()) if (isWithin(known, key)) this.#folders.delete(known);
  }

  /** @throws ENOENT, ENOTDIR */
  async #find(way: Way): Promise<Handle> {
    if (way.length === 0) return this.#root;
    const name = nameOf(way);
    const parent = await this.#folder(way.slice(0, -1));
    return explained(async () => {
      try {
        return await parent.getFileHandle(name);
      } catch (error) {
        if ((error as Error).name !== 'TypeMismatchError') throw error;
        return parent.getDirectoryHandle(name);
      }
    });
  }

  /** @throws ENOENT, ENOTDIR */
  async #folder(way: Way): Promise<FileSystemDirectoryHandle> {
    if (way.length === 0) return this.#root;
    const key = keyOf(way);
    const known = this.#folders.get(key);
    if (known) return known;
    const parent = await this.#folder(way.slice(0, -1));
    const folder = await explained(() => parent.getDirectoryHandle(nameOf(way)), 'ENOTDIR');
    this.#folders.set(key, folder);
    const [oldest] = this.#folders.size > MOST_FOLDERS ? this.#folders.keys() : [];
    if (oldest !== undefined) this.#folders.delete(oldest);
    return folder;
  }
}

function keyOf(way: Way): string {
  return way.join('/');
}

/** Whether a file is another one, or below it. */
function isWithin(key: string, folder: string): boolean {
  return key === folder || key.startsWith(`${folder}/`);
}

function isBelow(way: Way, folder: Way): boolean {
  return way.length > folder.length && isWithin(keyOf(way), keyOf(folder));
}

/** The last name. @throws EBUSY for the root, EINVAL for one that handles cannot have */
function nameOf(way: Way): string {
  const name = way.at(-1);
  if (name === undefined) throw new FolderError('EBUSY');
  if (/[\ud800-\udfff]/u.test(name)) throw new FolderError('EINVAL');
  return name;
}

function orMissing(error: unknown): undefined {
  if (explainHandleError(error).code !== 'ENOENT') throw error;
}

async function requireEmpty(folder: FileSystemDirectoryHandle): Promise<void> {
  await explained(async () => {
    for await (const _ of folder.keys()) throw new FolderError('ENOTEMPTY');
  });
}

/** Moves a file where the browser can, and copies it and removes the old one where not. */
async function moveTo(
  handle: Handle,
  folder: FileSystemDirectoryHandle,
  name: string,
  removeOld: () => Promise<void>,
): Promise<void> {
  if (handle.kind === 'file' && handle.move)
    try {
      return await handle.move(folder, name);
    } catch {
      // Not for this file, or not onto another one.
    }
  await copyTo(handle, folder, name);
  await removeOld();
}

async function copyTo(handle: Handle, folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  if (handle.kind === 'file') {
    const file = await folder.getFileHandle(name, { create: true });
    await (await handle.getFile()).stream().pipeTo(await file.createWritable());
    return;
  }
  const copy = await folder.getDirectoryHandle(name, { create: true });
  for await (const [name, child] of handle.entries()) await copyTo(child as Handle, copy, name);
}

function statusOf(
  usual: number,
  { size, lastModified }: { readonly size: number; readonly lastModified: number },
  { mode = usual, user = 0, group = 0, ...kept }: Kept,
  links: number,
): FileStatus {
  const time = BigInt(Math.round(lastModified)) * NANOSECONDS_PER_MS;
  const isKept = kept.modified !== undefined && (isFolder(mode) || kept.instead === lastModified);
  const modified = isKept ? (kept.modified as bigint) : time;
  return {
    ...{ mode, user, group, size, links, modified },
    accessed: kept.accessed ?? modified,
    changed: kept.changed !== undefined && kept.changed > time ? kept.changed : time,
    inode: 0n,
    allocated: Math.ceil(size / BLOCK) * BLOCK,
  };
}

/** In ms since 1970. */
function now(): number {
  return Date.now();
}

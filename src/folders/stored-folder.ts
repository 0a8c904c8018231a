import type { DiskFile, DiskFiles } from '../storage/disk-files.ts';
import { StorageError, StorageFullError } from '../storage/errors.ts';
import { BlockContent, Blocks, type Extent } from './blocks.ts';
import { Journal } from './journal.ts';
import { type Capacity, FolderError, isFolder } from './shared-folder.ts';
import { BLOCK, costOf, type Inode, NAME_COST, Room, TreeFolder } from './tree-folder.ts';

/** What the tree of files may take of memory: room for 262 144 files. */
const MOST_TREE = 256 << 20;
/** The longest time until a change is durable without `fsync`, in ms. */
const DELAY = 2000;
const ROOT = 1;

/** A file as the journal has it. */
interface StoredFile {
  readonly number: number;
  readonly mode: number;
  readonly owner: readonly [user: number, group: number];
  readonly size: number;
  /** Accessed, modified, changed: in nanoseconds, which are too many for JSON's numbers. */
  readonly times: readonly [string, string, string];
  readonly target?: string | undefined;
  readonly extents?: readonly Extent[] | undefined;
  /** Names and values; a character for each byte. */
  readonly attributes?: readonly (readonly [string, string])[] | undefined;
}

/** A name in a folder, and the number of its file; 0 if it has gone. */
type StoredName = readonly [parent: number, name: string, file: number];

interface StoredChange {
  /** The number of the next file. */
  readonly next: number;
  readonly files: readonly StoredFile[];
  readonly names: readonly StoredName[];
}

/** Where a folder is stored. */
export interface FolderStore {
  readonly files: DiskFiles;
  /** The bytes that the host still has. */
  free(): Promise<number>;
}

/** The names of its files in the store. */
export function filesOf(name: string): readonly [content: string, first: string, second: string] {
  return [`${name}.content`, `${name}.tree0`, `${name}.tree1`];
}

/**
 * A folder that outlives containers: the contents of all its files in the blocks of one file of the store,
 * and the tree in a journal. What `fsync` was called for survives the loss of power, and all else does after
 * two seconds.
 */
export class StoredFolder extends TreeFolder {
  readonly #blocks: Blocks;
  readonly #content: DiskFile;
  readonly #trees: readonly [DiskFile, DiskFile];
  readonly #journal: Journal<StoredChange, StoredChange>;
  readonly #free: FolderStore['free'];
  /** What is not in the journal yet. */
  #changed = new Set<Inode>();
  #names = new Map<Inode, Map<string, Inode | undefined>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Promise<void> = Promise.resolve();

  /** Opens a folder, which is made if it is missing. It has one user at a time. @throws StorageError */
  static async open({ files, free }: FolderStore, name: string): Promise<StoredFolder> {
    const [content, ...trees] = filesOf(name);
    const opened: DiskFile[] = [];
    try {
      for (const file of [content, ...trees]) opened.push(await files.open(file));
      return new StoredFolder(opened as [DiskFile, DiskFile, DiskFile], free);
    } catch (error) {
      for (const file of opened) file.close();
      throw error;
    }
  }

  private constructor([content, ...trees]: [DiskFile, DiskFile, DiskFile], free: FolderStore['free']) {
    const blocks = new Blocks();
    super(new Room(MOST_TREE), () => new BlockContent(content, blocks));
    this.#blocks = blocks;
    this.#content = content;
    this.#trees = trees;
    this.#free = free;
    this.#journal = new Journal(trees);
    const stored = this.#journal.read();
    if (stored) this.#restore([stored.state, ...stored.changes]);
  }

  protected override changedInode(inode: Inode): void {
    this.#changed.add(inode);
    this.#commitLater();
  }

  protected override changedName(parent: Inode, name: string, inode: Inode | undefined): void {
    const names = this.#names.get(parent) ?? new Map<string, Inode | undefined>();
    this.#names.set(parent, names.set(name, inode));
    this.#commitLater();
  }

  /** Makes all of it durable, because the journal has one order. */
  sync(): Promise<void> {
    this.#last = this.#last.catch(() => {}).then(() => this.#commit());
    return this.#last;
  }

  syncFolder(): Promise<void> {
    return this.sync();
  }

  async capacity(): Promise<Capacity> {
    const free = this.#blocks.unused + Math.floor((await this.#free()) / BLOCK);
    const freeFiles = Math.floor((this.room.limit - this.room.used) / costOf(''));
    return {
      blockSize: BLOCK,
      blocks: this.#blocks.end + free - this.#blocks.unused,
      ...{ freeBlocks: free, availableBlocks: free },
      files: this.files + freeFiles,
      freeFiles,
    };
  }

  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      clearTimeout(this.#timer);
      for (const file of [this.#content, ...this.#trees]) file.close();
    }
  }

  #commitLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // The next fsync says why.
      this.sync().catch(() => {});
    }, DELAY);
    (this.#timer as { unref?(): void }).unref?.();
  }

  /** @throws ENOSPC, EIO */
  async #commit(): Promise<void> {
    if (this.#changed.size === 0) return;
    const [changed, names, freed] = [this.#changed, this.#names, this.#blocks.takeFreed()];
    this.#changed = new Set();
    this.#names = new Map();
    const isWhole = this.#journal.isLong;
    const change = isWhole ? this.#wholeTree() : this.#changeOf(changed, names);
    try {
      // A tree must not have blocks whose content is lost.
      await this.#content.flush();
      await (isWhole ? this.#journal.begin(change) : this.#journal.append(change));
    } catch (error) {
      for (const inode of changed) this.#changed.add(inode);
      for (const [parent, old] of names)
        this.#names.set(parent, new Map([...old, ...(this.#names.get(parent) ?? [])]));
      for (const { block, count } of freed) this.#blocks.free(block, count);
      throw error instanceof StorageFullError ? new FolderError('ENOSPC') : error;
    }
    for (const { block, count } of freed) this.#blocks.giveBack(block, count);
  }

  #changeOf(
    changed: Iterable<Inode>,
    names: Iterable<[Inode, Map<string, Inode | undefined>]>,
  ): StoredChange {
    return {
      next: this.next,
      files: Array.from(changed, storedFile),
      names: Array.from(names, ([parent, names]) =>
        Array.from(names, ([name, inode]): StoredName => [parent.number, name, inode?.number ?? 0]),
      ).flat(),
    };
  }

  #wholeTree(): StoredChange {
    const all = new Set([this.root]);
    // Folders that are added meanwhile are visited too.
    for (const { children } of all) for (const inode of children.values()) all.add(inode);
    return this.#changeOf(
      all,
      Array.from(all, (inode) => [inode, inode.children]),
    );
  }

  /** Makes the tree from the root on. What has no name any more is left out. */
  #restore(changes: readonly StoredChange[]): void {
    const { files, names } = merge(changes);
    const inodes = new Map([[ROOT, this.root]]);
    // Those that are added meanwhile are visited too.
    for (const [number, inode] of inodes) {
      const file = files.get(number);
      if (file) fill(inode, file);
      for (const [name, child] of names.get(number) ?? []) {
        const { mode, target } = files.get(child) ?? damaged();
        const known = inodes.get(child);
        const added = known ?? this.addInode({ mode, target, number: child, user: 0, group: 0 });
        if (isFolder(mode)) [added.links, inode.links] = [2, inode.links + 1];
        else if (known) added.links++;
        this.room.charge(known ? NAME_COST : costOf(added.target));
        inodes.set(child, added);
        inode.children.set(name, added);
      }
    }
    this.next = changes.at(-1)?.next ?? this.next;
    this.#blocks.restore([...inodes.values()].flatMap(({ content }) => (content as BlockContent).extents));
    const end = this.#blocks.end * BLOCK;
    if (this.#content.size < end) damaged();
    this.#content.resize(end);
  }
}

/** The last word about each file and each name. */
function merge(changes: readonly StoredChange[]) {
  const files = new Map<number, StoredFile>();
  const names = new Map<number, Map<string, number>>();
  for (const change of changes) {
    for (const file of change.files) files.set(file.number, file);
    for (const [parent, name, file] of change.names) {
      const children = names.get(parent) ?? new Map<string, number>();
      names.set(parent, children);
      if (file === 0) children.delete(name);
      else children.set(name, file);
    }
  }
  return { files, names };
}

function storedFile(inode: Inode): StoredFile {
  const { number, mode, user, group, size, accessed, modified, changed, target, content, attributes } = inode;
  const { extents } = content as BlockContent;
  return {
    ...{ number, mode, size, owner: [user, group] },
    times: [`${accessed}`, `${modified}`, `${changed}`],
    target: target || undefined,
    extents: extents.length > 0 ? extents : undefined,
    attributes:
      attributes.size > 0 ? Array.from(attributes, ([name, value]) => [name, textOf(value)]) : undefined,
  };
}

function fill(inode: Inode, { mode, owner, size, times, extents = [], attributes = [] }: StoredFile): void {
  const [accessed, modified, changed] = times.map(BigInt) as [bigint, bigint, bigint];
  const [user, group] = owner;
  Object.assign(inode, { mode, user, group, size, accessed, modified, changed });
  (inode.content as BlockContent).restore(extents);
  for (const [name, value] of attributes) inode.attributes.set(name, bytesOf(value));
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function damaged(): never {
  throw new StorageError('this folder of the browser is damaged: it cannot be opened any more');
}

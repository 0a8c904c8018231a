import type {
  Access,
  Capacity,
  Changes,
  ExtendedAttributes,
  FileStatus,
  FolderEntry,
  OpenFile,
  Owner,
  RenameRule,
  SharedFolder,
  Way,
} from './shared-folder.ts';
import { BLOCK, type Content, costOf, Room, TreeFolder } from './tree-folder.ts';

/** Content is stored in pieces, so that files may be sparse. */
const PIECE = 64 << 10;
const SMALLEST_PIECE = 512;
const DEFAULT_LIMIT = 256 << 20;

/** Options of a folder in memory. */
export interface MemoryFolderOptions {
  /** The most memory that its content may take, in bytes; by default 256 MiB. */
  readonly limit?: number | undefined;
}

/** A folder in memory, with all that Linux asks of a file system except its limit. */
export class MemoryFolder implements SharedFolder {
  readonly #room: Room;
  readonly #tree: MemoryTree;

  /** Makes an empty one. */
  constructor({ limit = DEFAULT_LIMIT }: MemoryFolderOptions = {}) {
    this.#room = new Room(limit);
    this.#tree = new MemoryTree(this.#room);
  }

  /** Bytes that count in its limit. */
  get usedBytes(): number {
    return this.#room.used;
  }

  /** Extended attributes of its files. */
  get attributes(): ExtendedAttributes {
    return this.#tree.attributes;
  }

  /** The status of a file. */
  status(way: Way): Promise<FileStatus> {
    return this.#tree.status(way);
  }

  /** The files in a folder. */
  list(way: Way): Promise<readonly FolderEntry[]> {
    return this.#tree.list(way);
  }

  /** Opens a regular file. */
  open(way: Way, access: Access): Promise<OpenFile> {
    return this.#tree.open(way, access);
  }

  /** Makes a regular file and opens it. */
  create(way: Way, mode: number, owner: Owner): Promise<OpenFile> {
    return this.#tree.create(way, mode, owner);
  }

  /** Makes a folder or a file of another type. */
  make(way: Way, mode: number, owner: Owner): Promise<void> {
    return this.#tree.make(way, mode, owner);
  }

  /** Makes a symbolic link. */
  makeLink(way: Way, target: string, owner: Owner): Promise<void> {
    return this.#tree.makeLink(way, target, owner);
  }

  /** Reads where a symbolic link leads. */
  readLink(way: Way): Promise<string> {
    return this.#tree.readLink(way);
  }

  /** Gives a file a further name. */
  link(way: Way, newWay: Way): Promise<void> {
    return this.#tree.link(way, newWay);
  }

  /** Removes a name. */
  remove(way: Way): Promise<void> {
    return this.#tree.remove(way);
  }

  /** Removes an empty folder. */
  removeFolder(way: Way): Promise<void> {
    return this.#tree.removeFolder(way);
  }

  /** Renames or moves a file or a folder. */
  rename(way: Way, newWay: Way, rule: RenameRule): Promise<void> {
    return this.#tree.rename(way, newWay, rule);
  }

  /** Changes the status of a file. */
  change(way: Way, changes: Changes): Promise<void> {
    return this.#tree.change(way, changes);
  }

  /** Does nothing, because memory is never durable. */
  syncFolder(): Promise<void> {
    return this.#tree.syncFolder();
  }

  /** Measures its room. */
  capacity(): Promise<Capacity> {
    return this.#tree.capacity();
  }

  /** Does nothing: its files stay. */
  close(): Promise<void> {
    return this.#tree.close();
  }
}

class MemoryTree extends TreeFolder {
  constructor(room: Room) {
    super(room, () => new MemoryContent(room));
  }

  async syncFolder(): Promise<void> {}

  async sync(): Promise<void> {}

  async close(): Promise<void> {}

  async capacity(): Promise<Capacity> {
    const { limit, used } = this.room;
    const free = Math.max(0, Math.floor((limit - used) / BLOCK));
    const freeFiles = Math.floor((free * BLOCK) / costOf(''));
    return {
      blockSize: BLOCK,
      blocks: Math.floor(limit / BLOCK),
      ...{ freeBlocks: free, availableBlocks: free },
      files: this.files + freeFiles,
      freeFiles,
    };
  }
}

/** In pieces, whose arrays are only as long as what was written in them needs. */
class MemoryContent implements Content {
  readonly #room: Room;
  readonly #pieces = new Map<number, Uint8Array>();
  #allocated = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  get allocated(): number {
    return this.#allocated;
  }

  read(position: number, into: readonly Uint8Array[]): void {
    let at = position;
    for (const bytes of into)
      for (let done = 0; done < bytes.length; ) {
        const start = at % PIECE;
        const length = Math.min(bytes.length - done, PIECE - start);
        const written = this.#pieces.get(Math.floor(at / PIECE))?.subarray(start, start + length);
        if (written) bytes.set(written, done);
        bytes.fill(0, done + (written?.length ?? 0), done + length);
        done += length;
        at += length;
      }
  }

  write(position: number, from: readonly Uint8Array[]): void {
    let at = position;
    for (const bytes of from)
      for (let done = 0; done < bytes.length; ) {
        const start = at % PIECE;
        const length = Math.min(bytes.length - done, PIECE - start);
        const piece = this.#piece(Math.floor(at / PIECE), start + length);
        piece.set(bytes.subarray(done, done + length), start);
        done += length;
        at += length;
      }
  }

  clear(start: number, end: number): void {
    for (const [index, piece] of this.#pieces) {
      const at = index * PIECE;
      if (at < end && at + PIECE > start) piece.fill(0, Math.max(0, start - at), end - at);
    }
  }

  cut(size: number): void {
    for (const [index, piece] of [...this.#pieces])
      if (index * PIECE >= size) {
        this.#pieces.delete(index);
        this.#charge(-piece.length);
      }
  }

  /** A piece that has at least a length. */
  #piece(index: number, length: number): Uint8Array {
    const found = this.#pieces.get(index);
    if (found && found.length >= length) return found;
    let longer = SMALLEST_PIECE;
    while (longer < length) longer *= 2;
    this.#charge(longer - (found?.length ?? 0));
    const piece = new Uint8Array(longer);
    if (found) piece.set(found);
    this.#pieces.set(index, piece);
    return piece;
  }

  #charge(bytes: number): void {
    this.#room.charge(bytes);
    this.#allocated += bytes;
  }
}

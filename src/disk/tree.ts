/**
 * Merges the layers of an image into one tree, following "applying changesets" of the OCI image
 * specification.
 */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, quote } from './byte-string.ts';
import {
  type DirectoryEntry,
  type HardLinkEntry,
  type TarEntry,
  type TarIndex,
  WHITEOUT,
} from './tar-entry.ts';

export interface Directory {
  /** Everything but its path, which the tree holds. */
  entry: DirectoryEntry;
  readonly children: Map<ByteString, Name>;
}

/** Anything but a directory. It may have several names. */
export interface Leaf {
  readonly entry: Exclude<TarEntry, DirectoryEntry | HardLinkEntry>;
  /** The layer with the contents, counted from the lowest. */
  readonly layer: number;
}

export type Inode = Directory | Leaf;

/** A name in a directory. */
export interface Name {
  readonly inode: Inode;
  /** The layer that last wrote it or something below it. */
  layer: number;
}

const OPAQUE = '.wh..wh..opq';
/** Names that the aufs file system reserved. */
const RESERVED = '.wh..wh.';
/** Over all layers: far more than images have. It bounds the memory that a hostile image can take. */
const MAX_INODES = 1 << 20;

const UNMENTIONED: DirectoryEntry = {
  type: 'directory',
  path: '',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  mtimeNs: 0,
  xattrs: [],
};

export function isDirectory(inode: Inode): inode is Directory {
  return 'children' in inode;
}

/**
 * Paths are used literally, and no link is ever followed. A link or a file in the place of a path's directory
 * is replaced by a directory. Directories that no layer mentions belong to root, with mode 0755 and time 0.
 * @param layers the layers, the lowest first
 * @throws ImageError if a hard link has no target, or there are more entries than a file system can hold
 */
export function mergeLayers(layers: readonly TarIndex[]): Directory {
  const merger = new Merger();
  for (const { entries } of layers) merger.merge(entries);
  return merger.root;
}

class Merger {
  readonly root = makeDirectory();
  #layer = -1;
  #inodes = 1;
  /** Directories that keep nothing of lower layers. */
  #cleared = new Set<Directory>();

  merge(entries: readonly TarEntry[]): void {
    this.#layer++;
    this.#cleared = new Set();
    for (const entry of entries) this.#apply(entry);
  }

  #apply(entry: TarEntry): void {
    const slash = entry.path.lastIndexOf('/');
    const parent = entry.path.slice(0, Math.max(slash, 0));
    const name = entry.path.slice(slash + 1);
    if (name === OPAQUE) this.#hideChildren(this.#directory(parent, false));
    else if (name.startsWith(RESERVED)) return;
    else if (name.startsWith(WHITEOUT))
      this.#whiteOut(this.#directory(parent, false), name.slice(WHITEOUT.length));
    else if (entry.type === 'directory') this.#directory(entry.path, true).entry = entry;
    else {
      const { children } = this.#directory(parent, true);
      children.set(name, { inode: this.#leaf(entry), layer: this.#layer });
    }
  }

  /** @param written whether the layer writes an entry at this path */
  #directory(path: ByteString, written: boolean): Directory {
    let directory = this.root;
    for (const name of components(path)) {
      const found = directory.children.get(name);
      if (found && isDirectory(found.inode)) {
        if (written) found.layer = this.#layer;
        directory = found.inode;
      } else {
        const inode = makeDirectory();
        this.#count();
        directory.children.set(name, { inode, layer: this.#layer });
        directory = inode;
      }
    }
    return directory;
  }

  #leaf(entry: Exclude<TarEntry, DirectoryEntry>): Inode {
    if (entry.type === 'hardlink') return this.#linked(entry);
    this.#count();
    return { entry, layer: this.#layer };
  }

  #linked({ path, target }: HardLinkEntry): Inode {
    let inode: Inode | undefined = this.root;
    for (const name of components(target))
      inode = inode && isDirectory(inode) ? inode.children.get(name)?.inode : undefined;
    const link = `hard link ${quote(path)} to ${quote(target)}`;
    if (inode === undefined) throw new ImageError(`${link}: there is no such file`);
    if (isDirectory(inode)) throw new ImageError(`${link}: it is a directory`);
    return inode;
  }

  /** A whiteout hides entries of lower layers, never those of its own layer. */
  #whiteOut({ children }: Directory, name: ByteString): void {
    if (name === '' || name === '.' || name === '..')
      throw new ImageError(`whiteout of the name ${quote(name)}`);
    this.#hide(children, name);
  }

  #hide(children: Map<ByteString, Name>, name: ByteString): void {
    const found = children.get(name);
    if (found === undefined) return;
    if (found.layer < this.#layer) children.delete(name);
    else if (isDirectory(found.inode)) this.#hideChildren(found.inode);
  }

  #hideChildren(directory: Directory): void {
    // Nothing of lower layers can return. Without this check, many whiteouts could take forever.
    if (this.#cleared.has(directory)) return;
    this.#cleared.add(directory);
    for (const name of directory.children.keys()) this.#hide(directory.children, name);
  }

  #count(): void {
    if (++this.#inodes > MAX_INODES) throw new ImageError(`more than ${MAX_INODES} files and directories`);
  }
}

function components(path: ByteString): ByteString[] {
  return path === '' ? [] : path.split('/');
}

function makeDirectory(): Directory {
  return { entry: UNMENTIONED, children: new Map() };
}

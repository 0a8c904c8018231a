/**
 * Merges the layers of an image into one tree, following "applying changesets" of the OCI image
 * specification.
 */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, quote } from './byte-string.ts';
import {
  type DirectoryEntry,
  type HardLinkEntry,
  type SymlinkEntry,
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
/** On the way of one path, as in Linux. */
const MAX_LINKS = 40;
/**
 * Names in the targets of all links on the way of all paths. It bounds the time that a hostile image can
 * take.
 */
const MAX_LINK_STEPS = 1 << 24;

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
 * A path may lead through symbolic links of its own layer, which are followed within the root. A link or a
 * file of a lower layer in the place of a path's directory is replaced by a directory, as overlayfs shows
 * such layers. Directories that no layer mentions belong to root, with mode 0755 and time 0.
 * @param layers the layers, the lowest first
 * @throws ImageError if a hard link has no target, a directory on an entry's path is a file of the same
 * layer, a path leads through too many links, or there are more entries than a file system can hold
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
  #linkSteps = 0;
  /** Directories that keep nothing of lower layers. */
  #cleared = new Set<Directory>();

  merge(entries: readonly TarEntry[]): void {
    this.#layer++;
    this.#cleared = new Set();
    for (const entry of entries) this.#apply(entry);
  }

  #apply(entry: TarEntry): void {
    const [parent, name] = split(entry.path);
    if (name.startsWith(WHITEOUT)) this.#applyWhiteout(parent, name);
    else if (entry.path === '') this.root.entry = entry as DirectoryEntry;
    else {
      const directory = this.#makeDirectories(parent);
      if (entry.type === 'directory') this.#directoryIn(directory, name).entry = entry;
      else directory.children.set(name, { inode: this.#leaf(entry), layer: this.#layer });
    }
  }

  /** A whiteout whose directory does not exist changes nothing. */
  #applyWhiteout(parent: ByteString, name: ByteString): void {
    if (name !== OPAQUE && name.startsWith(RESERVED)) return;
    const directory = this.#walk(parent, { follow: this.#isOfThisLayer });
    if (name !== OPAQUE) this.#whiteOut(directory, name.slice(WHITEOUT.length));
    else if (directory) this.#hideChildren(directory);
  }

  readonly #isOfThisLayer = (name: Name): boolean => name.layer === this.#layer;

  /** Returns the directory of an entry. Makes those that are missing. */
  #makeDirectories(path: ByteString): Directory {
    const make = (directory: Directory, name: ByteString) => {
      const found = directory.children.get(name);
      if (found && !isDirectory(found.inode) && this.#isOfThisLayer(found))
        throw new ImageError(`path ${quote(path)}: ${quote(name)} is a file of the same layer`);
      return this.#directoryIn(directory, name);
    };
    return this.#walk(path, { follow: this.#isOfThisLayer, make }) as Directory;
  }

  /** Returns the directory of this name. Makes it if the name is missing, or is anything else. */
  #directoryIn({ children }: Directory, name: ByteString): Directory {
    const found = children.get(name);
    if (found && isDirectory(found.inode)) {
      found.layer = this.#layer;
      return found.inode;
    }
    const inode = makeDirectory();
    this.#count();
    children.set(name, { inode, layer: this.#layer });
    return inode;
  }

  /**
   * Returns the directory at a path, or undefined if there is none.
   * @param follow whether to follow this symbolic link; `..` in its target ends at the root
   * @param make gives the directory of a name that is not a link to follow, if the walk is to make
   *   directories
   */
  #walk(
    path: ByteString,
    {
      follow,
      make,
    }: { follow(link: Name): boolean; make?(directory: Directory, name: ByteString): Directory },
  ): Directory | undefined {
    const way = [this.root];
    const rest = components(path).reverse();
    let links = 0;
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      const here = way.at(-1) as Directory;
      const found = here.children.get(name);
      if (name === '..') way.length = Math.max(way.length - 1, 1);
      else if (found && isLink(found.inode) && follow(found)) {
        if (++links > MAX_LINKS)
          throw new ImageError(`path ${quote(path)} leads through too many symbolic links`);
        const { target } = found.inode.entry;
        if (target.startsWith('/')) way.length = 1;
        rest.push(...this.#stepsOf(target).reverse());
      } else {
        const next = make ? make(here, name) : found?.inode;
        if (!next || !isDirectory(next)) return undefined;
        way.push(next);
      }
    }
    return way.at(-1);
  }

  #stepsOf(target: ByteString): ByteString[] {
    const steps = target.split('/');
    this.#linkSteps += steps.length;
    if (this.#linkSteps > MAX_LINK_STEPS) throw new ImageError('paths lead through too many symbolic links');
    return steps.filter((name) => name !== '' && name !== '.');
  }

  #leaf(entry: Exclude<TarEntry, DirectoryEntry>): Inode {
    if (entry.type === 'hardlink') return this.#linked(entry);
    this.#count();
    return { entry, layer: this.#layer };
  }

  #linked({ path, target }: HardLinkEntry): Inode {
    const [parent, name] = split(target);
    const inode = this.#walk(parent, { follow: () => true })?.children.get(name)?.inode;
    const link = `hard link ${quote(path)} to ${quote(target)}`;
    if (inode === undefined) throw new ImageError(`${link}: there is no such file`);
    if (isDirectory(inode)) throw new ImageError(`${link}: it is a directory`);
    return inode;
  }

  /** A whiteout hides entries of lower layers, never those of its own layer. */
  #whiteOut(directory: Directory | undefined, name: ByteString): void {
    if (name === '' || name === '.' || name === '..')
      throw new ImageError(`whiteout of the name ${quote(name)}`);
    if (directory) this.#hide(directory.children, name);
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

function isLink(inode: Inode): inode is Leaf & { readonly entry: SymlinkEntry } {
  return inode.entry.type === 'symlink';
}

/** Returns the path of the parent directory, and the name in it. */
function split(path: ByteString): [parent: ByteString, name: ByteString] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
}

function components(path: ByteString): ByteString[] {
  return path === '' ? [] : path.split('/');
}

function makeDirectory(): Directory {
  return { entry: UNMENTIONED, children: new Map() };
}

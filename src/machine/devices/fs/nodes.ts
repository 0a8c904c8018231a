import type { OpenFile, SharedFolder, Way } from '../../../folders/shared-folder.ts';
import { fail } from './errors.ts';
import { ROOT_NODE } from './fuse.ts';

/** The most files that the guest may know at a time. */
const MAX_NODES = 1 << 20;
/** The numbers of the roots of shares follow that of the device's root, and those of files follow them. */
export const FIRST_FILE = 1n << 16n;
/** A path of Linux has at most 4096 bytes, but a tree may be deeper. */
const MAX_DEPTH = 8192;

/** A folder that is shared with the guest. */
export class Share {
  /** Settles when the folder is open. */
  readonly opened: Promise<unknown>;
  readonly readOnly: boolean;
  /** The name of its root in the root of the device. */
  readonly index: number;
  /** As `placeOf` gives it. */
  readonly place: string;
  #folder: SharedFolder | undefined;

  constructor(folder: SharedFolder | Promise<SharedFolder>, readOnly: boolean, index: number, place: string) {
    this.readOnly = readOnly;
    this.index = index;
    this.place = place;
    if (!(folder instanceof Promise)) this.#folder = folder;
    this.opened = Promise.resolve(folder instanceof Promise && this.#open(folder));
    // The guest is told when it asks for the share.
    this.opened.catch(() => {});
  }

  /** @throws ESTALE until it is open */
  get folder(): SharedFolder {
    return this.#folder ?? fail('ESTALE');
  }

  async #open(folder: Promise<SharedFolder>): Promise<void> {
    this.#folder = await folder;
  }

  /** Makes all of it durable, and releases it. */
  async close(): Promise<void> {
    await this.opened;
    await this.folder.close();
  }
}

/** An open file of the guest. */
export interface OpenHandle {
  readonly node: Node;
  readonly file: OpenFile;
  readonly readable: boolean;
  readonly writable: boolean;
}

interface Place {
  readonly parent: Node;
  readonly name: string;
}

/** A file that the guest knows by a number. */
export interface Node {
  readonly id: bigint;
  readonly share: Share;
  /** In its folder; 0 if the folder knows none. */
  readonly inode: bigint;
  /** How often the guest was told the number and has not forgotten it. */
  lookups: bigint;
  readonly opened: Set<OpenHandle>;
  readonly children: Map<string, Node>;
  /** Its names, of which the last one is used; the root of a share has none. */
  places: Place[];
  /** How its content was when the guest last opened it. */
  seen: string | undefined;
}

/** The files that the guest knows. */
export class Nodes {
  readonly #byId = new Map<bigint, Node>();
  readonly #byInode = new Map<Share, Map<bigint, Node>>();
  #next = FIRST_FILE;

  /** The root of a share, which the guest cannot forget. */
  addRoot(share: Share): Node {
    const root = newNode(rootId(share.index), share, 0n);
    this.#byId.set(root.id, root);
    this.#byInode.set(share, new Map());
    return root;
  }

  /** Lets the guest begin anew. */
  forgetAll(): void {
    for (const [id, node] of this.#byId) {
      if (id < FIRST_FILE) node.children.clear();
      else this.#byId.delete(id);
    }
    for (const inodes of this.#byInode.values()) inodes.clear();
  }

  /** @throws ESTALE if the guest does not know it */
  get(id: bigint): Node {
    return this.#byId.get(id) ?? fail('ESTALE');
  }

  /** A file that the guest may change. @throws EROFS, ESTALE */
  writable(id: bigint): Node {
    if (id === ROOT_NODE) fail('EROFS');
    const node = this.get(id);
    return node.share.readOnly ? fail('EROFS') : node;
  }

  /** The file that has this name in the folder now, with this inode. */
  found(parent: Node, name: string, inode: bigint): Node {
    const known = parent.children.get(name);
    if (known && known.inode === inode) return known;
    if (known) this.removed(parent, name);
    const inodes = this.#byInode.get(parent.share) as Map<bigint, Node>;
    const node = (inode !== 0n && inodes.get(inode)) || this.#add(parent.share, inode);
    placeAt(node, parent, name);
    return node;
  }

  /** Counts that the guest was told the number. */
  tell(node: Node): void {
    node.lookups++;
  }

  forget(id: bigint, count: bigint): void {
    const node = this.#byId.get(id);
    if (!node || id < FIRST_FILE) return;
    node.lookups -= count;
    if (node.lookups <= 0n) this.#drop(node);
  }

  /** A name has gone. */
  removed(parent: Node, name: string): void {
    const node = parent.children.get(name);
    if (!node) return;
    parent.children.delete(name);
    node.places = node.places.filter((place) => place.parent !== parent || place.name !== name);
  }

  renamed(parent: Node, name: string, newParent: Node, newName: string): void {
    const node = parent.children.get(name);
    this.removed(parent, name);
    this.removed(newParent, newName);
    if (node) placeAt(node, newParent, newName);
  }

  /** Two names have changed places. */
  exchanged(parent: Node, name: string, newParent: Node, newName: string): void {
    const other = newParent.children.get(newName);
    this.renamed(parent, name, newParent, newName);
    if (other) placeAt(other, parent, name);
  }

  #add(share: Share, inode: bigint): Node {
    if (this.#byId.size >= MAX_NODES) fail('ENFILE');
    const node = newNode(this.#next++, share, inode);
    this.#byId.set(node.id, node);
    if (inode !== 0n) this.#byInode.get(share)?.set(inode, node);
    return node;
  }

  #drop(node: Node): void {
    this.#byId.delete(node.id);
    const inodes = this.#byInode.get(node.share);
    if (inodes?.get(node.inode) === node) inodes.delete(node.inode);
    for (const { parent, name } of node.places)
      if (parent.children.get(name) === node) parent.children.delete(name);
  }
}

/** The way to a file from the root of its share. @throws ESTALE if it has no name any more */
export function wayOf(node: Node): Way {
  const names: string[] = [];
  for (let at = node; at.id >= FIRST_FILE; ) {
    const { parent, name } = at.places.at(-1) ?? fail('ESTALE');
    names.push(name);
    at = parent;
    // The host may have moved folders while the guest looked at them, so that each seems to be in the other.
    if (names.length > MAX_DEPTH) fail('ESTALE');
  }
  return names.reverse();
}

/** The number of the root of a share. */
export function rootId(index: number): bigint {
  return ROOT_NODE + 1n + BigInt(index);
}

function placeAt(node: Node, parent: Node, name: string): void {
  parent.children.set(name, node);
  node.places.push({ parent, name });
}

function newNode(id: bigint, share: Share, inode: bigint): Node {
  return {
    ...{ id, share, inode, lookups: 0n, places: [], seen: undefined },
    opened: new Set(),
    children: new Map(),
  };
}

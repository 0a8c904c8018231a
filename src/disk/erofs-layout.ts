/** Decides the place of everything in the metadata of an EROFS file system. */

import { ImageError } from '../oci/errors.ts';
import { type Chunks, chooseChunks } from './erofs-chunks.ts';
import { type Listing, makeListing } from './erofs-directory.ts';
import { encodeXattrs } from './erofs-xattr.ts';
import { TAR_BLOCK as BLOCK } from './tar-entry.ts';
import { type Directory, type Inode, isDirectory } from './tree.ts';

export const SUPER = 1024;
const SUPER_SIZE = 128;
/** An inode's number is its position in units of this. */
export const SLOT = 32;
export const INODE_SIZE = 64;
/** The room in a block behind an inode. */
const MAX_INLINE = BLOCK - INODE_SIZE;
/** The metadata is all in memory. */
const MAX_METADATA = 512 << 20;

/** An inode with its place. */
export interface Placed {
  readonly inode: Inode;
  /** Its directory, or one of them if it has several names; the root has none. */
  readonly parent: Placed | undefined;
  /** The position in bytes from the start of the disk. */
  readonly position: number;
  readonly xattrs: Uint8Array;
  readonly body: Body;
  links: number;
}

/**
 * The part of an inode's contents that is in the metadata: a directory, a symbolic link, or the map of a
 * sparse file.
 */
export interface Body {
  /** The size in bytes. */
  readonly size: number;
  /** How many of them, from the end, lie behind the inode. */
  readonly inline: number;
  /** The others fill separate blocks from this one on, counted from `Layout.bodyAddress`. */
  readonly firstBlock: number;
  readonly listing?: Listing;
  readonly chunks?: Chunks;
}

const NO_BODY: Body = { size: 0, inline: 0, firstBlock: 0 };

export class Layout {
  /** The inodes in ascending order of position, the root first. */
  readonly placed: Placed[] = [];
  readonly #byInode = new Map<Inode, Placed>();
  #inodesEnd = SUPER + SUPER_SIZE;
  #blocks = 0;

  /** @throws ImageError if the metadata would be too large */
  constructor(root: Directory) {
    this.#place(root, undefined);
    // The list grows during the loop.
    for (const placed of this.placed)
      if (isDirectory(placed.inode)) this.#placeChildren(placed, placed.inode);
  }

  /** The first of the blocks outside of inodes. */
  get bodyAddress(): number {
    return Math.ceil(this.#inodesEnd / BLOCK);
  }

  /** The size of the metadata, in bytes. */
  get size(): number {
    return (this.bodyAddress + this.#blocks) * BLOCK;
  }

  find(inode: Inode): Placed {
    const placed = this.#byInode.get(inode);
    if (placed === undefined) throw new Error('an inode was not placed');
    return placed;
  }

  #placeChildren(directory: Placed, { children }: Directory): void {
    for (const name of directory.body.listing?.names ?? []) {
      const inode = children.get(name)?.inode;
      if (inode === undefined) continue; // '.' and '..'
      const known = this.#byInode.get(inode);
      if (known) known.links++;
      else this.#place(inode, directory);
      if (isDirectory(inode)) directory.links++;
    }
  }

  #place(inode: Inode, parent: Placed | undefined): void {
    const xattrs = encodeXattrs(inode.entry);
    const body = this.#makeBody(inode);
    const position = this.#reserve(INODE_SIZE + xattrs.length, body);
    const placed = { inode, parent, position, xattrs, body, links: isDirectory(inode) ? 2 : 1 };
    this.#byInode.set(inode, placed);
    this.placed.push(placed);
  }

  #makeBody(inode: Inode): Body {
    if (isDirectory(inode)) {
      const listing = makeListing(inode.children.keys());
      return { ...this.#reserveBlocks(listing.size), listing };
    }
    const { entry } = inode;
    if (entry.type === 'symlink') return this.#reserveBlocks(entry.target.length);
    if (entry.type !== 'file' || entry.extents === undefined || entry.size === 0) return NO_BODY;
    const chunks = chooseChunks(entry.size, entry.extents);
    return { size: chunks.mapSize, inline: chunks.mapSize, firstBlock: 0, chunks };
  }

  #reserveBlocks(size: number): Body {
    const tail = size % BLOCK;
    const inline = tail <= MAX_INLINE ? tail : 0;
    const firstBlock = this.#blocks;
    this.#blocks += Math.ceil((size - inline) / BLOCK);
    return { size, inline, firstBlock };
  }

  /** Room for an inode, its attributes and the data behind it: in one block, except maps of chunks. */
  #reserve(head: number, { inline, chunks }: Body): number {
    let position = this.#inodesEnd;
    const inlineAt = (position + head) % BLOCK;
    if (chunks === undefined && inlineAt + inline > BLOCK) position += roundUp(BLOCK - inlineAt, SLOT);
    this.#inodesEnd = roundUp(position + head + inline, SLOT);
    if (this.size > MAX_METADATA)
      throw new ImageError(`the image has over ${MAX_METADATA} bytes of metadata`);
    return position;
  }
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

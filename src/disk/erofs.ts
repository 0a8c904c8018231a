/**
 * Writes the metadata of an EROFS file system (Linux, fs/erofs/erofs_fs.h) whose file contents are in the
 * tars of the layers. The disk consists of the metadata and the tars end to end, each starting at a block.
 * With blocks of 512 bytes, which Linux supports since 6.4, every file in a tar starts at a block.
 *
 * The metadata consists of the super block, the inodes, and the blocks of directories and symbolic links. An
 * inode is a struct of 64 bytes, followed by its extended attributes, and then by the last part of its
 * directory or link, or by the map of a sparse file. The inodes of a directory's children are neighbours.
 */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, writeByteString } from './byte-string.ts';
import { writeChunkMap } from './erofs-chunks.ts';
import { writeListingBlock } from './erofs-directory.ts';
import { INODE_SIZE, Layout, type Placed, roundUp, SLOT, SUPER } from './erofs-layout.ts';
import { xattrCount } from './erofs-xattr.ts';
import { TAR_BLOCK as BLOCK } from './tar-entry.ts';
import { type Directory, isDirectory } from './tree.ts';

/** The parts of a root disk. */
export interface ErofsImage {
  /** The start of the disk, whole blocks. */
  readonly metadata: Uint8Array;
  /** Where the tar of each layer begins on the disk, in bytes. */
  readonly layerOffsets: readonly number[];
  /** The size of the disk, in bytes. */
  readonly diskSize: number;
}

const BLOCK_BITS = 9;
/** Linux first reads a disk in blocks of this size, and reads only whole blocks. */
const DISK_GRANULE = 4096;
const MAX_BLOCKS = 2 ** 32 - 1;

const SUPER_MAGIC = 0xe0f5e1e2;
const UUID_SIZE = 16;
const COMPAT_MTIME = 2;
const INCOMPAT_CHUNKED_FILE = 4;

const EXTENDED = 1;
const FLAT_PLAIN = 0 << 1;
const FLAT_INLINE = 2 << 1;
const CHUNK_BASED = 4 << 1;

/** The type bits of a mode, and the type in a directory. */
const TYPES = {
  file: { mode: 0o100000, number: 1 },
  directory: { mode: 0o040000, number: 2 },
  character: { mode: 0o020000, number: 3 },
  block: { mode: 0o060000, number: 4 },
  fifo: { mode: 0o010000, number: 5 },
  symlink: { mode: 0o120000, number: 7 },
} as const;

/**
 * @param layerSizes sizes of the tars of the layers given to `mergeLayers`, in bytes
 * @param uuid 16 bytes that identify the file system in Linux
 * @throws ImageError if the image is larger than EROFS or we support
 */
export function writeErofs(root: Directory, layerSizes: readonly number[], uuid: Uint8Array): ErofsImage {
  if (uuid.length !== UUID_SIZE) throw new RangeError('a UUID has 16 bytes');
  const layout = new Layout(root);
  const layerOffsets: number[] = [];
  let end = layout.size;
  for (const size of layerSizes) {
    layerOffsets.push(end);
    end = roundUp(end + size, BLOCK);
  }
  const diskSize = roundUp(end, DISK_GRANULE);
  if (diskSize / BLOCK > MAX_BLOCKS) throw new ImageError('the image is too large for a disk of 2 TiB');
  const metadata = new Writer(layout, layerOffsets).write(diskSize, uuid);
  return { metadata, layerOffsets, diskSize };
}

class Writer {
  readonly #layout: Layout;
  readonly #layerOffsets: readonly number[];
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #hasChunks = false;

  constructor(layout: Layout, layerOffsets: readonly number[]) {
    this.#layout = layout;
    this.#layerOffsets = layerOffsets;
    this.#bytes = new Uint8Array(layout.size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  write(diskSize: number, uuid: Uint8Array): Uint8Array {
    this.#layout.placed.forEach((placed, i) => {
      this.#writeInode(placed, i + 1);
      this.#writeBody(placed);
    });
    this.#writeSuper(diskSize, uuid);
    return this.#bytes;
  }

  #writeSuper(diskSize: number, uuid: Uint8Array): void {
    const { placed } = this.#layout;
    const view = this.#view;
    view.setUint32(SUPER, SUPER_MAGIC, true);
    view.setUint32(SUPER + 8, COMPAT_MTIME, true);
    view.setUint8(SUPER + 12, BLOCK_BITS);
    view.setUint16(SUPER + 14, inodeNumber(placed[0] as Placed), true);
    this.#setUint64(SUPER + 16, placed.length);
    view.setUint32(SUPER + 36, diskSize / BLOCK, true);
    this.#bytes.set(uuid, SUPER + 48);
    view.setUint32(SUPER + 80, this.#hasChunks ? INCOMPAT_CHUNKED_FILE : 0, true);
  }

  #writeInode(placed: Placed, serial: number): void {
    const { inode, position, xattrs, body, links } = placed;
    const { entry } = inode;
    const view = this.#view;
    const layout = body.chunks ? CHUNK_BASED : body.inline > 0 ? FLAT_INLINE : FLAT_PLAIN;
    view.setUint16(position, EXTENDED | layout, true);
    view.setUint16(position + 2, xattrCount(xattrs.length), true);
    view.setUint16(position + 4, TYPES[entry.type].mode | entry.mode, true);
    this.#setUint64(position + 8, entry.type === 'file' ? entry.size : body.size);
    view.setUint32(position + 16, this.#locator(placed), true);
    view.setUint32(position + 20, serial, true);
    view.setUint32(position + 24, entry.uid, true);
    view.setUint32(position + 28, entry.gid, true);
    this.#setUint64(position + 32, entry.mtime);
    view.setUint32(position + 40, entry.mtimeNs, true);
    view.setUint32(position + 44, links, true);
    this.#bytes.set(xattrs, position + INODE_SIZE);
  }

  /** The field for the place of the contents, their division into chunks, or the device number. */
  #locator({ inode, body }: Placed): number {
    if (body.chunks) return body.chunks.bits;
    if (isDirectory(inode)) return this.#layout.bodyAddress + body.firstBlock;
    const { entry, layer } = inode;
    switch (entry.type) {
      case 'file':
        return this.#contentsAddress(layer, entry.offset);
      case 'symlink':
        return this.#layout.bodyAddress + body.firstBlock;
      case 'character':
      case 'block':
        return (entry.minor & 0xff) | (entry.major << 8) | ((entry.minor & ~0xff) << 12);
      case 'fifo':
        return 0;
    }
  }

  #contentsAddress(layer: number, offset: number): number {
    const start = this.#layerOffsets[layer];
    if (start === undefined) throw new RangeError('fewer layers than the tree was made of');
    return (start + offset) / BLOCK;
  }

  #writeBody(placed: Placed): void {
    const { inode, body } = placed;
    if (isDirectory(inode)) {
      this.#writeListing(placed, inode);
      return;
    }
    const { entry, layer } = inode;
    if (entry.type === 'symlink') this.#writeTarget(placed, entry.target);
    else if (entry.type === 'file' && entry.extents && body.chunks) {
      this.#hasChunks = true;
      const address = this.#contentsAddress(layer, entry.offset);
      writeChunkMap(body.chunks, entry.extents, address, this.#part(placed, 0));
    }
  }

  #writeListing(placed: Placed, { children }: Directory): void {
    const { listing } = placed.body;
    if (listing === undefined) return;
    const find = (name: ByteString) => {
      const child = children.get(name);
      if (child) return this.#layout.find(child.inode);
      return name === '..' && placed.parent ? placed.parent : placed;
    };
    const target = (name: ByteString) => {
      const found = find(name);
      return { number: inodeNumber(found), type: TYPES[found.inode.entry.type].number };
    };
    for (let block = 0; block < listing.starts.length; block++)
      writeListingBlock(listing, block, this.#part(placed, block), target);
  }

  #writeTarget(placed: Placed, target: ByteString): void {
    for (let at = 0; at < target.length; at += BLOCK)
      writeByteString(target.slice(at, at + BLOCK), this.#part(placed, at / BLOCK), 0);
  }

  /** The address of a block of an inode's body, or of the bytes behind the inode. */
  #part({ position, xattrs, body }: Placed, block: number): Uint8Array {
    const { size, inline, firstBlock } = body;
    const whole = block < (size - inline) / BLOCK;
    const at = whole
      ? (this.#layout.bodyAddress + firstBlock + block) * BLOCK
      : position + INODE_SIZE + xattrs.length;
    return this.#bytes.subarray(at, at + (whole ? BLOCK : inline));
  }

  #setUint64(at: number, value: number): void {
    this.#view.setUint32(at, value, true); // modulo 2^32, in two's complement
    this.#view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }
}

function inodeNumber({ position }: Placed): number {
  return position / SLOT;
}

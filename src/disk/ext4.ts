/**
 * Makes an empty ext4 file system (Linux, Documentation/filesystems/ext4) with blocks of 4 KiB, without
 * checksums, and with the metadata of each block group at its start. Inode tables are not written, so the
 * disk must be zeros. If there is a journal, it follows the first group's metadata.
 */
import type { BlockBackend } from './block-backend.ts';

export const BLOCK = 4096;
/** The number of bits in one block of bitmap. */
export const BLOCKS_PER_GROUP = 8 * BLOCK;
const INODE_SIZE = 256;
const INODES_PER_BLOCK = BLOCK / INODE_SIZE;
/** Containers have many small files. */
const BYTES_PER_INODE = 8192;
const DESCRIPTOR_SIZE = 32;
const MAX_BLOCKS = 2 ** 32 - 1;
/** A last group with fewer data blocks is not worth its metadata. */
const MIN_DATA_BLOCKS = 64;

const SUPER_OFFSET = 1024;
const SUPER_SIZE = 1024;
const SUPER_MAGIC = 0xef53;
const COMPAT_HAS_JOURNAL = 0x4;
const COMPAT_EXT_ATTR = 0x8;
const COMPAT_DIR_INDEX = 0x20;
const INCOMPAT_FILETYPE = 0x2;
const INCOMPAT_EXTENTS = 0x40;
const RO_COMPAT_SPARSE_SUPER = 0x1;
const RO_COMPAT_LARGE_FILE = 0x2;
const RO_COMPAT_HUGE_FILE = 0x8;
const RO_COMPAT_DIR_NLINK = 0x20;
const RO_COMPAT_EXTRA_ISIZE = 0x40;
const HASH_HALF_MD4 = 1;
const FLAG_SIGNED_HASH = 1;
const EXTRA_ISIZE = 32;

const ROOT_INODE = 2;
const JOURNAL_INODE = 8;
/** The first inode that is not reserved. */
const LOST_FOUND_INODE = 11;
const USED_INODES = LOST_FOUND_INODE;
/** The root directory and lost+found, with a block each. */
const DIRECTORIES = 2;
const DIRECTORY_MODE = 0o040000;
const JOURNAL_MODE = 0o100600;
const TYPE_DIRECTORY = 2;
const INODE_EXTENTS = 0x80000;
const EXTENT_MAGIC = 0xf30a;
/** i_block, with the tree of extents. */
const INODE_BLOCK_AT = 40;
const INODE_BLOCK_SIZE = 60;

/** The journal's numbers are big-endian (Documentation/filesystems/ext4/journal.rst). */
export const JOURNAL_MAGIC = 0xc03b3998;
const JOURNAL_SUPER_V2 = 4;
const JOURNAL_BACKUP = 1;
const MIB_BLOCKS = (1 << 20) / BLOCK;
/** The least that Linux accepts. */
const MIN_JOURNAL_BLOCKS = 1024;

interface Group {
  readonly start: number;
  readonly blocks: number;
  /** Whether it starts with a copy of the super block and of the descriptors. */
  readonly hasSuper: boolean;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  /** The first data block. */
  readonly data: number;
  readonly usedBlocks: number;
  readonly usedInodes: number;
}

export interface Ext4Options {
  /** Whether the file system survives a loss of power. */
  readonly hasJournal?: boolean;
}

/** @throws RangeError when the disk is too small (16 MiB always suffice), or larger than 16 TiB */
export function formatExt4(disk: BlockBackend, { hasJournal = false }: Ext4Options = {}): void {
  new Formatter(disk, planLayout(disk.sizeBytes, hasJournal)).write();
}

export interface Layout {
  readonly groups: readonly Group[];
  readonly inodesPerGroup: number;
  /** Without blocks if there is none. */
  readonly journal: { readonly start: number; readonly blocks: number };
}

/** Where a file system of this size has what. @throws RangeError when the disk is too small */
export function planLayout(sizeBytes: number, hasJournal: boolean): Layout {
  const blocks = Math.floor(sizeBytes / BLOCK);
  if (blocks > MAX_BLOCKS) throw new RangeError('a disk of more than 16 TiB');
  const wanted = (Math.min(blocks, BLOCKS_PER_GROUP) * BLOCK) / BYTES_PER_INODE;
  const inodesPerGroup = Math.ceil(wanted / INODES_PER_BLOCK) * INODES_PER_BLOCK;
  const journalBlocks = hasJournal ? sizeOfJournal(blocks) : 0;
  const groups = planGroups(blocks, inodesPerGroup, journalBlocks);
  const [first] = groups;
  if (!first) throw new RangeError('the disk is too small for a file system');
  return { groups, inodesPerGroup, journal: { start: first.data + DIRECTORIES, blocks: journalBlocks } };
}

/** A 64th of the disk, from 4 to 8 MiB. As much is held in reserve. */
function sizeOfJournal(blocks: number): number {
  return Math.min(Math.max(Math.floor(blocks / 64), MIN_JOURNAL_BLOCKS), 8 * MIB_BLOCKS);
}

class Formatter {
  readonly #disk: BlockBackend;
  readonly #layout: Layout;
  readonly #groups: readonly Group[];
  readonly #inodesPerGroup: number;
  readonly #now = Math.floor(Date.now() / 1000);
  readonly #uuid = crypto.getRandomValues(new Uint8Array(16));
  readonly #hashSeed = crypto.getRandomValues(new Uint8Array(16));

  constructor(disk: BlockBackend, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
    this.#groups = layout.groups;
    this.#inodesPerGroup = layout.inodesPerGroup;
  }

  write(): void {
    const descriptors = this.#descriptors();
    this.#groups.forEach((group, number) => {
      if (group.hasSuper) {
        // The first copy leaves room for a boot sector.
        const offset = number === 0 ? SUPER_OFFSET : group.start * BLOCK;
        this.#disk.write(offset, [this.#superBlock(number)]);
        this.#disk.write((group.start + 1) * BLOCK, [descriptors]);
      }
      this.#writeBitmap(group.blockBitmap, group.usedBlocks, group.blocks);
      this.#writeBitmap(group.inodeBitmap, group.usedInodes, this.#inodesPerGroup);
    });
    this.#writeDirectories(this.#groups[0] as Group);
    if (this.#hasJournal) this.#writeJournal();
  }

  get #hasJournal(): boolean {
    return this.#layout.journal.blocks > 0;
  }

  #superBlock(groupNumber: number): Uint8Array {
    const view = new DataView(new ArrayBuffer(SUPER_SIZE));
    const bytes = new Uint8Array(view.buffer);
    const u32 = (at: number, value: number) => view.setUint32(at, value, true);
    const u16 = (at: number, value: number) => view.setUint16(at, value, true);
    const inodes = this.#groups.length * this.#inodesPerGroup;
    u32(0, inodes);
    u32(
      4,
      sum(this.#groups, ({ blocks }) => blocks),
    );
    u32(12, sum(this.#groups, freeBlocks));
    u32(16, inodes - USED_INODES);
    u32(24, Math.log2(BLOCK / 1024)); // s_log_block_size
    u32(28, Math.log2(BLOCK / 1024)); // s_log_cluster_size
    u32(32, BLOCKS_PER_GROUP);
    u32(36, BLOCKS_PER_GROUP); // s_clusters_per_group
    u32(40, this.#inodesPerGroup);
    u32(48, this.#now); // s_wtime
    u16(54, 0xffff); // s_max_mnt_count: never
    u16(56, SUPER_MAGIC);
    u16(58, 1); // s_state: clean
    u16(60, 1); // s_errors: continue
    u32(64, this.#now); // s_lastcheck
    u32(76, 1); // s_rev_level: dynamic
    u32(84, LOST_FOUND_INODE); // s_first_ino
    u16(88, INODE_SIZE);
    u16(90, groupNumber);
    u32(92, COMPAT_EXT_ATTR | COMPAT_DIR_INDEX | (this.#hasJournal ? COMPAT_HAS_JOURNAL : 0));
    u32(96, INCOMPAT_FILETYPE | INCOMPAT_EXTENTS);
    u32(
      100,
      RO_COMPAT_SPARSE_SUPER |
        RO_COMPAT_LARGE_FILE |
        RO_COMPAT_HUGE_FILE |
        RO_COMPAT_DIR_NLINK |
        RO_COMPAT_EXTRA_ISIZE,
    );
    bytes.set(this.#uuid, 104);
    if (this.#hasJournal) {
      const inode = this.#journalInode();
      u32(224, JOURNAL_INODE); // s_journal_inum
      view.setUint8(253, JOURNAL_BACKUP); // s_jnl_backup_type
      bytes.set(inode.subarray(INODE_BLOCK_AT, INODE_BLOCK_AT + INODE_BLOCK_SIZE), 268); // s_jnl_blocks
      u32(268 + INODE_BLOCK_SIZE + 4, this.#layout.journal.blocks * BLOCK);
    }
    bytes.set(this.#hashSeed, 236);
    view.setUint8(252, HASH_HALF_MD4);
    u32(264, this.#now); // s_mkfs_time
    u16(348, EXTRA_ISIZE); // s_min_extra_isize
    u16(350, EXTRA_ISIZE); // s_want_extra_isize
    u32(352, FLAG_SIGNED_HASH);
    return bytes;
  }

  #descriptors(): Uint8Array {
    const view = new DataView(new ArrayBuffer(descriptorBlocks(this.#groups.length) * BLOCK));
    this.#groups.forEach((group, number) => {
      const at = number * DESCRIPTOR_SIZE;
      view.setUint32(at, group.blockBitmap, true);
      view.setUint32(at + 4, group.inodeBitmap, true);
      view.setUint32(at + 8, group.inodeTable, true);
      view.setUint16(at + 12, freeBlocks(group), true);
      view.setUint16(at + 14, this.#inodesPerGroup - group.usedInodes, true);
      view.setUint16(at + 16, number === 0 ? DIRECTORIES : 0, true); // directories
    });
    return new Uint8Array(view.buffer);
  }

  /** Marks the first `used` of `count` as in use, and everything after `count`. */
  #writeBitmap(block: number, used: number, count: number): void {
    const bitmap = new Uint8Array(BLOCK);
    setBits(bitmap, 0, used);
    setBits(bitmap, count, 8 * BLOCK);
    this.#disk.write(block * BLOCK, [bitmap]);
  }

  #writeDirectories({ inodeTable, data }: Group): void {
    const inodes = new Uint8Array(BLOCK);
    inodes.set(this.#inode(DIRECTORY_MODE | 0o755, 3, data, 1), (ROOT_INODE - 1) * INODE_SIZE);
    inodes.set(this.#inode(DIRECTORY_MODE | 0o700, 2, data + 1, 1), (LOST_FOUND_INODE - 1) * INODE_SIZE);
    if (this.#hasJournal) inodes.set(this.#journalInode(), (JOURNAL_INODE - 1) * INODE_SIZE);
    this.#disk.write(inodeTable * BLOCK, [inodes]);
    const parents: [string, number][] = [
      ['.', ROOT_INODE],
      ['..', ROOT_INODE],
    ];
    this.#disk.write(data * BLOCK, [directoryBlock([...parents, ['lost+found', LOST_FOUND_INODE]])]);
    const own: [string, number][] = [
      ['.', LOST_FOUND_INODE],
      ['..', ROOT_INODE],
    ];
    this.#disk.write((data + 1) * BLOCK, [directoryBlock(own)]);
  }

  /** An empty journal: its super block, which says that there is nothing to replay. */
  #writeJournal(): void {
    const { start, blocks } = this.#layout.journal;
    const view = new DataView(new ArrayBuffer(1024));
    view.setUint32(0, JOURNAL_MAGIC);
    view.setUint32(4, JOURNAL_SUPER_V2);
    view.setUint32(12, BLOCK);
    view.setUint32(16, blocks); // s_maxlen
    view.setUint32(20, 1); // s_first
    view.setUint32(24, 1); // s_sequence
    new Uint8Array(view.buffer).set(this.#uuid, 48);
    view.setUint32(64, 1); // s_nr_users
    this.#disk.write(start * BLOCK, [new Uint8Array(view.buffer)]);
  }

  #journalInode(): Uint8Array {
    const { start, blocks } = this.#layout.journal;
    return this.#inode(JOURNAL_MODE, 1, start, blocks);
  }

  /** Makes the inode of a file or directory that is in one piece. */
  #inode(mode: number, links: number, start: number, blocks: number): Uint8Array {
    const view = new DataView(new ArrayBuffer(INODE_SIZE));
    view.setUint16(0, mode, true);
    view.setUint32(4, blocks * BLOCK, true); // i_size
    for (const time of [8, 12, 16, 144]) view.setUint32(time, this.#now, true);
    view.setUint16(26, links, true);
    view.setUint32(28, (blocks * BLOCK) / 512, true); // i_blocks
    view.setUint32(32, INODE_EXTENTS, true);
    view.setUint16(INODE_BLOCK_AT, EXTENT_MAGIC, true);
    view.setUint16(42, 1, true); // eh_entries
    view.setUint16(44, 4, true); // eh_max
    view.setUint16(56, blocks, true); // ee_len
    view.setUint32(60, start, true); // ee_start_lo
    view.setUint16(128, EXTRA_ISIZE, true);
    return new Uint8Array(view.buffer);
  }
}

function planGroups(blocks: number, inodesPerGroup: number, journalBlocks: number): Group[] {
  const count = Math.ceil(blocks / BLOCKS_PER_GROUP);
  const groups: Group[] = [];
  for (let number = 0; number < count; number++) {
    const start = number * BLOCKS_PER_GROUP;
    const hasSuper = holdsSuper(number);
    const blockBitmap = start + (hasSuper ? 1 + descriptorBlocks(count) : 0);
    const inodeTable = blockBitmap + 2;
    const data = inodeTable + inodesPerGroup / INODES_PER_BLOCK;
    const size = Math.min(BLOCKS_PER_GROUP, blocks - start);
    // The first group holds two directories, and the journal.
    const taken = number === 0 ? DIRECTORIES + journalBlocks : 0;
    if (data - start + taken + MIN_DATA_BLOCKS > size) break;
    groups.push({
      start,
      blocks: size,
      hasSuper,
      blockBitmap,
      inodeBitmap: blockBitmap + 1,
      inodeTable,
      data,
      usedBlocks: data - start + taken,
      usedInodes: number === 0 ? USED_INODES : 0,
    });
  }
  return groups;
}

/** The sparse_super feature: group 0, 1, and the powers of 3, 5 and 7. */
function holdsSuper(group: number): boolean {
  if (group <= 1) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

function descriptorBlocks(groups: number): number {
  return Math.ceil((groups * DESCRIPTOR_SIZE) / BLOCK);
}

function freeBlocks({ blocks, usedBlocks }: Group): number {
  return blocks - usedBlocks;
}

function setBits(bitmap: Uint8Array, from: number, to: number): void {
  for (let bit = from; bit < to; ) {
    if (bit % 8 === 0 && to - bit >= 8) {
      bitmap.fill(0xff, bit / 8, Math.floor(to / 8));
      bit = to - (to % 8);
    } else {
      bitmap[bit >> 3] = (bitmap[bit >> 3] as number) | (1 << (bit % 8));
      bit++;
    }
  }
}

/** Directory entries. The last one takes the rest of the block. */
function directoryBlock(entries: readonly (readonly [name: string, inode: number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(BLOCK));
  let at = 0;
  entries.forEach(([name, inode], index) => {
    const last = index === entries.length - 1;
    const length = last ? BLOCK - at : 8 + Math.ceil(name.length / 4) * 4;
    view.setUint32(at, inode, true);
    view.setUint16(at + 4, length, true);
    view.setUint8(at + 6, name.length);
    view.setUint8(at + 7, TYPE_DIRECTORY);
    new TextEncoder().encodeInto(name, new Uint8Array(view.buffer, at + 8));
    at += length;
  });
  return new Uint8Array(view.buffer);
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

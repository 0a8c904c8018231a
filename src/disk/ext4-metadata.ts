import { BLOCK, BLOCKS_PER_GROUP, JOURNAL_MAGIC, type Layout, planLayout } from './ext4.ts';

const DESCRIPTOR = 1;
const HEADER = 12;
const TAG = 8;
const UUID = 16;
const SAME_UUID = 2;
const LAST_TAG = 8;

/**
 * Tells which requests carry metadata of a file system with a journal: those for the journal, for the start
 * of a group, and for any block that the journal names, such as one of a directory or a tree of extents.
 * Linux writes metadata to the journal before it writes it to its place, and keeps it there until that is
 * durable (Documentation/filesystems/ext4/journal.rst).
 */
export class Ext4Metadata {
  readonly #layout: Layout;
  readonly #read: (offset: number, into: Uint8Array) => void;
  /** The blocks that the journal names, if it has been read since it was last written. */
  #named: Set<number> | undefined;

  /** @param read reads from the disk */
  constructor(sizeBytes: number, read: (offset: number, into: Uint8Array) => void) {
    this.#layout = planLayout(sizeBytes, true);
    this.#read = read;
  }

  get journalBytes(): number {
    return this.#layout.journal.blocks * BLOCK;
  }

  has(offset: number, length: number): boolean {
    for (let block = Math.floor(offset / BLOCK); block * BLOCK < offset + length; block++)
      if (this.#isFixed(block) || this.#journaled().has(block)) return true;
    return false;
  }

  /** Notes a write. Afterwards the journal may name other blocks. */
  noteWrite(offset: number, length: number): void {
    const { start, blocks } = this.#layout.journal;
    if (offset < (start + blocks) * BLOCK && offset + length > start * BLOCK) this.#named = undefined;
  }

  #isFixed(block: number): boolean {
    const { groups, journal } = this.#layout;
    const group = groups[Math.floor(block / BLOCKS_PER_GROUP)];
    return block < journal.start + journal.blocks || (group !== undefined && block < group.data);
  }

  /** Includes blocks of transactions that are done, until others take their place. */
  #journaled(): Set<number> {
    if (this.#named) return this.#named;
    this.#named = new Set();
    const { start, blocks } = this.#layout.journal;
    const bytes = new Uint8Array(BLOCK);
    for (let block = start; block < start + blocks; block++) {
      this.#read(block * BLOCK, bytes);
      addNamed(bytes, this.#named);
    }
    return this.#named;
  }
}

/** Adds the blocks that a block of the journal names if it is a descriptor. */
function addNamed(block: Uint8Array, named: Set<number>): void {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  if (view.getUint32(0) !== JOURNAL_MAGIC || view.getUint32(4) !== DESCRIPTOR) return;
  for (let at = HEADER; at + TAG <= BLOCK; ) {
    named.add(view.getUint32(at));
    const flags = view.getUint16(at + 6);
    if (flags & LAST_TAG) return;
    at += TAG + (flags & SAME_UUID ? 0 : UUID);
  }
}

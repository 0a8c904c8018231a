/** The content of files in the blocks of one file of the store. */
import type { DiskFile } from '../storage/disk-files.ts';
import { StorageFullError } from '../storage/errors.ts';
import { FolderError } from './shared-folder.ts';
import { BLOCK, type Content } from './tree-folder.ts';

/** Larger files get their blocks in groups, so that they have few extents. */
const GROUP = 16;

/** Neighbouring blocks of a file: the first one in the file, the first one in the store, and their number. */
export type Extent = readonly [at: number, block: number, count: number];

type Run = { block: number; count: number };

/** Which blocks of the store are free. */
export class Blocks {
  /** In ascending order; no two are neighbours. */
  #free: Run[] = [];
  /** Freed blocks that the durable tree still has. */
  #freed: Run[] = [];
  #end = 0;

  /** Takes some neighbouring blocks, fewer than wanted if none are as long. */
  take(wanted: number): Run {
    const found = this.#free.findIndex(({ count }) => count >= wanted);
    const index = found >= 0 ? found : this.#free.length - 1;
    const run = this.#free[index];
    if (!run) {
      const block = this.#end;
      this.#end += wanted;
      return { block, count: wanted };
    }
    const taken = { block: run.block, count: Math.min(run.count, wanted) };
    run.block += taken.count;
    run.count -= taken.count;
    if (run.count === 0) this.#free.splice(index, 1);
    return taken;
  }

  /** Gives blocks back that no durable tree has had. */
  giveBack(block: number, count: number): void {
    let [low, high] = [0, this.#free.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#free[middle] as Run).block < block) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [this.#free[low - 1], this.#free[low]];
    const run = before && before.block + before.count === block ? before : { block, count: 0 };
    run.count += count;
    const joinsAfter = after !== undefined && run.block + run.count === after.block;
    if (joinsAfter) run.count += after.count;
    this.#free.splice(low, joinsAfter ? 1 : 0, ...(run === before ? [] : [run]));
  }

  /** Keeps blocks until the tree is durable that does not have them any more. */
  free(block: number, count: number): void {
    this.#freed.push({ block, count });
  }

  /** Takes what was freed until now. When the tree of now is durable, `giveBack` gets it. */
  takeFreed(): readonly Run[] {
    const freed = this.#freed;
    this.#freed = [];
    return freed;
  }

  /** Begins with those of a stored tree. */
  restore(extents: Iterable<Extent>): void {
    const used = [...extents].sort(([, first], [, second]) => first - second);
    let end = 0;
    for (const [, block, count] of used) {
      if (block > end) this.#free.push({ block: end, count: block - end });
      end = Math.max(end, block + count);
    }
    this.#end = end;
  }

  /** The number of free ones among those that the store has. */
  get unused(): number {
    return this.#free.reduce((sum, { count }) => sum + count, 0);
  }

  /** The number of those that the store has. */
  get end(): number {
    return this.#end;
  }
}

/** The content of a file in the store. */
export class BlockContent implements Content {
  readonly #file: DiskFile;
  readonly #blocks: Blocks;
  /** In ascending order of their places in the file. */
  #extents: Extent[] = [];

  constructor(file: DiskFile, blocks: Blocks) {
    this.#file = file;
    this.#blocks = blocks;
  }

  /** Begins with those of a stored tree. */
  restore(extents: readonly Extent[]): void {
    this.#extents = [...extents];
  }

  get extents(): readonly Extent[] {
    return this.#extents;
  }

  get allocated(): number {
    return this.#extents.reduce((sum, [, , count]) => sum + count, 0) * BLOCK;
  }

  read(position: number, into: readonly Uint8Array[]): void {
    const bytes = new Uint8Array(lengthOf(into));
    for (const { at, stored, length } of this.#parts(position, position + bytes.length))
      this.#file.read(stored, bytes.subarray(at - position, at - position + length));
    let done = 0;
    for (const buffer of into) {
      buffer.set(bytes.subarray(done, done + buffer.length));
      done += buffer.length;
    }
  }

  write(position: number, from: readonly Uint8Array[]): void {
    const bytes = gather(from);
    const end = position + bytes.length;
    const known = [...this.#parts(position, end)];
    const [first, last] = groupOf(position, end);
    for (const [at, count] of this.#gaps(first, last)) this.#fillGap(at, count, position, bytes);
    for (const { at, stored, length } of known)
      this.#store(stored, bytes.subarray(at - position, at - position + length));
  }

  clear(start: number, end: number): void {
    for (const { stored, length } of this.#parts(start, end)) this.#store(stored, new Uint8Array(length));
  }

  cut(size: number): void {
    const kept = Math.ceil(size / BLOCK);
    const extents: Extent[] = [];
    for (const [at, block, count] of this.#extents) {
      const stays = Math.max(0, Math.min(count, kept - at));
      if (stays > 0) extents.push([at, block, stays]);
      if (stays < count) this.#blocks.free(block + stays, count - stays);
    }
    this.#extents = extents;
  }

  /** The stored parts of a range of bytes. */
  *#parts(start: number, end: number): Generator<{ at: number; stored: number; length: number }> {
    for (let index = this.#indexAt(Math.floor(start / BLOCK)); ; index++) {
      const extent = this.#extents[index];
      if (!extent || extent[0] * BLOCK >= end) return;
      const [first, block, count] = extent;
      const at = Math.max(start, first * BLOCK);
      const length = Math.min(end, (first + count) * BLOCK) - at;
      if (length > 0) yield { at, stored: block * BLOCK + at - first * BLOCK, length };
    }
  }

  /** The blocks of a range that are not stored. */
  #gaps(first: number, last: number): [at: number, count: number][] {
    const gaps: [number, number][] = [];
    let at = first;
    for (let index = this.#indexAt(first); at < last; index++) {
      const [next = last, , count = 0] = this.#extents[index] ?? [];
      if (next > at) gaps.push([at, Math.min(next, last) - at]);
      at = Math.max(at, next + count);
    }
    return gaps;
  }

  /** Takes blocks, and writes all of them: the bytes, and zeros around them. */
  #fillGap(at: number, count: number, position: number, bytes: Uint8Array<ArrayBuffer>): void {
    for (let done = 0; done < count; ) {
      const run = this.#blocks.take(count - done);
      const start = (at + done) * BLOCK;
      try {
        this.#store(run.block * BLOCK, within(bytes, start - position, run.count * BLOCK));
      } catch (error) {
        this.#blocks.giveBack(run.block, run.count);
        throw error;
      }
      this.#add([at + done, run.block, run.count]);
      done += run.count;
    }
  }

  #add([at, block, count]: Extent): void {
    const index = this.#indexAt(at);
    const before = this.#extents[index - 1];
    const joins = before && before[0] + before[2] === at && before[1] + before[2] === block;
    if (joins) this.#extents[index - 1] = [before[0], before[1], before[2] + count];
    else this.#extents.splice(index, 0, [at, block, count]);
  }

  /** The first extent that ends after a block of the file. */
  #indexAt(block: number): number {
    let [low, high] = [0, this.#extents.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const [at, , count] = this.#extents[middle] as Extent;
      if (at + count <= block) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @throws ENOSPC */
  #store(offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#file.write(offset, bytes);
    } catch (error) {
      throw error instanceof StorageFullError ? new FolderError('ENOSPC') : error;
    }
  }
}

function lengthOf(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}

/** Buffers in one, which is not shared. */
function gather(buffers: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(buffers));
  let at = 0;
  for (const buffer of buffers) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return bytes;
}

/** The blocks that a range of bytes gets. */
function groupOf(start: number, end: number): [first: number, last: number] {
  const group = end > GROUP * BLOCK ? GROUP : 1;
  return [Math.floor(start / BLOCK / group) * group, Math.ceil(end / BLOCK / group) * group];
}

/** A range of bytes, which may begin before them and end after them; there are zeros. */
function within(bytes: Uint8Array<ArrayBuffer>, start: number, length: number): Uint8Array<ArrayBuffer> {
  if (start >= 0 && start + length <= bytes.length) return bytes.subarray(start, start + length);
  const whole = new Uint8Array(length);
  const part = bytes.subarray(Math.max(0, start), Math.max(0, start + length));
  if (part.length > 0) whole.set(part, Math.max(0, -start));
  return whole;
}

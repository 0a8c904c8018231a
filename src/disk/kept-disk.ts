import type { DiskFile } from '../storage/disk-files.ts';
import { StorageError, StorageFullError } from '../storage/errors.ts';
import { MemoryDiskFile } from '../storage/memory.ts';
import { type BlockBackend, CHUNK } from './block-backend.ts';
import {
  type DiskMap,
  emptyMap,
  encodeMap,
  encodeSuper,
  FIRST_SLOT,
  loadMap,
  moveSlots,
  NO_SLOT,
  type StoredMap,
  slotsAt,
  superOffset,
  usedSlots,
} from './disk-map.ts';
import { formatExt4 } from './ext4.ts';
import { Ext4Metadata } from './ext4-metadata.ts';

/** The file grows in steps of this many slots. */
const GROWTH = 32;
/** Slots, beside the journal's, that only the file system's metadata may take once the store is full. */
const RESERVE = 32;
/** Slots by which a map may grow between two flushes: for changes of 1 GiB. */
const MAP_GROWTH = 2;
/** Chunks that are moved to make the file compact: not worth a flush, and 256 MiB. */
const MIN_MOVES = 16;
const MOST_MOVES = 4096;
/** How long a full store is not asked for more room, in ms. */
export const FULL_PAUSE = 200;

export interface KeptDiskOptions {
  readonly sizeBytes: number;
  /** Called when the disk cannot be written, such as when the store is full, and when it can be again. */
  readonly onProblem?: ((problem: string | undefined) => void) | undefined;
}

/**
 * A disk in a file, with an ext4 file system. Writes go to the file at once, and are durable after `flush`:
 * until then a loss of power may keep any of them, as with a disk that has a cache. A chunk that a checkpoint
 * needs is not overwritten; the new content goes to another slot.
 */
export class KeptDisk implements BlockBackend {
  readonly readOnly = false;
  readonly sizeBytes: number;
  readonly #onProblem: (problem: string | undefined) => void;
  readonly #metadata: Ext4Metadata;
  #file: DiskFile;
  /** Whether nothing is worth a flush. */
  #isVolatile: boolean;
  #map: DiskMap;
  #sequence = 0;
  #mapSlots: readonly number[] = [];
  readonly #free: number[] = [];
  /** Slots that are free as soon as the next map is durable. */
  #freed: number[] = [];
  /** From here on, slots are zeros that were never used. */
  #fresh = FIRST_SLOT;
  #isWritten = false;
  #isClosing = false;
  #mapChanged = false;
  /** Whether the disk was opened with checkpoints, and nothing has told yet whether they are needed. */
  #mayRevert = false;
  #fullSince: number | undefined;
  #flushing: Promise<void> = Promise.resolve();
  readonly #buffer = new Uint8Array(CHUNK);

  /**
   * Opens the disk in a file, and makes it if the file is empty.
   * @throws StorageError when the file is damaged
   */
  static async open(file: DiskFile, options: KeptDiskOptions): Promise<KeptDisk> {
    const stored = await loadMap(file.size, (offset, length) => {
      const bytes = new Uint8Array(length);
      file.read(offset, bytes);
      return bytes;
    });
    return new KeptDisk(file, options, stored);
  }

  /** Makes a disk in memory, until `moveTo` gives it a file. */
  static inMemory(options: KeptDiskOptions): KeptDisk {
    return new KeptDisk(new MemoryDiskFile(), options, undefined, true);
  }

  private constructor(
    file: DiskFile,
    { sizeBytes, onProblem = () => {} }: KeptDiskOptions,
    stored: StoredMap | undefined,
    isVolatile = false,
  ) {
    this.#file = file;
    this.#isVolatile = isVolatile;
    this.#onProblem = onProblem;
    this.sizeBytes = sizeBytes;
    this.#metadata = new Ext4Metadata(sizeBytes, (offset, into) => this.read(offset, [into]));
    this.#map = stored?.map ?? emptyMap(sizeBytes);
    if (stored) this.#adopt(stored);
    else this.#format();
  }

  read(offset: number, into: Uint8Array[]): void {
    const segments = new Segments(into);
    this.#forEachChunk(offset, lengthOf(into), (chunk, start, part) => {
      const slot = this.#slot(chunk);
      if (slot === NO_SLOT) part.fill(0);
      else this.#file.read(slot * CHUNK + start, part);
      segments.put(part);
    });
  }

  /** @throws StorageFullError; some of the bytes may be written */
  write(offset: number, from: Uint8Array[]): void {
    this.#startAfresh();
    const length = lengthOf(from);
    try {
      this.#write(offset, from, this.#reserve);
    } catch (error) {
      if (!(error instanceof StorageFullError) || !this.isMetadata(offset, length)) throw error;
      this.#write(offset, from, this.#mapReserve);
    } finally {
      this.#metadata.noteWrite(offset, length);
    }
  }

  /** Whether a request carries metadata of the file system, which has a reserve. */
  isMetadata(offset: number, length: number): boolean {
    return this.#metadata.has(offset, length);
  }

  discard(offset: number, length: number): void {
    this.#startAfresh();
    this.#forEachChunk(offset, length, (chunk, start, part) => {
      if (part.length === CHUNK) this.#setSlot(chunk, NO_SLOT);
      else if (this.#slot(chunk) !== NO_SLOT) this.#writeChunk(chunk, start, part.fill(0), this.#reserve);
    });
  }

  /** Makes slots free that were given up since the last flush. */
  async reclaim(): Promise<void> {
    if (this.#freed.length > 0) await this.flush();
  }

  /** Makes all earlier writes durable, all together if the map changes. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#commit());
  }

  /**
   * Keeps the disk's present state: `revert` can go back to it until the next but one checkpoint, or until
   * `dropCheckpoints`.
   * @returns the checkpoint's number
   */
  async checkpoint(): Promise<number> {
    this.#startAfresh();
    const { checkpoints } = this.#map;
    // The oldest may belong to a saved session, and the newest does not as long as there is another one.
    while (checkpoints.length > 1) this.#mergeNewest();
    const number = this.#map.nextCheckpoint++;
    checkpoints.push({ number, before: new Map() });
    this.#mapChanged = true;
    await this.flush();
    return number;
  }

  /**
   * Goes back to a checkpoint, before anything else is done with the opened disk. The checkpoint stays. A
   * disk that is written without going back drops its checkpoints.
   * @throws StorageError when there is no such checkpoint
   */
  revert(checkpoint: number): void {
    const slots = slotsAt(this.#map, checkpoint);
    if (!slots)
      throw new StorageError('the stored disk does not have the state of the saved session any more');
    const before = new Set(usedSlots(this.#map));
    this.#map = { ...this.#map, slots, checkpoints: [{ number: checkpoint, before: new Map() }] };
    const after = new Set(usedSlots(this.#map));
    this.#release([...before].filter((slot) => !after.has(slot)));
    this.#mapChanged = true;
    this.#mayRevert = false;
  }

  /** All chunks that are not zeros. The bytes are copies. */
  *chunks(): Iterable<[chunk: number, bytes: Uint8Array<ArrayBuffer>]> {
    for (const [chunk, slot] of this.#map.slots.entries()) {
      if (slot === NO_SLOT) continue;
      const bytes = new Uint8Array(CHUNK);
      this.#file.read(slot * CHUNK, bytes);
      yield [chunk, bytes];
    }
  }

  /** Replaces the whole content by chunks of another disk. @throws RangeError when one is beyond the disk */
  fill(chunks: Iterable<readonly [chunk: number, bytes: Uint8Array]>): void {
    this.discard(0, this.sizeBytes);
    for (const [chunk, bytes] of chunks) {
      const offset = chunk * CHUNK;
      if (offset >= this.sizeBytes) throw new RangeError(`has chunk ${chunk}, which is beyond the disk`);
      this.write(offset, [bytes.subarray(0, Math.min(CHUNK, this.sizeBytes - offset))]);
    }
  }

  /** Frees what only checkpoints before this one need; without a number, what any needs. */
  async dropCheckpoints(before = Number.POSITIVE_INFINITY): Promise<void> {
    this.#forget(before);
    await this.flush();
  }

  /** Moves a disk in memory to an empty file, where its content is durable afterwards. */
  moveTo(file: DiskFile): Promise<void> {
    return this.#inTurn(async () => {
      const memory = this.#file;
      try {
        file.resize(memory.size);
        for (let at = CHUNK; at < memory.size; at += CHUNK) {
          memory.read(at, this.#buffer);
          file.write(at, this.#buffer);
        }
        this.#file = file;
        this.#isVolatile = false;
        this.#mapChanged = true;
        await this.#commit();
      } catch (error) {
        this.#file = memory;
        this.#isVolatile = true;
        throw error;
      }
    });
  }

  /** Makes everything durable, and the file compact. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#inTurn(async () => {
      await this.#commit();
      // Twice, because the slots of the first map may be the last ones.
      for (let round = 0; round < 2 && !this.#isVolatile; round++) if (this.#compact()) await this.#commit();
    });
    this.#file.close();
  }

  #adopt({ map, sizeBytes, sequence, mapSlots }: StoredMap): void {
    if (sizeBytes !== this.sizeBytes)
      throw new StorageError(`the stored disk has ${sizeBytes} bytes, not ${this.sizeBytes}`);
    this.#sequence = sequence;
    this.#mapSlots = mapSlots;
    this.#fresh = this.#end;
    const used = new Set([...usedSlots(map), ...mapSlots]);
    for (let slot = this.#end - 1; slot >= FIRST_SLOT; slot--) if (!used.has(slot)) this.#free.push(slot);
    this.#mayRevert = map.checkpoints.length > 0;
  }

  #format(): void {
    // A run that was cut off may have left something.
    this.#file.resize(0);
    this.#file.resize(CHUNK);
    formatExt4(this, { hasJournal: true });
    this.#mapChanged = true;
  }

  #startAfresh(): void {
    if (this.#mayRevert) this.#forget(Number.POSITIVE_INFINITY);
  }

  #forget(before: number): void {
    const { checkpoints } = this.#map;
    this.#mayRevert = false;
    while (checkpoints[0] && checkpoints[0].number < before) {
      this.#release(checkpoints.shift()?.before.values() ?? []);
      this.#mapChanged = true;
    }
  }

  /** How many slots are free. */
  get #room(): number {
    return this.#free.length + this.#end - this.#fresh;
  }

  get #end(): number {
    return Math.floor(this.#file.size / CHUNK);
  }

  #slot(chunk: number): number {
    return this.#map.slots[chunk] as number;
  }

  #setSlot(chunk: number, slot: number): void {
    const old = this.#slot(chunk);
    if (old === slot) return;
    const newest = this.#map.checkpoints.at(-1);
    if (newest && !newest.before.has(chunk)) newest.before.set(chunk, old);
    else this.#release([old]);
    this.#map.slots[chunk] = slot;
    this.#mapChanged = true;
  }

  /** Frees slots that the map does not name any more. A map that is still durable may name them. */
  #release(slots: Iterable<number>): void {
    for (const slot of slots) if (slot !== NO_SLOT) this.#freed.push(slot);
  }

  #write(offset: number, from: Uint8Array[], left: number): void {
    const segments = new Segments(from);
    this.#forEachChunk(offset, lengthOf(from), (chunk, start, part) => {
      segments.take(part);
      this.#writeChunk(chunk, start, part, left);
    });
  }

  #writeChunk(chunk: number, start: number, bytes: Uint8Array<ArrayBuffer>, left: number): void {
    const old = this.#slot(chunk);
    const newest = this.#map.checkpoints.at(-1);
    this.#isWritten = true;
    if (old !== NO_SLOT && (!newest || newest.before.has(chunk))) {
      this.#file.write(old * CHUNK + start, bytes);
      return;
    }
    const { slot, isZero } = this.#allocate(left);
    try {
      if (bytes.length < CHUNK && !(isZero && old === NO_SLOT)) {
        const whole = new Uint8Array(CHUNK);
        if (old !== NO_SLOT) this.#file.read(old * CHUNK, whole);
        whole.set(bytes, start);
        this.#file.write(slot * CHUNK, whole);
      } else {
        this.#file.write(slot * CHUNK + start, bytes);
      }
    } catch (error) {
      this.#free.push(slot);
      throw error;
    }
    this.#setSlot(chunk, slot);
  }

  /** Slots that data leaves for metadata. The journal needs new ones at first, and after a checkpoint. */
  get #reserve(): number {
    if (this.#isVolatile || this.#isClosing) return 0;
    return this.#mapReserve + RESERVE + Math.ceil(this.#metadata.journalBytes / CHUNK);
  }

  /** Slots that metadata leaves for the next map, without which nothing more becomes free. */
  get #mapReserve(): number {
    return this.#mapSlots.length + MAP_GROWTH;
  }

  /** @param left the free slots that are not for this purpose if the store is full */
  #allocate(left: number): { slot: number; isZero: boolean } {
    if (this.#room <= this.#reserve && !this.#grow() && this.#room <= left)
      throw new StorageFullError('there is no room left for the disk of this container');
    const reused = this.#free.pop();
    return reused === undefined ? { slot: this.#fresh++, isZero: true } : { slot: reused, isZero: false };
  }

  #grow(): boolean {
    if (this.#fullSince !== undefined && performance.now() - this.#fullSince < FULL_PAUSE) return false;
    try {
      this.#file.resize((this.#end + GROWTH) * CHUNK);
    } catch (error) {
      if (!(error instanceof StorageFullError)) throw error;
      if (this.#fullSince === undefined) this.#onProblem(error.message);
      this.#fullSince = performance.now();
      return false;
    }
    if (this.#fullSince !== undefined) this.#onProblem(undefined);
    this.#fullSince = undefined;
    return true;
  }

  /** Runs an action when the earlier ones have ended. */
  #inTurn(action: () => Promise<void>): Promise<void> {
    const run = this.#flushing.then(action);
    this.#flushing = run.catch(() => {});
    return run;
  }

  async #commit(): Promise<void> {
    if (this.#isVolatile) return;
    if (this.#mapChanged) return this.#commitMap();
    if (!this.#isWritten) return;
    this.#isWritten = false;
    try {
      await this.#file.flush();
    } catch (error) {
      this.#isWritten = true;
      throw error;
    }
  }

  async #commitMap(): Promise<void> {
    const freed = this.#freed;
    this.#freed = [];
    this.#mapChanged = false;
    this.#isWritten = false;
    const encoded = encodeMap(this.#map);
    const slots: number[] = [];
    try {
      for (let at = 0; at < encoded.length; at += CHUNK) {
        const { slot } = this.#allocate(0);
        slots.push(slot);
        this.#file.write(slot * CHUNK, encoded.subarray(at, at + CHUNK));
      }
      await this.#file.flush();
      const sequence = this.#sequence + 1;
      this.#file.write(superOffset(sequence), encodeSuper(sequence, this.sizeBytes, encoded, slots));
      await this.#file.flush();
      this.#sequence = sequence;
    } catch (error) {
      this.#mapChanged = true;
      this.#freed.push(...freed);
      this.#free.push(...slots);
      throw error;
    }
    this.#free.push(...freed, ...this.#mapSlots);
    this.#mapSlots = slots;
    if (this.#free.length > this.#reserve + 2 * GROWTH) this.#shrink();
  }

  /** Gives the free end of the file back. */
  #shrink(): void {
    let last = Math.max(...this.#mapSlots);
    for (const slot of usedSlots(this.#map)) last = Math.max(last, slot);
    for (const slot of this.#freed) last = Math.max(last, slot);
    const end = last + 1 + this.#reserve + GROWTH;
    if (end + GROWTH >= this.#end) return;
    this.#file.resize(end * CHUNK);
    this.#free.splice(0, this.#free.length, ...this.#free.filter((slot) => slot < end));
    this.#fresh = Math.min(this.#fresh, end);
  }

  /** Moves the last chunks to free slots before them. @returns whether it moved any */
  #compact(): boolean {
    const free = this.#free.sort((a, b) => b - a);
    const used = [...usedSlots(this.#map)].sort((a, b) => b - a);
    const moves = new Map<number, number>();
    for (const slot of used.slice(0, MOST_MOVES)) {
      const lowest = free.at(-1);
      if (lowest === undefined || lowest > slot) break;
      moves.set(slot, lowest);
      free.pop();
    }
    if (moves.size < MIN_MOVES) {
      free.push(...[...moves.values()].reverse());
      return false;
    }
    for (const [from, to] of moves) {
      this.#file.read(from * CHUNK, this.#buffer);
      this.#file.write(to * CHUNK, this.#buffer);
    }
    moveSlots(this.#map, moves);
    this.#release(moves.keys());
    this.#mapChanged = true;
    return true;
  }

  #mergeNewest(): void {
    const { checkpoints } = this.#map;
    const newest = checkpoints.pop();
    const older = checkpoints.at(-1);
    for (const [chunk, slot] of newest?.before ?? []) {
      if (older?.before.has(chunk)) this.#release([slot]);
      else older?.before.set(chunk, slot);
    }
  }

  #forEachChunk(
    offset: number,
    length: number,
    visit: (chunk: number, start: number, part: Uint8Array<ArrayBuffer>) => void,
  ): void {
    for (let done = 0; done < length; ) {
      const start = (offset + done) % CHUNK;
      const size = Math.min(CHUNK - start, length - done);
      visit(Math.floor((offset + done) / CHUNK), start, this.#buffer.subarray(0, size));
      done += size;
    }
  }
}

export function lengthOf(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}

/** Buffers of a request, one after the other. */
class Segments {
  readonly #buffers: readonly Uint8Array[];
  #buffer = 0;
  #at = 0;

  constructor(buffers: readonly Uint8Array[]) {
    this.#buffers = buffers;
  }

  /** Copies the next bytes to `into`. */
  take(into: Uint8Array): void {
    this.#next(into, (segment, part) => part.set(segment));
  }

  /** Replaces the next bytes. */
  put(from: Uint8Array): void {
    this.#next(from, (segment, part) => segment.set(part));
  }

  #next(bytes: Uint8Array, copy: (segment: Uint8Array, part: Uint8Array) => void): void {
    for (let done = 0; done < bytes.length; ) {
      const buffer = this.#buffers[this.#buffer] as Uint8Array;
      const segment = buffer.subarray(this.#at, this.#at + bytes.length - done);
      copy(segment, bytes.subarray(done, done + segment.length));
      done += segment.length;
      this.#at += segment.length;
      if (this.#at < buffer.length) continue;
      this.#buffer++;
      this.#at = 0;
    }
  }
}

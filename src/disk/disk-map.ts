/**
 * The file of a kept disk. The disk is cut into chunks, and the file into slots of the same size; the map
 * says which slot holds which chunk. The map never changes in place: a new map is written to free slots, and
 * then the older one of two super blocks is replaced to point to it. The newest super block whose map is
 * whole counts, so each change of the map is atomic. All numbers are little-endian.
 */
import { StorageError } from '../storage/errors.ts';
import { CHUNK } from './block-backend.ts';
import { crc32c } from './crc32c.ts';

/** Slot 0 holds the super blocks. As the slot of a chunk, 0 says that the chunk is zeros. */
export const NO_SLOT = 0;
export const FIRST_SLOT = 1;

const SUPER_SIZE = CHUNK / 2;
const MAGIC = 0x4b44524c; // "LRDK"
const VERSION = 1;
const CHECKSUM_AT = 8;
const SUPER_HEADER = 44;
const MAX_MAP_SLOTS = (SUPER_SIZE - SUPER_HEADER) / 4;
const MAX_DISK = 2 ** 40;

/** A state of the disk that it can be reverted to. */
export interface Checkpoint {
  readonly number: number;
  /** The slots at that time of the chunks that have changed since. */
  readonly before: Map<number, number>;
}

export interface DiskMap {
  /** The slot of each chunk. */
  readonly slots: Uint32Array;
  /** The oldest first. */
  readonly checkpoints: Checkpoint[];
  nextCheckpoint: number;
}

/** A map as it was read from a file. */
export interface StoredMap {
  readonly map: DiskMap;
  readonly sizeBytes: number;
  /** Each map has a higher number than the one before. */
  readonly sequence: number;
  /** Where the map itself is. */
  readonly mapSlots: readonly number[];
}

interface SuperBlock {
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly mapLength: number;
  readonly mapChecksum: number;
  readonly mapSlots: readonly number[];
}

export function emptyMap(sizeBytes: number): DiskMap {
  return { slots: new Uint32Array(Math.ceil(sizeBytes / CHUNK)), checkpoints: [], nextCheckpoint: 1 };
}

/** All slots that hold chunks, now or at a checkpoint. */
export function* usedSlots({ slots, checkpoints }: DiskMap): Iterable<number> {
  for (const slot of slots) if (slot !== NO_SLOT) yield slot;
  for (const { before } of checkpoints) for (const slot of before.values()) if (slot !== NO_SLOT) yield slot;
}

/** Puts chunks into other slots, which have the same content. */
export function moveSlots({ slots, checkpoints }: DiskMap, moves: ReadonlyMap<number, number>): void {
  for (const [chunk, slot] of slots.entries()) slots[chunk] = moves.get(slot) ?? slot;
  for (const { before } of checkpoints)
    for (const [chunk, slot] of before) before.set(chunk, moves.get(slot) ?? slot);
}

/** The slots as they were at a checkpoint, or undefined if there is no such checkpoint. */
export function slotsAt({ slots, checkpoints }: DiskMap, checkpoint: number): Uint32Array | undefined {
  if (!checkpoints.some(({ number }) => number === checkpoint)) return undefined;
  const reverted = slots.slice();
  for (const { number, before } of [...checkpoints].reverse())
    if (number >= checkpoint) for (const [chunk, slot] of before) reverted[chunk] = slot;
  return reverted;
}

export function encodeMap({ slots, checkpoints, nextCheckpoint }: DiskMap): Uint8Array<ArrayBuffer> {
  const words: number[] = [];
  const pairs = (entries: Iterable<readonly [number, number]>) => {
    const at = words.push(0) - 1;
    for (const [chunk, slot] of entries) words.push(chunk, slot);
    words[at] = (words.length - at - 1) / 2;
  };
  words.push(nextCheckpoint, checkpoints.length);
  pairs([...slots.entries()].filter(([, slot]) => slot !== NO_SLOT));
  for (const { number, before } of checkpoints) {
    words.push(number);
    pairs(before);
  }
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** Where the super block of this number goes. */
export function superOffset(sequence: number): number {
  return (sequence % 2) * SUPER_SIZE;
}

/** @throws StorageError when the map is too long */
export function encodeSuper(
  sequence: number,
  sizeBytes: number,
  map: Uint8Array,
  mapSlots: readonly number[],
): Uint8Array<ArrayBuffer> {
  if (mapSlots.length > MAX_MAP_SLOTS) throw new StorageError('the disk is too large to be kept');
  const view = new DataView(new ArrayBuffer(SUPER_HEADER + mapSlots.length * 4));
  const bytes = new Uint8Array(view.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setBigUint64(12, BigInt(sequence), true);
  view.setBigUint64(20, BigInt(sizeBytes), true);
  view.setUint32(28, map.length, true);
  view.setUint32(32, crc32c(map), true);
  view.setUint32(36, mapSlots.length, true);
  for (const [index, slot] of mapSlots.entries()) view.setUint32(SUPER_HEADER + index * 4, slot, true);
  view.setUint32(CHECKSUM_AT, crc32c(bytes), true);
  return bytes;
}

export type ReadAt = (
  offset: number,
  length: number,
) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;

/**
 * Finds the map of a file.
 * @returns undefined if nothing was ever committed to the file
 * @throws StorageError when the file is damaged
 */
export async function loadMap(fileSize: number, read: ReadAt): Promise<StoredMap | undefined> {
  if (fileSize < CHUNK) return undefined;
  const head = await read(0, CHUNK);
  const supers = [0, 1]
    .map((sequence) => decodeSuper(head.subarray(superOffset(sequence), superOffset(sequence) + SUPER_SIZE)))
    .filter((found) => found !== undefined)
    .sort((a, b) => b.sequence - a.sequence);
  const end = Math.floor(fileSize / CHUNK);
  for (const found of supers) {
    const stored = await readMap(found, end, read);
    if (stored) return stored;
  }
  if (head.every((byte) => byte === 0)) return undefined;
  throw new StorageError('the stored disk of this container is damaged');
}

function decodeSuper(bytes: Uint8Array): SuperBlock | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = view.getUint32(36, true);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION || count > MAX_MAP_SLOTS)
    return undefined;
  const unsealed = bytes.slice(0, SUPER_HEADER + count * 4);
  unsealed.fill(0, CHECKSUM_AT, CHECKSUM_AT + 4);
  if (crc32c(unsealed) !== view.getUint32(CHECKSUM_AT, true)) return undefined;
  return {
    sequence: Number(view.getBigUint64(12, true)),
    sizeBytes: Number(view.getBigUint64(20, true)),
    mapLength: view.getUint32(28, true),
    mapChecksum: view.getUint32(32, true),
    mapSlots: Array.from({ length: count }, (_, index) => view.getUint32(SUPER_HEADER + index * 4, true)),
  };
}

async function readMap(found: SuperBlock, end: number, read: ReadAt): Promise<StoredMap | undefined> {
  const { sequence, sizeBytes, mapLength, mapChecksum, mapSlots } = found;
  if (sizeBytes > MAX_DISK || mapSlots.length !== Math.ceil(mapLength / CHUNK)) return undefined;
  if (mapSlots.some((slot) => slot < FIRST_SLOT || slot >= end)) return undefined;
  const bytes = new Uint8Array(mapSlots.length * CHUNK);
  for (const [index, slot] of mapSlots.entries()) bytes.set(await read(slot * CHUNK, CHUNK), index * CHUNK);
  const encoded = bytes.subarray(0, mapLength);
  if (crc32c(encoded) !== mapChecksum) return undefined;
  const map = decodeMap(encoded, sizeBytes);
  const used = new Set(mapSlots);
  for (const slot of usedSlots(map)) {
    if (slot >= end || used.has(slot)) throw new StorageError('the stored disk of this container is damaged');
    used.add(slot);
  }
  return { map, sizeBytes, sequence, mapSlots };
}

/** Its checksum was right, so it is what was written. */
function decodeMap(bytes: Uint8Array, sizeBytes: number): DiskMap {
  const words = new Uint32Array(bytes.buffer, 0, bytes.length / 4);
  const map = emptyMap(sizeBytes);
  let at = 0;
  const next = () => words[at++] ?? 0;
  const pairs = (visit: (chunk: number, slot: number) => void) => {
    for (let left = next(); left > 0 && at < words.length; left--) visit(next(), next());
  };
  map.nextCheckpoint = next();
  const count = next();
  pairs((chunk, slot) => {
    map.slots[chunk] = slot;
  });
  for (let i = 0; i < count; i++) {
    const checkpoint = { number: next(), before: new Map<number, number>() };
    pairs((chunk, slot) => checkpoint.before.set(chunk, slot));
    map.checkpoints.push(checkpoint);
  }
  return map;
}

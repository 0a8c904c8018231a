import type { DiskFiles } from '../storage/disk-files.ts';
import { StorageError } from '../storage/errors.ts';
import { CHUNK } from './block-backend.ts';
import {
  emptyMap,
  encodeMap,
  encodeSuper,
  FIRST_SLOT,
  loadMap,
  NO_SLOT,
  slotsAt,
  superOffset,
} from './disk-map.ts';

export type Chunk = readonly [chunk: number, bytes: Uint8Array<ArrayBuffer>];

/**
 * The content of a kept disk: all chunks that are not zeros, in ascending order. The disk may belong to a
 * machine that is suspended or off.
 * @param checkpoint instead of the content that was made durable last
 * @throws StorageError when there is no such disk or checkpoint
 */
export async function* readKeptDisk(
  files: DiskFiles,
  name: string,
  checkpoint?: number,
): AsyncGenerator<[chunk: number, bytes: Uint8Array<ArrayBuffer>], void, void> {
  const file = await files.openReadOnly(name);
  if (!file) throw new StorageError('the disk of this container is not stored any more');
  try {
    const stored = await loadMap(file.size, (offset, length) => file.read(offset, length));
    const map = stored?.map ?? emptyMap(0);
    const slots = checkpoint === undefined ? map.slots : slotsAt(map, checkpoint);
    if (!slots)
      throw new StorageError('the stored disk does not have the state of the saved session any more');
    for (const [chunk, slot] of slots.entries())
      if (slot !== NO_SLOT) yield [chunk, await file.read(slot * CHUNK, CHUNK)];
  } finally {
    await file.close();
  }
}

/** Whether nothing durable has been written to a kept disk since one of its checkpoints. */
export async function isUnchangedSince(files: DiskFiles, name: string, checkpoint: number): Promise<boolean> {
  const file = await files.openReadOnly(name);
  if (!file) return false;
  try {
    const stored = await loadMap(file.size, (offset, length) => file.read(offset, length));
    const later = stored?.map.checkpoints.filter(({ number }) => number >= checkpoint) ?? [];
    return later[0]?.number === checkpoint && later.every(({ before }) => before.size === 0);
  } finally {
    await file.close();
  }
}

/**
 * Makes a kept disk with this content, durably, in place of any other of that name.
 * @param chunks in ascending order. Without any, the disk gets an empty file system when it is opened.
 * @throws StorageFullError, or StorageError when chunks are out of order or beyond the disk
 */
export async function writeKeptDisk(
  files: DiskFiles,
  name: string,
  sizeBytes: number,
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
): Promise<void> {
  const map = emptyMap(sizeBytes);
  await files.create(name, async (write) => {
    let end = FIRST_SLOT;
    let next = 0;
    for await (const [chunk, bytes] of chunks) {
      if (!Number.isInteger(chunk) || chunk < next || chunk >= map.slots.length || bytes.length !== CHUNK)
        throw new StorageError('the disk of this container is damaged');
      next = chunk + 1;
      map.slots[chunk] = end;
      await write(end++ * CHUNK, bytes);
    }
    if (end === FIRST_SLOT) return;
    const encoded = encodeMap(map);
    const mapSlots: number[] = [];
    for (let at = 0; at < encoded.length; at += CHUNK) {
      const slot = new Uint8Array(CHUNK);
      slot.set(encoded.subarray(at, at + CHUNK));
      mapSlots.push(end);
      await write(end++ * CHUNK, slot);
    }
    await write(superOffset(1), encodeSuper(1, sizeBytes, encoded, mapSlots));
  });
}

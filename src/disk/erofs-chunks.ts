/** Sparse files in EROFS: chunks of one size, and for each the block where it begins, or none. */
import { TAR_BLOCK as BLOCK, type Extent } from './tar-entry.ts';

const ENTRY_SIZE = 4;
const HOLE = 0xffff_ffff;
const MAX_BITS = 31;

/** The division of a sparse file into chunks. */
export interface Chunks {
  /** A chunk has 2^bits blocks. */
  readonly bits: number;
  /** The size of the map in bytes. */
  readonly mapSize: number;
}

/** The largest chunk size with which no chunk is partly a hole. */
export function chooseChunks(size: number, extents: readonly Extent[]): Chunks {
  // The last chunk ends with the file.
  const borders = extents
    .flatMap(({ offset, length }) => [offset, offset + length])
    .filter((at) => at < size);
  let bits = 0;
  while (bits < MAX_BITS && borders.every((at) => at % chunkSize(bits + 1) === 0)) bits++;
  return { bits, mapSize: Math.ceil(size / chunkSize(bits)) * ENTRY_SIZE };
}

/** @param address the block at which the first extent begins */
export function writeChunkMap(
  { bits, mapSize }: Chunks,
  extents: readonly Extent[],
  address: number,
  into: Uint8Array,
): void {
  const map = new DataView(into.buffer, into.byteOffset, into.byteLength);
  for (let at = 0; at < mapSize; at += ENTRY_SIZE) map.setUint32(at, HOLE, true);
  let start = address;
  for (const { offset, length } of extents) {
    for (let done = 0; done < length; done += chunkSize(bits))
      map.setUint32(((offset + done) / chunkSize(bits)) * ENTRY_SIZE, start + done / BLOCK, true);
    start += length / BLOCK;
  }
}

function chunkSize(bits: number): number {
  return BLOCK * 2 ** bits;
}

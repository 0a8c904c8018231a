/** Directories in EROFS: blocks of entries in byte order of their names, then the names themselves. */
import { type ByteString, writeByteString } from './byte-string.ts';
import { TAR_BLOCK as BLOCK } from './tar-entry.ts';

const DIRENT_SIZE = 12;

/** The names of a directory, divided into blocks. */
export interface Listing {
  /** In byte order, including '.' and '..'. */
  readonly names: readonly ByteString[];
  /** The index in `names` at which each block begins. */
  readonly starts: readonly number[];
  /** In bytes. Blocks count as whole, except the last one. */
  readonly size: number;
}

export function makeListing(children: Iterable<ByteString>): Listing {
  const names = ['.', '..', ...children].sort();
  const starts = [0];
  let filled = 0;
  names.forEach((name, i) => {
    const size = DIRENT_SIZE + name.length;
    if (filled + size > BLOCK) {
      starts.push(i);
      filled = 0;
    }
    filled += size;
  });
  return { names, starts, size: (starts.length - 1) * BLOCK + filled };
}

/**
 * Writes one block of a listing into bytes that are zero.
 * @param target returns the number and type of the inode with a name
 */
export function writeListingBlock(
  { names, starts }: Listing,
  block: number,
  into: Uint8Array,
  target: (name: ByteString) => { number: number; type: number },
): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const entries = names.slice(starts[block], starts[block + 1]);
  let nameAt = entries.length * DIRENT_SIZE;
  entries.forEach((name, i) => {
    const at = i * DIRENT_SIZE;
    const { number, type } = target(name);
    view.setUint32(at, number, true); // the low half
    view.setUint16(at + 8, nameAt, true);
    view.setUint8(at + 10, type);
    writeByteString(name, into, nameAt);
    nameAt += name.length;
  });
}

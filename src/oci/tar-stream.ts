/** Writes tars of regular files (POSIX ustar). */
import type { Bytes } from './bytes.ts';

export interface TarFile {
  /** ASCII, at most 100 characters. */
  readonly name: string;
  readonly size: number;
  /** Exactly `size` bytes. */
  readonly content: Bytes;
}

const BLOCK = 512;
const MODE = 0o644;
/** The largest size that eleven octal digits hold. */
const LARGEST_OCTAL = 8 ** 11 - 1;
const CHECKSUM = { at: 148, length: 8 };
const SPACE = 32;

/** @throws Error if a file has more or fewer bytes than it should */
export async function* writeTar(files: Iterable<TarFile>): Bytes {
  for (const { name, size, content } of files) {
    yield headerOf(name, size);
    let written = 0;
    for await (const bytes of content) {
      written += bytes.length;
      yield bytes;
    }
    if (written !== size) throw new Error(`${name} has ${written} bytes, not ${size}`);
    if (size % BLOCK !== 0) yield new Uint8Array(BLOCK - (size % BLOCK));
  }
  yield new Uint8Array(2 * BLOCK);
}

function headerOf(name: string, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  const octal = (at: number, length: number, value: number) =>
    put(at, `${value.toString(8).padStart(length - 1, '0')}\0`);
  put(0, name);
  octal(100, 8, MODE);
  octal(108, 8, 0);
  octal(116, 8, 0);
  if (size <= LARGEST_OCTAL) octal(124, 12, size);
  else putBinary(block, size);
  octal(136, 12, 0);
  put(156, '0');
  put(257, 'ustar\x0000');
  block.fill(SPACE, CHECKSUM.at, CHECKSUM.at + CHECKSUM.length);
  octal(
    CHECKSUM.at,
    7,
    block.reduce((sum, byte) => sum + byte, 0),
  );
  return block;
}

/** GNU's form of sizes that octal digits do not hold. */
function putBinary(block: Uint8Array, size: number): void {
  const view = new DataView(block.buffer);
  view.setUint8(124, 0x80);
  view.setBigUint64(128, BigInt(size));
}

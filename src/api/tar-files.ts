/** Reads the files of a small tar, which may be compressed, into memory. */
import { toBytes } from '../disk/byte-string.ts';
import { TarIndexer } from '../disk/tar.ts';
import { collect } from '../oci/bytes.ts';
import { decompress } from '../oci/codec.ts';
import { chunks } from '../streams/chunks.ts';
import { decodeBytes } from '../text/byte-text.ts';
import type { NewFile } from './kept.ts';

export interface TarFilesOptions {
  /** The most bytes of the uncompressed tar. */
  readonly bytes: number;
  readonly entries: number;
}

const EXECUTABLE = 0o100;
/** Enough for long names. */
const NAMES = 16 << 20;

export interface TarFiles {
  /** Its files and symbolic links. */
  readonly files: readonly NewFile[];
  /** The path of an entry that is none of them, and no folder, if there is one. */
  readonly other: string | undefined;
}

/** @throws ImageError if the bytes are not a tar, or are too many */
export async function readTarFiles(
  tar: ReadableStream<Uint8Array>,
  { bytes: limit, entries: most }: TarFilesOptions,
): Promise<TarFiles> {
  const { browserCodec } = await import('../oci/browser-codec.ts');
  const bytes = await collect(decompress(chunks(tar), browserCodec), limit, 'the archive');
  const indexer = new TarIndexer({ entries: most, names: NAMES });
  indexer.push(bytes);
  const files: NewFile[] = [];
  let other: string | undefined;
  for (const entry of indexer.finish().entries) {
    const path = decodeBytes(toBytes(entry.path));
    if (entry.type === 'directory') continue;
    if (entry.type === 'symlink') {
      const target = decodeBytes(toBytes(entry.target));
      files.push({ path, content: new Uint8Array(), isExecutable: false, target });
    } else if (entry.type === 'file' && !entry.extents) {
      const content = bytes.slice(entry.offset, entry.offset + entry.size);
      files.push({ path, content, isExecutable: (entry.mode & EXECUTABLE) !== 0 });
    } else other ??= path;
  }
  return { files, other };
}

/** The files in an archive of images: a tar, perhaps compressed as a whole. */

import { clean, messageOf } from '../text/message.ts';
import { type Bytes, collect } from './bytes.ts';
import { type Codec, decompress, HEAD_LENGTH, isCompressed } from './codec.ts';
import type { Context } from './context.ts';
import { ImageError } from './errors.ts';
import type { Folder } from './folder.ts';
import { ForwardReader } from './forward-reader.ts';

/** A file that can be read at any offset. */
export interface ArchiveFile {
  /** The name that messages use. */
  readonly name: string;
  /** Reads `length` bytes from `offset` on, or all bytes up to the end. */
  stream(offset: number, length: number | undefined, context: Context): Bytes;
}

/** Finds the entries of a tar as its bytes arrive. */
export interface TarReader {
  push(bytes: Uint8Array): void;
  finish(): { readonly entries: readonly ArchiveEntry[] };
}

export interface ArchiveEntry {
  /** The path, without leading or doubled slashes. */
  readonly path: string;
  readonly type: string;
  /** The size of a file, in bytes. */
  readonly size?: number;
  readonly offset?: number;
  /** The target of a link: unchanged for a symbolic link, in the form of `path` for a hard link. */
  readonly target?: string;
}

export interface ArchiveOptions {
  readonly codec: Codec;
  readonly createTarReader: () => TarReader;
}

const MAX_LINKS = 8;
/**
 * Small files of a compressed archive stay in memory, because reading one again takes a pass over the
 * archive.
 */
const SMALL_FILE = 256 << 10;
const SMALL_FILES = 16 << 20;

interface FileEntry {
  readonly size: number;
  readonly offset: number;
}

/** The files of an archive. */
export class Archive implements Folder {
  readonly parallel: number;
  readonly #name: string;
  readonly #entries: ReadonlyMap<string, ArchiveEntry>;
  readonly #read: (offset: number, length: number, context: Context) => Bytes;
  readonly #small = new Map<number, Uint8Array>();

  private constructor(
    name: string,
    entries: readonly ArchiveEntry[],
    read: (offset: number, length: number, context: Context) => Bytes,
    parallel: number,
  ) {
    this.#name = name;
    this.#entries = new Map(entries.map((entry) => [entry.path, entry]));
    this.#read = read;
    this.parallel = parallel;
  }

  static async open(file: ArchiveFile, options: ArchiveOptions, context: Context): Promise<Archive> {
    const { codec, createTarReader } = options;
    const content = (context: Context) => decompress(file.stream(0, undefined, context), codec, file.name);
    const reader = createTarReader();
    try {
      for await (const bytes of content(context)) readTar(file.name, () => reader.push(bytes));
      const { entries } = readTar(file.name, () => reader.finish());
      const head = await collect(file.stream(0, HEAD_LENGTH, context), HEAD_LENGTH, file.name);
      if (!isCompressed(head)) return new Archive(file.name, entries, (...part) => file.stream(...part), 3);
      const forward = new ForwardReader(content);
      const archive = new Archive(file.name, entries, (...part) => forward.read(...part), 1);
      await archive.#keepSmallFiles(context);
      return archive;
    } catch (error) {
      context.signal.throwIfAborted();
      throw error instanceof ImageError ? error : noArchive(file.name, error);
    }
  }

  has(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** Returns the size of a file in bytes. @throws ImageError when there is no such file */
  size(path: string): number {
    return this.#get(path).size;
  }

  position(path: string): number {
    return this.#find(path)?.offset ?? 0;
  }

  async readFile(path: string, limit: number, context: Context): Promise<Uint8Array> {
    const { offset, size } = this.#get(path);
    if (size > limit) throw new ImageError(`${clean(path)} is larger than ${limit} bytes`);
    return this.#small.get(offset) ?? collect(this.#read(offset, size, context), size, path);
  }

  async *stream(path: string, _size: number, context: Context): Bytes {
    const { offset, size } = this.#get(path);
    yield* this.#read(offset, size, context);
  }

  #get(path: string): FileEntry {
    const entry = this.#find(path);
    if (!entry) throw new ImageError(`${this.#name} has no ${clean(path)}`, 'not-found');
    return entry;
  }

  /** Old archives have a layer under several names, connected by links. */
  #find(path: string): FileEntry | undefined {
    let at = path;
    for (let links = 0; links <= MAX_LINKS; links++) {
      const entry = this.#entries.get(at);
      if (entry?.type === 'file') return { size: entry.size ?? 0, offset: entry.offset ?? 0 };
      if (entry?.target === undefined) return undefined;
      at = entry.type === 'symlink' ? resolveLink(at, entry.target) : entry.target;
    }
    return undefined;
  }

  async #keepSmallFiles(context: Context): Promise<void> {
    const small = [...this.#entries.values()].filter(
      ({ type, size = 0 }) => type === 'file' && size <= SMALL_FILE,
    );
    let room = SMALL_FILES;
    for (const { size = 0, offset = 0, path } of small.sort(byOffset)) {
      room -= size;
      if (room < 0) return;
      this.#small.set(offset, await collect(this.#read(offset, size, context), size, path));
    }
  }
}

/** An error of the tar does not say which file it is about. */
function readTar<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw noArchive(name, error);
  }
}

function noArchive(name: string, cause: unknown): ImageError {
  return new ImageError(`${name} is not an archive of images: ${messageOf(cause)}`, 'invalid', { cause });
}

function byOffset(a: ArchiveEntry, b: ArchiveEntry): number {
  return (a.offset ?? 0) - (b.offset ?? 0);
}

function resolveLink(path: string, target: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** A file that the user picked or dropped in a browser. */
export function blobFile(blob: Blob, name: string): ArchiveFile {
  return {
    name,
    async *stream(offset, length, { signal }) {
      const end = length === undefined ? blob.size : offset + length;
      const reader = blob.slice(offset, end).stream().getReader();
      try {
        for (;;) {
          signal.throwIfAborted();
          const { done, value } = await reader.read().catch((cause: unknown) => {
            throw unreadable(name, cause);
          });
          if (done) return;
          yield value;
        }
      } finally {
        await reader.cancel().catch(() => {});
      }
    },
  };
}

/** Browsers cannot read a file that has changed or moved since the user picked it. */
function unreadable(name: string, cause: unknown): ImageError {
  const message = `${name} cannot be read, as if it had been changed or moved: pick it again`;
  return new ImageError(message, 'not-found', { cause });
}

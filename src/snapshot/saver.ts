/** The part of saving and loading sessions that takes time, in a worker. */
import { StateError } from '../machine/errors.ts';
import type { DiskFile, DiskFiles } from '../storage/disk-files.ts';
import { Lz4 } from './lz4.ts';
import { decodePages, encodePages, PAGE, RANGE } from './pages.ts';
import { HEAD_LENGTH, SECTION, SectionCodec, type SectionKind } from './sections.ts';

/** Where a section lies in a file. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** A range of RAM, by its number, and its place; undefined if all of it is zero. */
export interface SavedRange {
  readonly range: number;
  readonly place: Place | undefined;
}

export interface SaveRequest {
  readonly type: 'save';
  /** A new file, of this worker alone. */
  readonly file: string;
  /** Guest RAM, in shared memory. */
  readonly ram: Uint8Array;
  readonly ranges: Uint32Array;
  /** A word of shared memory: how many of `ranges` the workers have taken. */
  readonly taken: Int32Array;
  /** Further bytes for this file, of the machine's state. */
  readonly blobs: readonly Uint8Array[];
}

export interface LoadRequest {
  readonly type: 'load';
  readonly file: string;
  /** Guest RAM, in shared memory, which is zero. */
  readonly ram: Uint8Array;
  readonly ranges: readonly Place[];
  readonly blobs: readonly Place[];
}

export type SaverRequest = SaveRequest | LoadRequest;

export interface SaveAnswer {
  /** The size of the file. */
  readonly bytes: number;
  readonly ranges: readonly SavedRange[];
  readonly blobs: readonly Place[];
}

export interface LoadAnswer {
  readonly blobs: readonly Uint8Array[];
}

export class Saver {
  readonly #files: DiskFiles;
  readonly #codec: SectionCodec;
  readonly #lz4: Lz4;
  /** Files take no shared memory, and new memory costs more than reading. */
  #stored = new Uint8Array(1 << 20);

  /** @param emulator the compiled core */
  static async create(files: DiskFiles, emulator: WebAssembly.Module): Promise<Saver> {
    return new Saver(files, await SectionCodec.shared(), await Lz4.create(emulator));
  }

  private constructor(files: DiskFiles, codec: SectionCodec, lz4: Lz4) {
    this.#files = files;
    this.#codec = codec;
    this.#lz4 = lz4;
  }

  answer(request: SaverRequest): Promise<SaveAnswer | LoadAnswer> {
    return request.type === 'save' ? this.save(request) : this.load(request);
  }

  /** Writes ranges until the workers have taken all, durably. @throws StorageError */
  async save({ file: name, ram, ranges, taken, blobs }: SaveRequest): Promise<SaveAnswer> {
    const file = await this.#files.open(name);
    try {
      const writer = new SectionWriter(file, this.#codec, this.#lz4);
      const blobPlaces = blobs.map((blob) => writer.write(SECTION.blob, blob));
      const saved: SavedRange[] = [];
      for (let n = Atomics.add(taken, 0, 1); n < ranges.length; n = Atomics.add(taken, 0, 1)) {
        const range = ranges[n] as number;
        const first = range * RANGE;
        const count = Math.min(RANGE, ram.length / PAGE - first);
        const contents = encodePages(ram, first, count, (length) => this.#lz4.buffer(length));
        saved.push({ range, place: contents && writer.write(SECTION.pages, contents) });
      }
      await file.flush();
      return { bytes: writer.end, ranges: saved, blobs: blobPlaces };
    } finally {
      file.close();
    }
  }

  /** @throws StorageError, StateError */
  async load({ file: name, ram, ranges, blobs }: LoadRequest): Promise<LoadAnswer> {
    const file = await this.#files.open(name);
    try {
      for (const place of ranges) decodePages(this.#read(file, place, SECTION.pages), ram);
      return { blobs: blobs.map((place) => this.#read(file, place, SECTION.blob).slice()) };
    } finally {
      file.close();
    }
  }

  #read(file: DiskFile, { offset, length }: Place, kind: SectionKind): Uint8Array {
    if (offset + length > file.size) throw new StateError('a file of it is too short');
    if (this.#stored.length < length) this.#stored = new Uint8Array(length);
    const bytes = this.#stored.subarray(0, length);
    file.read(offset, bytes);
    const section = this.#codec.decodeWhole(bytes, { lz4: this.#lz4.decompress });
    if (section.kind !== kind) throw new StateError('its parts are out of order');
    return section.contents;
  }
}

/** Appends sections to an empty file. */
class SectionWriter {
  readonly #file: DiskFile;
  readonly #codec: SectionCodec;
  readonly #lz4: Lz4;
  end = 0;
  /** Files take no shared memory. */
  #buffer = new Uint8Array(1 << 20);

  constructor(file: DiskFile, codec: SectionCodec, lz4: Lz4) {
    this.#file = file;
    this.#codec = codec;
    this.#lz4 = lz4;
  }

  write(kind: SectionKind, contents: Uint8Array): Place {
    const [head, stored] = this.#codec.encode(kind, contents, this.#lz4);
    const length = HEAD_LENGTH + stored.length;
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    this.#buffer.set(head);
    this.#buffer.set(stored, HEAD_LENGTH);
    this.#file.write(this.end, this.#buffer.subarray(0, length));
    const place = { offset: this.end, length };
    this.end += length;
    return place;
  }
}

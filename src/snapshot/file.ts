import { MachineError, StateError } from '../machine/errors.ts';
import { type Plain, StateReader } from '../machine/state.ts';
import { MAX_RAM } from '../options/limits.mjs';
import { ByteSource } from './byte-source.ts';
import { VersionError } from './errors.ts';
import { decodePages, encodePages, PAGE, RANGE } from './pages.ts';
import { decodePlain, encodePlain } from './plain.ts';
import {
  type Compressor,
  type Decompressors,
  HEAD_LENGTH,
  SECTION,
  type Section,
  SectionCodec,
  type SectionKind,
} from './sections.ts';

/** The beginning of a file: one that text transfers damage, and the version of the format. */
const MAGIC = Uint8Array.of(0x89, 0x4c, 0x52, 0x53, 0x0d, 0x0a, 0x1a, 0x0a, 1, 0, 0, 0);
const VERSION_AT = 8;
const LONGEST_TEXT = 100;
const PROGRAMS = ['core', 'kernel', 'initramfs'] as const;
/** Blobs together: a state's disk in memory. */
const MOST_BLOB_BYTES = 4 * 2 ** 30;

/** The programs that a state belongs to, as SHA-256 in hexadecimal digits. */
export interface Versions {
  readonly core: string;
  readonly kernel: string;
  readonly initramfs: string;
}

export interface SnapshotHeader {
  /** The version of LinuxRun that made it. */
  readonly release: string;
  readonly versions: Versions;
  readonly ramBytes: number;
  /** In ms since 1970. */
  readonly created: number;
  /** What the state is of, for the maker's own use. */
  readonly about: Plain;
}

export interface SnapshotContents {
  readonly header: SnapshotHeader;
  /** The machine's state and whatever else belongs to it. */
  readonly state: Plain;
  /** Guest RAM, which must not change meanwhile. */
  readonly ram: Uint8Array;
}

/** A file as it is written. Each piece is valid until the next one is asked for. */
export async function* writeSnapshot(
  { header, state, ram }: SnapshotContents,
  compressor?: Compressor,
  range = RANGE,
): AsyncGenerator<Uint8Array, void> {
  const codec = await SectionCodec.shared();
  yield MAGIC;
  let count = 0;
  function* section(kind: SectionKind, contents: Uint8Array): Generator<Uint8Array> {
    count++;
    yield* codec.encode(kind, contents, compressor);
  }
  yield* section(SECTION.header, encodePlain(header as unknown as Plain).bytes);
  const { bytes, blobs } = encodePlain(state);
  for (const blob of blobs) yield* section(SECTION.blob, blob);
  yield* section(SECTION.state, bytes);
  const pages = ram.length / PAGE;
  const allocate = reusedBuffer();
  for (let first = 0; first < pages; first += range) {
    const contents = encodePages(ram, first, Math.min(range, pages - first), allocate);
    if (contents) yield* section(SECTION.pages, contents);
  }
  yield* section(SECTION.end, encodePlain(count).bytes);
}

/** Fresh memory costs a page fault for every 4 KiB. */
function reusedBuffer(): (length: number) => Uint8Array {
  let buffer = new Uint8Array(0);
  return (length) => {
    if (length > buffer.length) buffer = new Uint8Array(length);
    return buffer.subarray(0, length);
  };
}

/** A file that is being read: its state first, and its RAM when the machine's memory is there. */
export interface OpenedSnapshot {
  readonly header: SnapshotHeader;
  readonly state: Plain;
  /** Places the RAM, which is zero. Works once. @throws StateError */
  fillRam(ram: Uint8Array): Promise<void>;
  /** The ranges of RAM instead, each valid until the next one, as in `encodePages`. @throws StateError */
  ranges(): AsyncGenerator<Uint8Array, void>;
  /** Ends the stream, when its RAM is not wanted. */
  close(): Promise<void>;
}

/**
 * Reads a file up to its RAM.
 * @param versions of the programs here; without them, those of the file are not compared
 * @throws StateError if it is damaged; VersionError if other programs than `versions` made it; MachineError
 *   if it is something else; the stream's error
 */
export async function openSnapshot(
  bytes: AsyncIterable<Uint8Array>,
  decompressors: Decompressors,
  versions?: Versions,
): Promise<OpenedSnapshot> {
  const source = new ByteSource(bytes);
  try {
    return await open(new SectionReader(source, await SectionCodec.shared(), decompressors), versions);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Reads the beginning of a file, which says what it holds. @throws as `openSnapshot` */
export async function readHeader(
  bytes: AsyncIterable<Uint8Array>,
  decompressors: Decompressors,
  versions?: Versions,
): Promise<SnapshotHeader> {
  const source = new ByteSource(bytes);
  try {
    const codec = await SectionCodec.shared();
    return await headerOf(new SectionReader(source, codec, decompressors), versions);
  } finally {
    await source.close();
  }
}

async function headerOf(sections: SectionReader, versions: Versions | undefined): Promise<SnapshotHeader> {
  await sections.begin();
  const header = checkHeader(decodePlain((await sections.next(SECTION.header)).contents));
  if (versions) checkVersions(header, versions);
  return header;
}

async function open(sections: SectionReader, versions: Versions | undefined): Promise<OpenedSnapshot> {
  const header = await headerOf(sections, versions);
  const blobs: Uint8Array[] = [];
  let blobBytes = 0;
  for (;;) {
    const { kind, contents } = await sections.next(SECTION.blob, SECTION.state);
    if (kind === SECTION.state) {
      return {
        header,
        state: decodePlain(contents, blobs),
        fillRam: (ram) => fillRam(sections, ram, header).finally(() => sections.close()),
        ranges: () => ranges(sections),
        close: () => sections.close(),
      };
    }
    blobBytes += contents.length;
    if (blobBytes > MOST_BLOB_BYTES) throw new StateError('it is too large');
    blobs.push(contents.slice());
  }
}

async function fillRam(
  sections: SectionReader,
  ram: Uint8Array,
  { ramBytes }: SnapshotHeader,
): Promise<void> {
  if (ram.length !== ramBytes) throw new StateError('its memory has another size');
  for await (const range of ranges(sections)) decodePages(range, ram);
}

async function* ranges(sections: SectionReader): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const { kind, contents } = await sections.next(SECTION.pages, SECTION.end);
    if (kind === SECTION.end) return sections.end(contents);
    yield contents;
  }
}

/** The sections of a file, in their order. */
class SectionReader {
  readonly #source: ByteSource;
  readonly #codec: SectionCodec;
  readonly #decompressors: Decompressors;
  #count = 0;

  constructor(source: ByteSource, codec: SectionCodec, decompressors: Decompressors) {
    this.#source = source;
    this.#codec = codec;
    this.#decompressors = decompressors;
  }

  async begin(): Promise<void> {
    const magic = await this.#source.take(MAGIC.length).catch(() => undefined);
    if (!magic || magic.some((byte, n) => n < VERSION_AT && byte !== MAGIC[n]))
      throw new MachineError('this is no saved session of LinuxRun');
    if (magic.some((byte, n) => byte !== MAGIC[n])) throw new VersionError(undefined);
  }

  /** Reads a section that must be of one of these kinds. */
  async next(...kinds: readonly SectionKind[]): Promise<Section> {
    const head = await this.#source.take(HEAD_LENGTH);
    const stored = await this.#source.take(this.#codec.storedLength(head));
    const section = this.#codec.decode(head, stored, this.#decompressors);
    if (!kinds.includes(section.kind)) throw new StateError('its parts are out of order');
    this.#count++;
    return section;
  }

  /** Checks that the last section counts those before it, and that nothing follows. */
  async end(contents: Uint8Array): Promise<void> {
    if (decodePlain(contents) !== this.#count - 1) throw new StateError('parts of it are missing');
    if (!(await this.#source.isAtEnd())) throw new StateError('something follows its end');
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

/** @throws StateError */
export function checkHeader(value: Plain): SnapshotHeader {
  const header = new StateReader(value, 'header');
  const versions = header.field('versions');
  const hash = (program: keyof Versions) => versions.field(program).text(LONGEST_TEXT);
  return {
    release: header.field('release').text(LONGEST_TEXT),
    versions: { core: hash('core'), kernel: hash('kernel'), initramfs: hash('initramfs') },
    ramBytes: header.field('ramBytes').integer(0, MAX_RAM),
    created: header.field('created').integer(0, Number.MAX_SAFE_INTEGER),
    about: header.field('about').raw,
  };
}

/** @throws VersionError */
export function checkVersions({ release, versions }: SnapshotHeader, here: Versions): void {
  if (PROGRAMS.some((program) => versions[program] !== here[program])) throw new VersionError(release);
}

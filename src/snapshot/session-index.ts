import { StateError } from '../machine/errors.ts';
import { type Plain, StateReader } from '../machine/state.ts';
import { concat } from '../streams/concat.ts';
import { checkHeader, type SnapshotHeader } from './file.ts';
import { decodePlain, encodePlain } from './plain.ts';
import type { Place } from './saver.ts';
import { SECTION, SectionCodec } from './sections.ts';

/** Where a part of a stored session is. */
export interface FilePlace extends Place {
  readonly file: string;
}

/** A stored session without its RAM: what one value of the store holds. */
export interface SessionIndex {
  readonly header: SnapshotHeader;
  /** The encoded state. Its blobs are in `blobs`. */
  readonly state: Uint8Array;
  readonly blobs: readonly FilePlace[];
  /** The ranges of RAM that are not zero, by their numbers. */
  readonly ranges: ReadonlyMap<number, FilePlace>;
  /** The files that these places are in, and their bytes. */
  readonly files: ReadonlyMap<string, number>;
}

const MOST_FILES = 8192;
const LONGEST_NAME = 200;
const MOST_PLACES = 1 << 20;
const MOST_OFFSET = 2 ** 40;

export async function encodeIndex({
  header,
  state,
  blobs,
  ranges,
  files,
}: SessionIndex): Promise<Uint8Array> {
  const numbers = new Map([...files.keys()].map((file, number) => [file, number]));
  const flat = ({ file, offset, length }: FilePlace) => [numbers.get(file) as number, offset, length];
  const places: Plain = {
    files: [...files].flat(),
    blobs: blobs.flatMap(flat),
    ranges: [...ranges].flatMap(([range, place]) => [range, ...flat(place)]),
  };
  const codec = await SectionCodec.shared();
  return concat([
    ...codec.encode(SECTION.header, encodePlain(header as unknown as Plain).bytes),
    ...codec.encode(SECTION.state, state),
    ...codec.encode(SECTION.index, encodePlain(places).bytes),
  ]);
}

/** @throws StateError */
export async function decodeIndex(bytes: Uint8Array): Promise<SessionIndex> {
  const codec = await SectionCodec.shared();
  let rest = bytes;
  const next = (kind: number) => {
    const section = codec.split(rest);
    rest = rest.subarray(section.length);
    const decoded = codec.decodeWhole(section, {});
    if (decoded.kind !== kind) throw new StateError('its parts are out of order');
    return decoded.contents;
  };
  const header = checkHeader(decodePlain(next(SECTION.header)));
  const state = next(SECTION.state);
  const places = new StateReader(decodePlain(next(SECTION.index)), 'index');
  const names = inGroups(places.field('files').list(MOST_FILES), 2).map(([name, bytes]): [string, number] => [
    (name as StateReader).text(LONGEST_NAME),
    (bytes as StateReader).integer(0, MOST_OFFSET),
  ]);
  const files = names.map(([name]) => name);
  const blobs = numbersOf(places.field('blobs'), 3).map((numbers) => placeOf(files, numbers));
  const ranges = numbersOf(places.field('ranges'), 4).map(([range, ...numbers]): [number, FilePlace] => [
    range as number,
    placeOf(files, numbers),
  ]);
  return { header, state, blobs, ranges: new Map(ranges), files: new Map(names) };
}

/** The files in which places are. */
export function neededFiles({ blobs, ranges }: Pick<SessionIndex, 'blobs' | 'ranges'>): Set<string> {
  return new Set([...blobs, ...ranges.values()].map(({ file }) => file));
}

function numbersOf(reader: StateReader, size: number): number[][] {
  const numbers = reader.list(MOST_PLACES).map((number) => number.integer(0, MOST_OFFSET));
  return inGroups(numbers, size);
}

/** @throws StateError */
function inGroups<T>(items: readonly T[], size: number): T[][] {
  if (items.length % size !== 0) throw new StateError('its index ends early');
  return Array.from({ length: items.length / size }, (_, n) => items.slice(n * size, (n + 1) * size));
}

function placeOf(files: readonly string[], [number, offset, length]: readonly number[]): FilePlace {
  const file = files[number as number];
  if (file === undefined) throw new StateError('it has a file without a name');
  return { file, offset: offset as number, length: length as number };
}

import { StateError } from '../machine/errors.ts';

export const PAGE = 4096;
/** The pages of RAM that are saved and compressed together. */
export const RANGE = 256;

/**
 * A range of RAM as bytes. Little-endian words come first:
 *
 *     first page, pages in the range, runs, repeats
 *     of each run: first page, pages         pages whose contents follow
 *     of each repeat: page, page of a run    pages that equal another one
 *
 * Page numbers count from the start of RAM. Then come the contents of the runs' pages, in order. All other
 * pages of the range are zero.
 */
const HEAD = 4;
/** Bytes of a word, and of a pair of them. */
const WORD = 4;
const PAIR = 2 * WORD;

const PAGE_WORDS = PAGE / WORD;
/** An odd number with its bits spread: 2^32 divided by the golden ratio. */
const PRIME = 0x9e37_79b1;

interface PageIndex {
  /** `[first page, pages]` of each run. */
  readonly runs: (readonly [number, number])[];
  /** `[page, page of a run]` of each repeat. */
  readonly repeats: (readonly [number, number])[];
}

/**
 * Returns the pages `[first, first + count)` as bytes, or undefined if all are zero.
 * @param ram at a multiple of four bytes
 * @param allocate returns a buffer of so many bytes
 */
export function encodePages(
  ram: Uint8Array,
  first: number,
  count: number,
  allocate: (length: number) => Uint8Array,
): Uint8Array | undefined {
  const { runs, repeats } = indexPages(ram, first, count);
  if (runs.length === 0) return undefined;
  const words = [first, count, runs.length, repeats.length, ...runs.flat(), ...repeats.flat()];
  const pages = runs.reduce((sum, [, pages]) => sum + pages, 0);
  const bytes = allocate(words.length * WORD + pages * PAGE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [n, word] of words.entries()) view.setUint32(n * WORD, word, true);
  let at = words.length * WORD;
  for (const [page, pages] of runs) {
    bytes.set(ram.subarray(page * PAGE, (page + pages) * PAGE), at);
    at += pages * PAGE;
  }
  return bytes;
}

function indexPages(ram: Uint8Array, first: number, count: number): PageIndex {
  const words = new Int32Array(ram.buffer, ram.byteOffset + first * PAGE, count * PAGE_WORDS);
  const known = new Map<number, number>();
  const runs: [number, number][] = [];
  const repeats: [number, number][] = [];
  for (let page = 0; page < count; page++) {
    const hash = hashPage(words, page);
    if (hash === 0 && isZero(words, page)) continue;
    const other = known.get(hash);
    if (other !== undefined && isEqual(words, page, other)) {
      repeats.push([first + page, first + other]);
      continue;
    }
    known.set(hash, page);
    const last = runs.at(-1);
    if (last && last[0] + last[1] === first + page) last[1]++;
    else runs.push([first + page, 1]);
  }
  return { runs, repeats };
}

/** A hash of the page; 0 if it is zero, and for hardly any other. */
function hashPage(words: Int32Array, page: number): number {
  const end = (page + 1) * PAGE_WORDS;
  // Two lanes, because each multiplication waits for the one before.
  let [even, odd] = [0, 0];
  for (let at = page * PAGE_WORDS; at < end; at += 2) {
    even = Math.imul(even ^ (words[at] as number), PRIME) ^ (even >>> 15);
    odd = Math.imul(odd ^ (words[at + 1] as number), PRIME) ^ (odd >>> 15);
  }
  return even ^ Math.imul(odd, PRIME);
}

function isZero(words: Int32Array, page: number): boolean {
  const end = (page + 1) * PAGE_WORDS;
  for (let at = page * PAGE_WORDS; at < end; at++) if (words[at] !== 0) return false;
  return true;
}

function isEqual(words: Int32Array, page: number, other: number): boolean {
  const distance = (page - other) * PAGE_WORDS;
  const end = (page + 1) * PAGE_WORDS;
  for (let at = page * PAGE_WORDS; at < end; at++) if (words[at] !== words[at - distance]) return false;
  return true;
}

/**
 * Places a range of pages in RAM that is zero there.
 * @throws StateError if it does not lie in RAM, or is nothing that `encodePages` has written
 */
export function decodePages(bytes: Uint8Array, ram: Uint8Array): void {
  const { runs, repeats } = readIndex(bytes, ram.length / PAGE);
  let at = WORD * HEAD + PAIR * (runs.length + repeats.length);
  for (const [page, pages] of runs) {
    ram.set(bytes.subarray(at, at + pages * PAGE), page * PAGE);
    at += pages * PAGE;
  }
  for (const [page, of] of repeats) ram.copyWithin(page * PAGE, of * PAGE, (of + 1) * PAGE);
}

/**
 * The pages of a range, from the numbers of their first ones.
 * @throws StateError as `decodePages`
 */
export function pagesOf(bytes: Uint8Array, ramPages: number): [page: number, contents: Uint8Array][] {
  const { runs, repeats } = readIndex(bytes, ramPages);
  let at = WORD * HEAD + PAIR * (runs.length + repeats.length);
  const found = runs.map(([page, pages]): [number, Uint8Array] => {
    const contents = bytes.subarray(at, at + pages * PAGE);
    at += contents.length;
    return [page, contents];
  });
  const repeated = repeats.map(([page, of]): [number, Uint8Array] => {
    const [first, contents] = found.findLast(([first]) => first <= of) as [number, Uint8Array];
    return [page, contents.subarray((of - first) * PAGE, (of - first + 1) * PAGE)];
  });
  return [...found, ...repeated];
}

/** Reads the index, and checks that the contents are as long as it says. */
function readIndex(bytes: Uint8Array, ramPages: number): PageIndex {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEAD * WORD) throw damaged();
  const [first, count, runCount, repeatCount] = Array.from({ length: HEAD }, (_, n) =>
    view.getUint32(n * WORD, true),
  ) as [number, number, number, number];
  const end = first + count;
  if (end > ramPages || runCount > count || repeatCount > count) throw damaged();
  const contents = HEAD * WORD + (runCount + repeatCount) * PAIR;
  if (contents > bytes.length) throw damaged();
  const pairs = Array.from({ length: runCount + repeatCount }, (_, n): [number, number] => [
    view.getUint32(HEAD * WORD + n * PAIR, true),
    view.getUint32(HEAD * WORD + n * PAIR + WORD, true),
  ]);
  const runs = pairs.slice(0, runCount);
  const repeats = pairs.slice(runCount);
  const inRuns = checkRuns(runs, first, end);
  let next = first;
  for (const [page, of] of repeats) {
    if (page < next || page >= end || inRuns[page - first] || of < first || !inRuns[of - first])
      throw damaged();
    next = page + 1;
  }
  const pages = runs.reduce((sum, [, pages]) => sum + pages, 0);
  if (contents + pages * PAGE !== bytes.length) throw damaged();
  return { runs, repeats };
}

/** Checks that runs lie in the range, in order. Returns whether each page of it is in a run. */
function checkRuns(runs: readonly (readonly [number, number])[], first: number, end: number): Uint8Array {
  const inRuns = new Uint8Array(end - first);
  let next = first;
  for (const [page, pages] of runs) {
    if (pages === 0 || page < next || page + pages > end) throw damaged();
    next = page + pages;
    inRuns.fill(1, page - first, next - first);
  }
  return inRuns;
}

function damaged(): StateError {
  return new StateError('pages of its memory make no sense');
}

/**
 * How Node finds the machine that has booted: uncompressed in the user's cache. A decompressor that has just
 * started takes as long as a boot.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BOOTED, openBooted } from '../container/booted.ts';
import { PROTOCOL_VERSION } from '../machine/agent-codes.ts';
import { MachineError } from '../machine/errors.ts';
import type { MachineState, Plain, SavedMachine } from '../machine/machine.ts';
import { PAGE, pagesOf } from '../snapshot/pages.ts';
import { decodePlain, encodePlain } from '../snapshot/plain.ts';
import { buildOf } from '../snapshot/versions.ts';

/**
 * The end of a file in the cache, behind the pages. Its own length follows in four bytes, little-endian.
 */
interface Contents {
  readonly state: MachineState;
  /** The first page and the number of pages of each run, in the order in which the pages lie in the file. */
  readonly runs: readonly (readonly [page: number, pages: number])[];
}

const LENGTH_SIZE = 4;
/** The most buffers of one read (IOV_MAX of Linux). */
const MOST_PARTS = 1024;

/**
 * @param assets the folder with kernel/
 * @param cache the folder of the uncompressed file, which the first call makes
 * @throws MachineError if the file of the assets is missing or damaged
 */
export async function openCachedBooted(
  assets: string,
  cache: string,
  emulator: WebAssembly.Module,
): Promise<SavedMachine> {
  const source = join(assets, BOOTED);
  const { size, mtimeMs } = statOf(source);
  const name = [buildOf(emulator).slice(0, 16), PROTOCOL_VERSION, size, Math.round(mtimeMs)].join('-');
  const path = join(cache, name);
  try {
    return readUnpacked(path);
  } catch {
    // It is not there yet.
  }
  const file = await readFile(source);
  // A damaged file is told before anything is written.
  const booted = await openBooted(file, emulator);
  try {
    await unpack(await openBooted(file, emulator), cache, name);
  } catch {
    // The next start tries again: the disk may be full, or another process does the same.
  }
  return booted;
}

/** @throws MachineError */
function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    throw new MachineError(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/** Replaces what is in the cache. */
async function unpack(
  { state, ranges }: Awaited<ReturnType<typeof openBooted>>,
  cache: string,
  name: string,
): Promise<void> {
  mkdirSync(cache, { recursive: true });
  for (const old of readdirSync(cache)) rmSync(join(cache, old), { force: true });
  const unfinished = join(cache, `${name}.${process.pid}`);
  const file = openSync(unfinished, 'wx');
  try {
    const runs: [number, number][] = [];
    for await (const range of ranges()) {
      for (const [page, contents] of pagesOf(range, state.ramBytes / PAGE)) {
        writeSync(file, contents);
        runs.push([page, contents.length / PAGE]);
      }
    }
    const { bytes } = encodePlain({ state, runs } satisfies Contents as unknown as Plain);
    writeSync(file, bytes);
    writeSync(file, Uint32Array.of(bytes.length));
    // After a loss of power a file that has its name must be whole.
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, join(cache, name));
}

function readUnpacked(path: string): SavedMachine {
  const { state, runs } = withFile(path, (file) => {
    const { size } = fstatSync(file);
    const [length = 0] = new Uint32Array(readAt(file, size - LENGTH_SIZE, LENGTH_SIZE).buffer);
    return decodePlain(readAt(file, size - LENGTH_SIZE - length, length)) as unknown as Contents;
  });
  return { state, fillRam: (ram) => readPages(path, runs, ram) };
}

/** Reads all pages at once, in another thread, because this one has other things to load. */
async function readPages(path: string, runs: Contents['runs'], ram: Uint8Array): Promise<void> {
  const parts = runs.map(([page, pages]) => ram.subarray(page * PAGE, (page + pages) * PAGE));
  const file = await open(path);
  try {
    let position = 0;
    for (let first = 0; first < parts.length; first += MOST_PARTS) {
      const group = parts.slice(first, first + MOST_PARTS);
      const size = group.reduce((sum, { length }) => sum + length, 0);
      const { bytesRead } = await file.readv(group, position);
      if (bytesRead !== size) throw new MachineError(`${path} is damaged: remove it`);
      position += size;
    }
  } finally {
    await file.close();
  }
}

function withFile<T>(path: string, use: (file: number) => T): T {
  const file = openSync(path, 'r');
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  readSync(file, bytes, { position });
  return bytes;
}

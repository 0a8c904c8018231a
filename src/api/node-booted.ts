/** How Node finds the machine that has booted: uncompressed in the user's cache, which is read faster. */
import { mkdirSync, readdirSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BOOTED, openBooted, unpackBooted } from '../container/booted.ts';
import { MachineError } from '../machine/errors.ts';
import type { SavedMachine } from '../machine/machine.ts';

/**
 * @param assets the folder with kernel/
 * @param cache the folder for the uncompressed file, which is made from that of the assets
 * @throws MachineError if the file is missing or damaged
 */
export async function openCachedBooted(
  assets: string,
  cache: string,
  emulator: WebAssembly.Module,
): Promise<SavedMachine> {
  const source = join(assets, BOOTED);
  const { size, mtimeMs } = statOf(source);
  const name = `${size}-${Math.round(mtimeMs)}`;
  try {
    return await openBooted(await readFile(join(cache, name)), emulator);
  } catch {
    const file = await unpackBooted(await readFile(source));
    keep(cache, name, file);
    return openBooted(file, emulator);
  }
}

/** @throws MachineError */
function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    throw new MachineError(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/** Replaces what is in the cache. A checksum in the file tells if it was written in part. */
function keep(cache: string, name: string, file: Uint8Array): void {
  const unfinished = join(cache, `${name}.${process.pid}`);
  try {
    mkdirSync(cache, { recursive: true });
    for (const old of readdirSync(cache)) rmSync(join(cache, old), { force: true });
    writeFileSync(unfinished, file);
    renameSync(unfinished, join(cache, name));
  } catch {
    // It is unpacked again next time: the disk may be full, or another process does the same.
  }
}

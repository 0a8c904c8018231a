/** The C programs of this folder, as files in the guest. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeCpio } from '../../../scripts/setup/cpio.mjs';
import { nodePlatform } from '../../../src/machine/platform/node.ts';
import { compileForLinux } from '../support/toolchain.ts';

const FOLDER = import.meta.dirname;
export const platform = nodePlatform(join(FOLDER, '../../../public'));
export const PROGRAMS = readdirSync(FOLDER).filter((name) => name.endsWith('.c'));

export const pathInGuest = (program: string) => `/bin/${basename(program, '.c')}`;

/** Returns the path of a program's executable. */
export const executable = (program: string) => compileForLinux(join(FOLDER, program));

/** Our initramfs with programs of this folder added. The kernel unpacks several concatenated archives. */
export async function initramfsWithPrograms(programs = PROGRAMS): Promise<Buffer> {
  const base = await platform.loadFile('kernel/initramfs.cpio');
  return Buffer.concat([base, await archiveOf(programs, FOLDER)]);
}

/** @param programs names of C files in that folder */
export async function archiveOf(programs: readonly string[], folder: string): Promise<Uint8Array> {
  const entries = programs.map(async (program) => ({
    path: pathInGuest(program).slice(1),
    type: 'file' as const,
    data: await readFile(await compileForLinux(join(folder, program))),
  }));
  return writeCpio(await Promise.all(entries));
}

/** A program that is killed: says after each `fsync` how often it has synced, and writes on. */
import { writeSync } from 'node:fs';
import { NodeDiskFiles } from '../../storage/node-disk-files.ts';
import { HostFolder } from '../host-folder.ts';
import type { SharedFolder } from '../shared-folder.ts';
import { StoredFolder } from '../stored-folder.ts';

/** The content of each synced file. */
export const contentOf = (number: number): Buffer => Buffer.alloc(10_000 + number, `${number},`);

export const openKind = async (kind: string, path: string): Promise<SharedFolder> =>
  kind === 'host'
    ? new HostFolder(path)
    : StoredFolder.open({ files: new NodeDiskFiles(path), free: async () => 0 }, 'folder');

async function writeForEver(folder: SharedFolder): Promise<void> {
  for (let number = 0; ; number++) {
    const file = await folder.create([`${number}`], 0o644, { user: 0, group: 0 });
    await file.write(0, [contentOf(number)]);
    await file.sync(false);
    await folder.syncFolder([]);
    await file.close();
    writeSync(1, `${number}\n`);
    const other = await folder.create([`${number}.later`], 0o644, { user: 0, group: 0 });
    for (let i = 0; i < 4; i++) await other.write(i * 5000, [Buffer.alloc(7000, number)]);
    await other.close();
    if (number > 3) await folder.remove([`${number - 3}.later`]);
  }
}

const [, , kind, path] = process.argv;
if (kind !== undefined && path !== undefined) await writeForEver(await openKind(kind, path));

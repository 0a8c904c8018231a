import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CHUNK } from '../../disk/block-backend.ts';
import { KeptDisk } from '../../disk/kept-disk.ts';
import type { DiskFile } from '../../storage/disk-files.ts';

/** What a file system may need after a crash: its journal, and files that were being deleted. */
const EXPECTED = [
  /recovering journal/,
  /^Clearing orphaned inode/,
  /^(Setting )?(free|Free) (blocks|inodes) count/,
  /was not cleanly unmounted/,
  /^\d+\/\d+ files .* blocks$/,
];

/** Writes the content of a kept disk, now or at a checkpoint, as an image that other tools read. */
export async function writeImage(
  file: DiskFile,
  sizeBytes: number,
  path: string,
  checkpoint?: number,
): Promise<void> {
  const disk = await KeptDisk.open(file, { sizeBytes });
  if (checkpoint !== undefined) disk.revert(checkpoint);
  const fd = openSync(path, 'w');
  ftruncateSync(fd, sizeBytes);
  for (const [chunk, bytes] of disk.chunks()) writeSync(fd, bytes, 0, bytes.length, chunk * CHUNK);
  closeSync(fd);
}

/** Replays the journal, and throws unless the file system is whole then. */
export function recover(image: string): void {
  const repaired = spawnSync('/usr/sbin/e2fsck', ['-fp', image], { encoding: 'utf8' });
  const lines = repaired.stdout.split('\n').map((line) => line.replace(`${image}: `, '').trim());
  const unexpected = lines.filter((line) => line !== '' && !EXPECTED.some((each) => each.test(line)));
  const checked = spawnSync('/usr/sbin/e2fsck', ['-fn', image], { encoding: 'utf8' });
  if ((repaired.status ?? 9) > 1 || unexpected.length > 0 || checked.status !== 0)
    throw new Error(`the file system is damaged:\n${repaired.stdout}${checked.stdout}${checked.stderr}`);
}

/** The SHA-256 of a file of a container's disk. @returns undefined if there is no such file */
export function hashOf(image: string, path: string, folder: string): string | undefined {
  mkdirSync(folder, { recursive: true });
  const copy = join(folder, 'copy');
  const { stderr } = spawnSync('/usr/sbin/debugfs', ['-R', `dump upper${path} ${copy}`, image], {
    encoding: 'utf8',
  });
  if (/not found/.test(stderr)) return undefined;
  return createHash('sha256').update(readFileSync(copy)).digest('hex');
}

/** Copies a folder of a container's disk to this computer. */
export function copyOut(image: string, path: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('/usr/sbin/debugfs', ['-R', `rdump upper${path} ${folder}`, image], { stdio: 'pipe' });
}

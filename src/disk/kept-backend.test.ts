import { beforeEach, describe, expect, test } from 'vitest';
import { equalBytes, pattern } from '../machine/devices/testing/guest-driver.ts';
import type { DiskFiles } from '../storage/disk-files.ts';
import { StorageFullError } from '../storage/errors.ts';
import { CHUNK } from './block-backend.ts';
import { BLOCK, planLayout } from './ext4.ts';
import { KeptBackend } from './kept-backend.ts';
import { KeptDisk } from './kept-disk.ts';
import { PowerLossFile } from './testing/power-loss-file.ts';

const MIB = 1 << 20;
const SIZE = 256 * MIB;
const DATA = 100 * MIB;
/** Blocks of directories, each in a chunk of its own. */
const FOLDERS = 200 * MIB;
const { journal } = planLayout(SIZE, true);

let file: PowerLossFile;
let problems: (string | undefined)[];
let disk: KeptBackend;
/** How many chunks of data are on the disk. */
let filled: number;

beforeEach(async () => {
  file = new PowerLossFile(24 * MIB);
  problems = [];
  const files = { open: async () => file } as unknown as DiskFiles;
  const description = { kind: 'kept', store: '', disk: 'a', sizeBytes: SIZE } as const;
  disk = new KeptBackend(
    files,
    description,
    (problem) => problems.push(problem),
    () => expect.unreachable(),
  );
  await disk.flush();
  filled = 0;
  await expect(fill()).rejects.toThrow(StorageFullError);
});

async function fill(): Promise<void> {
  for (; filled < 1000; filled++) await disk.write(DATA + filled * CHUNK, [pattern(CHUNK, filled)]);
}

/** A descriptor block of the journal (journal.rst, "Descriptor Block"), which names blocks. */
function descriptor(blocks: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(BLOCK));
  view.setUint32(0, 0xc03b3998);
  view.setUint32(4, 1);
  let at = 12;
  for (const [index, block] of blocks.entries()) {
    view.setUint32(at, block);
    view.setUint16(at + 6, (index > 0 ? 2 : 0) | (index === blocks.length - 1 ? 8 : 0));
    at += index > 0 ? 8 : 24;
  }
  return new Uint8Array(view.buffer);
}

/** Writes the whole journal, which names `count` folders' blocks. */
async function writeJournal(count: number): Promise<void> {
  const folders = Array.from({ length: count }, (_, index) => (FOLDERS + index * CHUNK) / BLOCK);
  for (let block = 0; block < journal.blocks; block += CHUNK / BLOCK) {
    const bytes = new Uint8Array(CHUNK);
    bytes.set(descriptor(folders.slice(block, block + CHUNK / BLOCK)));
    await disk.write((journal.start + block) * BLOCK, [bytes]);
  }
}

const isSettled = (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setTimeout(resolve, 300, false))]);

describe('the disk in a full store', () => {
  test('takes the whole journal and what it names, but no data of any size', async () => {
    await writeJournal(20);
    for (let index = 0; index < 20; index++)
      await disk.write(FOLDERS + index * CHUNK, [pattern(2 * BLOCK, index)]);
    await disk.flush();
    for (const length of [512, BLOCK, CHUNK])
      await expect((async () => disk.write(FOLDERS + 30 * CHUNK, [pattern(length)]))()).rejects.toThrow(
        StorageFullError,
      );
    const copy = await KeptDisk.open(file.copy(), { sizeBytes: SIZE });
    const bytes = new Uint8Array(2 * BLOCK);
    copy.read(FOLDERS + 19 * CHUNK, [bytes]);
    expect(equalBytes(bytes, pattern(2 * BLOCK, 19))).toBe(true);
    expect(problems).toEqual(['the file is full']);
  });

  test('lets metadata wait when the reserve is used up, until there is room', async () => {
    await writeJournal(100);
    let done = 0;
    const writing = (async () => {
      for (; done < 100; done++) await disk.write(FOLDERS + done * CHUNK, [pattern(BLOCK, done)]);
    })();
    expect(await isSettled(writing)).toBe(false);
    expect(done).toBeGreaterThan(20);
    // The next map has room.
    await disk.flush();
    file.capacity = 64 * MIB;
    await writing;
    await disk.flush();
    const copy = await KeptDisk.open(file.copy(), { sizeBytes: SIZE });
    const bytes = new Uint8Array(BLOCK);
    for (let index = 0; index < 100; index++) {
      copy.read(FOLDERS + index * CHUNK, [bytes]);
      expect(equalBytes(bytes, pattern(BLOCK, index))).toBe(true);
    }
  });

  test('takes data in the place of what was discarded', async () => {
    await disk.discard(DATA, 10 * CHUNK);
    for (let index = 0; index < 10; index++)
      await disk.write(FOLDERS + index * CHUNK, [pattern(CHUNK, index)]);
    await expect(fill()).rejects.toThrow(StorageFullError);
  });

  test('ends while metadata waits', async () => {
    await writeJournal(100);
    const waiting = Array.from({ length: 100 }, async (_, index) =>
      disk.write(FOLDERS + index * CHUNK, [pattern(BLOCK)]),
    );
    expect(await isSettled(Promise.all(waiting))).toBe(false);
    await disk.close();
    const results = await Promise.allSettled(waiting);
    expect(results.some(({ status }) => status === 'rejected')).toBe(true);
    await expect(KeptDisk.open(file.copy(), { sizeBytes: SIZE })).resolves.toBeInstanceOf(KeptDisk);
  });
});

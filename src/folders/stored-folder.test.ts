import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PowerLossFile } from '../disk/testing/power-loss-file.ts';
import type { DiskFile } from '../storage/disk-files.ts';
import { MemoryDiskFiles } from '../storage/memory.ts';
import {
  type FolderEntry,
  isFolder,
  S_IFDIR,
  S_IFLNK,
  type SharedFolder,
  type Way,
} from './shared-folder.ts';
import { filesOf, StoredFolder } from './stored-folder.ts';
import { contentOf, openKind } from './testing/killed.ts';

const ROOT = { user: 0, group: 0 };
const READ = { read: true, write: false, truncate: false };
const WRITE = { read: true, write: true, truncate: false };
const free = async () => 1 << 30;

/** A store whose files the test has. */
function storeOf(files: readonly DiskFile[]) {
  const names = filesOf('f');
  const open = async (name: string) => files[names.indexOf(name)] as DiskFile;
  return { files: Object.assign(new MemoryDiskFiles(), { open }), free };
}

async function put(folder: SharedFolder, way: Way, bytes: Uint8Array, position = 0): Promise<void> {
  const file = await folder.open(way, WRITE).catch(() => folder.create(way, 0o640, { user: 7, group: 8 }));
  await file.write(position, [bytes.subarray(0, 5), bytes.subarray(5)]);
  await file.close();
}

async function get(folder: SharedFolder, way: Way): Promise<Buffer> {
  const file = await folder.open(way, READ);
  const bytes = Buffer.alloc((await file.status()).size);
  expect(await file.read(0, [bytes])).toBe(bytes.length);
  await file.close();
  return bytes;
}

/** All that a folder tells of its files. */
async function listing(folder: SharedFolder, way: Way = []): Promise<unknown[]> {
  const { accessed: _, ...status } = await folder.status(way);
  const rest: unknown[] = [];
  if ((status.mode & S_IFLNK) === S_IFLNK) rest.push(await folder.readLink(way));
  else if (isFolder(status.mode)) {
    const names = (await folder.list(way)).map(({ name }: FolderEntry) => name).sort();
    for (const name of names) rest.push(...(await listing(folder, [...way, name])));
  } else rest.push((await get(folder, way)).toString('base64'));
  const attributes = (await folder.attributes?.list(way)) ?? [];
  return [{ way, status, attributes }, ...rest];
}

test('is the same when it is opened again', async () => {
  const store = { files: new MemoryDiskFiles(), free };
  const folder = await StoredFolder.open(store, 'f');
  await folder.make(['d'], S_IFDIR | 0o2750, { user: 1, group: 2 });
  await folder.make(['d', 'e'], S_IFDIR | 0o700, ROOT);
  await put(folder, ['d', '\udcff\n "'], Buffer.from('bytes'));
  await put(folder, ['sparse'], Buffer.alloc(100_000, 'x'), 1_000_001);
  await folder.change(['sparse'], { size: 1_050_000 });
  await folder.change(['sparse'], { size: 1_080_000, modified: -5n });
  await folder.link(['sparse'], ['d', 'e', 'hard']);
  await folder.makeLink(['link'], 'd/e', ROOT);
  await folder.attributes.set(['link'], 'user.x', Uint8Array.of(0, 200), 'any');
  await put(folder, ['gone'], Buffer.from('gone'));
  const unlinked = await folder.open(['gone'], READ);
  await folder.remove(['gone']);
  await folder.rename(['d', 'e'], ['z'], 'replace');
  const before = await listing(folder);
  await folder.close();
  await unlinked.close();
  const again = await StoredFolder.open(store, 'f');
  expect(await listing(again)).toEqual(before);
  expect(await again.attributes.get(['link'], 'user.x')).toEqual(Uint8Array.of(0, 200));
  await put(again, ['next'], Buffer.from('next'));
  expect((await again.status(['next'])).inode).toBeGreaterThan((await again.status(['z'])).inode);
  for (const name of ['next', 'sparse', 'link']) await again.remove([name]);
  await again.remove(['d', '\udcff\n "']);
  await again.remove(['z', 'hard']);
  for (const name of ['d', 'z']) await again.removeFolder([name]);
  const empty = await StoredFolder.open(store, 'empty');
  expect((await again.capacity()).freeFiles).toBe((await empty.capacity()).freeFiles);
  for (const opened of [again, empty]) await opened.close();
});

test('gives blocks to others when no durable tree has them any more', async () => {
  const [content, ...trees] = [new PowerLossFile(), new PowerLossFile(), new PowerLossFile()];
  const folder = await StoredFolder.open(storeOf([content, ...trees]), 'f');
  for (let i = 0; i < 20; i++) {
    await put(folder, ['big'], Buffer.alloc(1 << 20, i));
    await folder.syncFolder();
    await folder.remove(['big']);
    await folder.syncFolder();
  }
  expect(content.size).toBeLessThan(4 << 20);
  await folder.close();
  const again = await StoredFolder.open(storeOf([content, ...trees]), 'f');
  expect(content.size).toBe(0);
  await again.close();
});

test('writes into the gaps that removed files have left', async () => {
  const store = { files: new MemoryDiskFiles(), free };
  const folder = await StoredFolder.open(store, 'f');
  for (let i = 0; i < 20; i++) await put(folder, [`${i}`], Buffer.alloc(4096 * (1 + (i % 3)), i));
  for (let i = 0; i < 20; i += 2) await folder.remove([`${i}`]);
  await folder.syncFolder();
  const bytes = Buffer.alloc(200_000, 'content');
  await put(folder, ['sparse'], bytes.subarray(0, 1), 1_000_000);
  await put(folder, ['sparse'], bytes, 50_000);
  await folder.close();
  const again = await StoredFolder.open(store, 'f');
  const whole = await get(again, ['sparse']);
  expect(whole.length).toBe(1_000_001);
  expect(whole.subarray(50_000, 250_000).equals(bytes)).toBe(true);
  expect(whole.subarray(0, 50_000).every((byte) => byte === 0)).toBe(true);
  expect(whole.subarray(250_000, 1_000_000).every((byte) => byte === 0)).toBe(true);
  for (let i = 1; i < 20; i += 2)
    expect((await get(again, [`${i}`])).equals(Buffer.alloc(4096 * (1 + (i % 3)), i))).toBe(true);
  await again.close();
});

test('begins its journal anew when it is long', async () => {
  const files = [new PowerLossFile(), new PowerLossFile(), new PowerLossFile()];
  const folder = await StoredFolder.open(storeOf(files), 'f');
  await put(folder, ['kept'], Buffer.from('kept'));
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < 100; j++) await folder.make([`${j}${'n'.repeat(200)}`], S_IFDIR | 0o755, ROOT);
    await folder.syncFolder();
    for (let j = 0; j < 100; j++) await folder.removeFolder([`${j}${'n'.repeat(200)}`]);
    await folder.syncFolder();
  }
  const [, first, second] = files;
  expect(Math.max(first?.size ?? 0, second?.size ?? 0)).toBeLessThan(2 << 20);
  await folder.close();
  const again = await StoredFolder.open(storeOf(files), 'f');
  expect(await again.list([])).toEqual([{ name: 'kept', type: 0o100000 }]);
});

test('a full store loses nothing that was synced', async () => {
  const files = [new PowerLossFile(), new PowerLossFile(), new PowerLossFile()];
  const folder = await StoredFolder.open(storeOf(files), 'f');
  await put(folder, ['a'], Buffer.from('a'));
  await folder.syncFolder();
  for (const file of files) file.remaining = 0;
  await expect(folder.remove(['a']).then(() => folder.syncFolder())).rejects.toThrow();
  for (const file of files) file.remaining = Number.POSITIVE_INFINITY;
  await put(folder, ['b'], Buffer.from('b'));
  await folder.syncFolder();
  for (const file of files) file.losePower(() => 0);
  const again = await StoredFolder.open(storeOf(files), 'f');
  expect(await again.list([])).toEqual([{ name: 'b', type: 0o100000 }]);
});

test('what is synced survives the loss of power at any moment', async () => {
  let seed = Number(process.env.FUZZ_SEED ?? 1);
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 20; round++) {
    const files = [new PowerLossFile(), new PowerLossFile(), new PowerLossFile()];
    const folder = await StoredFolder.open(storeOf(files), 'f');
    const synced = new Map<string, Buffer>();
    let present = new Map<string, Buffer>();
    const losing = random(60);
    for (let step = 0; step < 80; step++) {
      if (step === losing) for (const file of files) file.remaining = random(12);
      const [name, other] = [`${random(6)}`, `${random(6)}`];
      try {
        if (random(4) === 0) {
          await folder.syncFolder();
          synced.clear();
          for (const [name, bytes] of present) synced.set(name, bytes);
        } else if (random(3) === 0 && present.has(name) && name !== other) {
          for (const touched of [name, other]) synced.delete(touched);
          await folder.rename([name], [other], 'replace');
          present.set(other, present.get(name) as Buffer);
          present.delete(name);
        } else {
          for (const touched of [name]) synced.delete(touched);
          if (present.has(name)) await folder.remove([name]);
          present.delete(name);
          const bytes = Buffer.alloc(random(30_000), `${step}`);
          await put(folder, [name], bytes);
          present = new Map(present).set(name, bytes);
        }
      } catch {
        break;
      }
    }
    for (const file of files) file.losePower(() => random(2));
    const again = await StoredFolder.open(storeOf(files), 'f');
    for (const [name, bytes] of synced) expect((await get(again, [name])).equals(bytes)).toBe(true);
  }
});

test.each(['host', 'store'])(
  'what is synced in a folder of the %s survives a killed process',
  async (kind) => {
    const path = mkdtempSync(join(tmpdir(), 'linuxrun-killed-'));
    const script = join(import.meta.dirname, 'testing/killed.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, kind, path]);
    let output = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      output += text;
      if (output.split('\n').length > 12) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const last = Number(output.trim().split('\n').at(-1));
    const folder = await openKind(kind, path);
    expect(last).toBeGreaterThan(9);
    for (let number = 0; number <= last; number++)
      expect((await get(folder, [`${number}`])).equals(contentOf(number))).toBe(true);
    await folder.close();
    rmSync(path, { recursive: true });
  },
);

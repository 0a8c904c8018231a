import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryDiskFiles } from '../storage/memory.ts';
import { HostFolder, placesIn } from './host-folder.ts';
import { PathPlaces } from './host-places.ts';
import { MemoryFolder } from './memory-folder.ts';
import { RemoteFolder, serveFolder } from './remote-folder.ts';
import {
  type Access,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type SharedFolder,
} from './shared-folder.ts';
import { StoredFolder } from './stored-folder.ts';

const ROOT = { user: 0, group: 0 };
const BOTH: Access = { read: true, write: true, truncate: false };
const READ: Access = { read: true, write: false, truncate: false };

let outside: string;
let inside: string;
let ports: MessagePort[];

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'linuxrun-folder-'));
  inside = join(outside, 'shared');
  mkdirSync(inside);
  writeFileSync(join(outside, 'secret'), 'secret');
  ports = [];
});

afterEach(() => {
  for (const port of ports) port.close();
  rmSync(outside, { recursive: true });
});

const KINDS: Record<string, () => SharedFolder | Promise<SharedFolder>> = {
  'in memory': () => new MemoryFolder(),
  'of the host': () => new HostFolder(inside),
  'of the host, by paths': () => new HostFolder(inside, new PathPlaces(inside)),
  'in a store': () => StoredFolder.open({ files: new MemoryDiskFiles(), free: async () => 1e9 }, 'kept'),
  'in another thread': () => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    serveFolder(new MemoryFolder(), port1);
    return new RemoteFolder(port2);
  },
};

async function put(folder: SharedFolder, way: string[], text: string): Promise<void> {
  const file = await folder.create(way, 0o644, ROOT);
  await file.write(0, [Buffer.from(text)]);
  await file.close();
}

async function get(folder: SharedFolder, way: string[]): Promise<string> {
  const file = await folder.open(way, READ);
  const bytes = Buffer.alloc(100);
  const length = await file.read(0, [bytes.subarray(0, 3), bytes.subarray(3)]);
  await file.close();
  return bytes.toString('utf8', 0, length);
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'success',
    (error) => error.code,
  );

describe.each(Object.entries(KINDS))('a folder %s', (_name, make) => {
  let folder: SharedFolder;

  beforeEach(async () => {
    folder = await make();
  });

  afterEach(() => folder.close());

  test('keeps what is written, also to a file without a name', async () => {
    await put(folder, ['a'], 'hello, world');
    expect(await get(folder, ['a'])).toBe('hello, world');
    const file = await folder.open(['a'], BOTH);
    await folder.remove(['a']);
    expect(await code(folder.status(['a']))).toBe('ENOENT');
    await file.write(7, [Buffer.from('th'), Buffer.from('ere')]);
    await file.sync(false);
    const bytes = Buffer.alloc(12);
    expect(await file.read(0, [bytes])).toBe(12);
    expect(bytes.toString()).toBe('hello, there');
    expect((await file.status()).links).toBe(0);
    await file.close();
  });

  test('has sparse files, and cuts them', async () => {
    const file = await folder.create(['sparse'], 0o600, ROOT);
    await file.write(1_000_000, [Buffer.from('end')]);
    const bytes = Buffer.alloc(4, 1);
    expect(await file.read(999_998, [bytes])).toBe(4);
    expect([...bytes]).toEqual([0, 0, 101, 110]);
    await file.change({ size: 1_000_001 });
    await file.change({ size: 1_000_003 });
    expect(await file.read(1_000_000, [bytes])).toBe(3);
    expect([...bytes.subarray(0, 3)]).toEqual([101, 0, 0]);
    const { size, allocated, mode } = await file.status();
    expect([size, mode.toString(8)]).toEqual([1_000_003, '100600']);
    expect(allocated).toBeLessThan(200_000);
    await file.close();
  });

  test('answers as Linux does', async () => {
    await folder.make(['d'], S_IFDIR | 0o700, ROOT);
    await put(folder, ['d', 'f'], 'x');
    await folder.makeLink(['l'], '../secret', ROOT);
    const answers = {
      makeTwice: await code(folder.make(['d'], S_IFDIR | 0o755, ROOT)),
      createTwice: await code(folder.create(['d', 'f'], 0o644, ROOT)),
      linkTwice: await code(folder.makeLink(['l'], 'x', ROOT)),
      full: await code(folder.removeFolder(['d'])),
      folderAsFile: await code(folder.open(['d'], READ)),
      removeFolder: await code(folder.remove(['d'])),
      notFolder: await code(folder.removeFolder(['l'])),
      through: await code(folder.status(['d', 'f', 'x'])),
      missing: await code(folder.rename(['nothing'], ['x'], 'replace')),
      below: await code(folder.rename(['d'], ['d', 'e'], 'replace')),
      keep: await code(folder.rename(['l'], ['d', 'f'], 'keep')),
      overFolder: await code(folder.rename(['l'], ['d'], 'replace')),
      linkedFolder: await code(folder.link(['d'], ['e'])),
      long: await code(folder.make(['n'.repeat(255)], S_IFREG | 0o644, ROOT)),
    };
    expect(answers).toEqual({
      ...{ makeTwice: 'EEXIST', createTwice: 'EEXIST', linkTwice: 'EEXIST', full: 'ENOTEMPTY' },
      ...{ folderAsFile: 'EISDIR', removeFolder: 'EISDIR', notFolder: 'ENOTDIR', through: 'ENOTDIR' },
      ...{ missing: 'ENOENT', below: 'EINVAL', keep: 'EEXIST', overFolder: 'EISDIR' },
      ...{ linkedFolder: 'EPERM', long: 'success' },
    });
    const { mode } = await folder.status(['l']);
    expect([mode & S_IFMT, await folder.readLink(['l'])]).toEqual([S_IFLNK, '../secret']);
    const names = (await folder.list([])).map(({ name, type }) => `${name} ${type.toString(8)}`);
    expect(names.sort()).toEqual(['d 40000', 'l 120000', `${'n'.repeat(255)} 100000`]);
  });

  test('renames over open files, and folders with what is in them', async () => {
    await put(folder, ['new'], 'new');
    await put(folder, ['old'], 'old');
    const old = await folder.open(['old'], READ);
    await folder.rename(['new'], ['old'], 'replace');
    const bytes = Buffer.alloc(3);
    await old.read(0, [bytes]);
    await old.close();
    expect([bytes.toString(), await get(folder, ['old'])]).toEqual(['old', 'new']);
    await folder.make(['a'], S_IFDIR | 0o755, ROOT);
    await folder.make(['a', 'b'], S_IFDIR | 0o755, ROOT);
    await put(folder, ['a', 'b', 'c'], 'deep');
    expect(await get(folder, ['a', 'b', 'c'])).toBe('deep');
    await folder.rename(['a'], ['z'], 'replace');
    await folder.make(['a'], S_IFDIR | 0o755, ROOT);
    expect(await get(folder, ['z', 'b', 'c'])).toBe('deep');
    expect(await code(folder.status(['a', 'b']))).toBe('ENOENT');
  });

  test('has hard links, modes and times', async () => {
    await put(folder, ['one'], 'x');
    await folder.link(['one'], ['two']);
    await folder.change(['two'], { mode: 0o4711, accessed: 1_500_000_000n, modified: -2_000_000_000n });
    const one = await folder.status(['one']);
    const two = await folder.status(['two']);
    expect([one.links, one.inode]).toEqual([2, two.inode]);
    expect(one.mode.toString(8)).toBe('104711');
    expect([one.accessed, one.modified]).toEqual([1_500_000_000n, -2_000_000_000n]);
    expect((await folder.status([])).inode).not.toBe(one.inode);
  });

  test('tells its room', async () => {
    const { blockSize, blocks, freeBlocks } = await folder.capacity();
    expect(blockSize).toBeGreaterThanOrEqual(512);
    expect(blocks).toBeGreaterThanOrEqual(freeBlocks);
  });
});

test('a folder in memory has a limit, and room again when files go', async () => {
  const folder = new MemoryFolder({ limit: 1 << 20 });
  const file = await folder.create(['big'], 0o644, ROOT);
  expect(await code(file.write(0, [new Uint8Array(2 << 20)]))).toBe('ENOSPC');
  await file.close();
  await folder.makeLink(['l'], 'x'.repeat(4000), ROOT);
  await folder.link(['big'], ['bigger']);
  await folder.attributes.set(['big'], 'user.a', new Uint8Array(5000), 'any');
  for (const name of ['big', 'bigger', 'l']) await folder.remove([name]);
  await folder.make(['d'], S_IFDIR | 0o755, ROOT);
  await folder.removeFolder(['d']);
  expect(folder.usedBytes).toBe(0);
});

test('an answer that cannot be sent to another thread is an error there', async () => {
  const { port1, port2 } = new MessageChannel();
  const folder = Object.assign(new MemoryFolder(), { status: async () => ({ size: () => 0 }) as never });
  serveFolder(folder, port1 as unknown as MessagePort);
  expect(await code(new RemoteFolder(port2 as unknown as MessagePort).status([]))).toBe('EIO');
  port1.close();
});

test('a file in memory takes the room that it needs, as it grows', async () => {
  const folder = new MemoryFolder();
  const file = await folder.create(['grows'], 0o644, ROOT);
  const empty = folder.usedBytes;
  const written: number[] = [];
  for (const [position, length] of [
    [0, 1],
    [1, 512],
    [513, 70_000],
    [10_000_000, 5],
  ] as const) {
    await file.write(position, [new Uint8Array(length).fill(7)]);
    written.push(folder.usedBytes - empty);
  }
  expect(written).toEqual([512, 1024, (64 << 10) + 8192, (64 << 10) + 8192 + (64 << 10)]);
  const bytes = new Uint8Array(70_600).fill(1);
  await file.read(0, [bytes]);
  expect(bytes.findIndex((byte) => byte !== 7)).toBe(70_513);
  expect(bytes.subarray(70_513).every((byte) => byte === 0)).toBe(true);
  await file.change({ size: 100 });
  expect(folder.usedBytes - empty).toBe(64 << 10);
  await file.close();
});

test('a folder in memory exchanges names, and has special files', async () => {
  const folder = new MemoryFolder();
  await folder.make(['fifo'], S_IFIFO | 0o644, ROOT);
  expect(await code(folder.open(['fifo'], READ))).toBe('ENXIO');
  await folder.make(['d'], S_IFDIR | 0o755, ROOT);
  await folder.make(['d', 'in'], S_IFDIR | 0o755, ROOT);
  await folder.rename(['fifo'], ['d', 'in'], 'exchange');
  expect((await folder.status(['fifo'])).mode).toBe(S_IFDIR | 0o755);
  expect([(await folder.status([])).links, (await folder.status(['d'])).links]).toEqual([4, 2]);
});

describe.each(['of the host', 'of the host, by paths'])('nothing leads out of a folder %s', (kind) => {
  const make = KINDS[kind] as () => Promise<SharedFolder>;

  test('by links or names', async () => {
    const folder = await make();
    symlinkSync(outside, join(inside, 'out'));
    symlinkSync(join(outside, 'secret'), join(inside, 'file'));
    const ways = [
      ['out', 'secret'],
      ['..', 'secret'],
      ['.', '..', 'secret'],
      ['../secret'],
      ['out/secret'],
      [''],
      ['file'],
      [`${outside}/secret`],
    ];
    for (const way of ways) {
      expect(await code(folder.open(way, BOTH))).not.toBe('success');
      expect(await code(folder.change(way, { size: 0 }))).not.toBe('success');
      expect(await code(folder.change(way, { mode: 0o777 }))).not.toBe('success');
      if (way[0] !== 'file') expect(await code(folder.remove(way))).not.toBe('success');
    }
    expect(await code(folder.list(['out']))).not.toBe('success');
    expect(await code(folder.create(['out', 'new'], 0o644, ROOT))).not.toBe('success');
    expect(await code(folder.make(['out', 'new'], S_IFDIR | 0o755, ROOT))).not.toBe('success');
    expect(await code(folder.rename(['file'], ['out', 'new'], 'replace'))).not.toBe('success');
    expect(await code(folder.link(['file'], ['out', 'new']))).not.toBe('success');
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    await folder.close();
  });
});

test.skipIf(process.platform !== 'linux')('nothing leads out of a folder of processes', async () => {
  const folder = new HostFolder('/proc/self');
  const open = openSync(join(outside, 'secret'), 'r');
  const ways = [
    ['root', 'etc'],
    ['cwd', '.'],
    ['fd', `${open}`],
    ['exe'],
    ['task', `${process.pid}`, 'root', 'etc'],
  ];
  for (const way of ways) {
    expect(await code(folder.open(way, READ)), way.join('/')).toMatch(/^(?:ENOTDIR|ENXIO|EINVAL)$/);
    expect(await code(folder.list([...way, 'x']))).not.toBe('success');
    expect(await code(folder.change(way, { size: 0 }))).not.toBe('success');
  }
  expect(await get(folder, ['comm'])).not.toBe('');
  expect(await get(new HostFolder(outside), ['secret'])).toBe('secret');
  closeSync(open);
  await folder.close();
});

/** RACES=1000000 tries for minutes. */
const TRIES = Number(process.env.RACES ?? 2000);

/** A program of the host puts a link in the place of a folder, and the folder back, without pause. */
const SWAPPER = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
  const [outside, inside] = process.argv.slice(1);
  const at = (name) => inside + '/' + name;
  for (;;) {
    renameSync(at('race'), at('away'));
    symlinkSync(outside, at('race'));
    unlinkSync(at('race'));
    renameSync(at('away'), at('race'));
  }`;

test('nothing leads out of a folder of the host by races', { timeout: 60_000 + TRIES * 10 }, async () => {
  mkdirSync(join(inside, 'race'));
  writeFileSync(join(inside, 'race/secret'), 'inside');
  const places = placesIn(inside);
  const folder = new HostFolder(inside, places);
  const swapper = spawn(process.execPath, ['-e', SWAPPER, outside, inside]);
  const read = new Set<string>();
  for (let i = 0; i < TRIES; i++) {
    places.moved(['race']);
    read.add(await get(folder, ['race', 'secret']).catch((error) => error.code));
    const file = await folder.create(['race', 'new'], 0o644, ROOT).catch(() => undefined);
    await file?.close();
    await folder.remove(['race', 'new']).catch(() => {});
  }
  swapper.kill('SIGKILL');
  await once(swapper, 'exit');
  await folder.close();
  expect(read).toContain('inside');
  expect([...read].filter((text) => !['inside', 'ENOENT', 'ENOTDIR', 'ELOOP'].includes(text))).toEqual([]);
  expect(existsSync(join(outside, 'new'))).toBe(false);
});

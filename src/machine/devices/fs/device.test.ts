import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryFolder } from '../../../folders/memory-folder.ts';
import { FolderError, type SharedFolder } from '../../../folders/shared-folder.ts';
import { deferred } from '../../deferred.ts';
import { GuestDriver, settle, TestMachine } from '../testing/guest-driver.ts';
import { FsDevice } from './device.ts';
import * as fuse from './fuse.ts';
import type { FuseServer } from './server.ts';
import { fuseRequest } from './testing/requests.ts';
import { servedDevice } from './testing/served-device.ts';

const SHARE = 2n;
const HEADER = 16;
const ROOT = { user: 0, group: 0 };
const { EAGAIN, EBADF, EINTR, EINVAL, EIO, ENODEV, ENOENT, ENAMETOOLONG, ENOSYS, EROFS, ESTALE } =
  fuse.ERRNO as Record<string, number>;

let machine: TestMachine;
let device: FsDevice;
let server: FuseServer;
let driver: GuestDriver;
let folder: MemoryFolder;

beforeEach(async () => {
  machine = new TestMachine(4 << 20);
  ({ device, server } = servedDevice(machine));
  folder = new MemoryFolder();
  expect([server.add(folder, false), server.add(folder, true)]).toEqual([0, 1]);
  driver = new GuestDriver(machine, device);
  await driver.start();
});

const text = (value: string) => new TextEncoder().encode(value);
const name = (value: string) => text(`${value}\0`);
const u32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
const u64 = (...values: bigint[]) => new Uint8Array(BigUint64Array.from(values).buffer);

/** Sends a request; returns the reply without its header, or the number of an error. */
async function ask(
  opcode: number,
  node: bigint,
  parts: readonly Uint8Array[] = [],
  room = 4096,
): Promise<DataView | number> {
  const reply = await driver.transact(1, [fuseRequest(opcode, node, Buffer.concat(parts)), HEADER + room]);
  return answerOf(reply);
}

function answerOf(reply: Uint8Array): DataView | number {
  const view = new DataView(reply.buffer);
  expect(view.getBigUint64(8, true)).toBe(77n);
  const length = view.getUint32(0, true);
  const error = view.getInt32(4, true);
  return error !== 0 ? -error : new DataView(reply.buffer, HEADER, length - HEADER);
}

async function view(...request: Parameters<typeof ask>): Promise<DataView> {
  const reply = await ask(...request);
  if (typeof reply === 'number') throw new Error(`error ${reply}`);
  return reply;
}

const initialise = () => view(fuse.INIT, 0n, [u32(7, 41, 1 << 20, 0xffff_ffff), new Uint8Array(48)]);
const lookUp = (node: bigint, file: string) => ask(fuse.LOOKUP, node, [name(file)]);

async function nodeOf(node: bigint, file: string): Promise<bigint> {
  return (await view(fuse.LOOKUP, node, [name(file)])).getBigUint64(0, true);
}

async function put(file: string, content: string): Promise<void> {
  const opened = await folder.create([file], 0o644, ROOT);
  await opened.write(0, [text(content)]);
  await opened.close();
}

test('agrees on a version, and shows each share by its number', async () => {
  const reply = await initialise();
  expect([reply.getUint32(0, true), reply.getUint32(4, true)]).toEqual([7, 38]);
  expect(reply.getUint32(12, true) & fuse.DO_READDIRPLUS).not.toBe(0);
  expect(await nodeOf(1n, '0')).toBe(SHARE);
  for (const other of ['2', '-1', '00000', 'x']) expect(await lookUp(1n, other)).toBe(ENOENT);
});

test('reads, writes and lists', async () => {
  await initialise();
  await put('file', 'content');
  const file = await nodeOf(SHARE, 'file');
  const handle = (await view(fuse.OPEN, file, [u32(2, 0)])).getBigUint64(0, true);
  const read = async (offset: bigint, room: number) =>
    new TextDecoder().decode(
      Uint8Array.from(
        new Uint8Array(
          (await view(fuse.READ, file, [u64(handle, offset), u32(4096), new Uint8Array(20)], room)).buffer,
          HEADER,
        ),
      ),
    );
  expect((await read(3n, 4096)).slice(0, 4)).toBe('tent');
  expect((await read(0n, 3)).slice(0, 3)).toBe('con');
  const written = await view(fuse.WRITE, file, [u64(handle, 7n), u32(3, 0), new Uint8Array(16), text('ual')]);
  expect(written.getUint32(0, true)).toBe(3);
  expect(await ask(fuse.WRITE, file, [u64(handle, 7n), u32(4, 0), new Uint8Array(16), text('ual')])).toBe(
    EINVAL,
  );
  expect((await folder.status(['file'])).size).toBe(10);
  const list = (await view(fuse.OPENDIR, SHARE, [u32(0, 0)])).getBigUint64(0, true);
  const names = await view(fuse.READDIR, SHARE, [u64(list, 2n), u32(4096), new Uint8Array(20)]);
  expect(names.getUint32(16, true)).toBe(4);
  expect(await ask(fuse.RELEASE, file, [u64(handle), new Uint8Array(16)])).toHaveProperty('byteLength', 0);
  expect(await ask(fuse.RELEASE, file, [u64(handle), new Uint8Array(16)])).toBe(EBADF);
});

test('knows a file until the guest has forgotten it as often as it was told', async () => {
  await initialise();
  await put('file', '');
  const file = await nodeOf(SHARE, 'file');
  expect(await nodeOf(SHARE, 'file')).toBe(file);
  const attributes = () => ask(fuse.GETATTR, file, [new Uint8Array(16)]);
  const forget = (count: bigint) => driver.transact(0, [fuseRequest(fuse.FORGET, file, u64(count))]);
  await forget(1n);
  expect(await attributes()).toBeInstanceOf(DataView);
  await driver.transact(0, [
    fuseRequest(fuse.BATCH_FORGET, 0n, Buffer.concat([u32(2, 0), u64(file, 1n, 9n, 9n)])),
  ]);
  expect(await attributes()).toBe(ESTALE);
  expect(await nodeOf(SHARE, 'file')).not.toBe(file);
});

test('does not take another file of the same name for the one that the guest knows', async () => {
  await initialise();
  await put('file', 'old');
  const file = await nodeOf(SHARE, 'file');
  await put('new', 'new');
  await folder.rename(['new'], ['file'], 'replace');
  expect(await ask(fuse.GETATTR, file, [new Uint8Array(16)])).toBe(ESTALE);
  expect(await ask(fuse.OPEN, file, [u32(0, 0)])).toBe(ESTALE);
});

describe('locks', () => {
  const [READ, WRITE, UNLOCK] = [0, 1, 2];
  const END = fuse.OFFSET_MAX;
  let handle: bigint;

  async function open(): Promise<void> {
    await initialise();
    const file = await nodeOf(SHARE, 'file');
    handle = (await view(fuse.OPEN, file, [u32(2, 0)])).getBigUint64(0, true);
  }

  beforeEach(async () => {
    await put('file', 'content');
    await open();
  });

  const locked = (owner: bigint, type: number, start = 0n, end = END) => [
    u64(handle, owner, start, end),
    u32(type, 1, 0, 0),
  ];
  const set = (owner: bigint, type: number) => ask(fuse.SETLK, SHARE, locked(owner, type));
  const begin = (opcode: number, owner: bigint, type: number) =>
    driver.queue(1).add([fuseRequest(opcode, SHARE, Buffer.concat(locked(owner, type))), HEADER + 4]);
  const interrupt = () => driver.transact(0, [fuseRequest(fuse.INTERRUPT, 0n, u64(77n))]);

  /** The answers that have come by now, by their requests. */
  async function answers() {
    driver.kick(1);
    await settle();
    const queue = driver.queue(1);
    return new Map(queue.completions().map((done) => [done.request, answerOf(queue.received(done))]));
  }

  test('keep other owners away', async () => {
    expect(await set(1n, WRITE)).toHaveProperty('byteLength', 0);
    expect(await set(2n, READ)).toBe(EAGAIN);
    const found = await view(fuse.GETLK, SHARE, locked(2n, READ, 5n, 5n));
    expect([found.getBigUint64(0, true), found.getBigUint64(8, true), found.getUint32(16, true)]).toEqual([
      ...[0n, END, WRITE],
    ]);
    expect(await set(1n, UNLOCK)).toHaveProperty('byteLength', 0);
    expect((await view(fuse.GETLK, SHARE, locked(2n, READ))).getUint32(16, true)).toBe(UNLOCK);
  });

  test('are waited for until they are free, or until a signal comes', async () => {
    await set(1n, WRITE);
    const first = begin(fuse.SETLKW, 2n, WRITE);
    expect((await answers()).size).toBe(0);
    await interrupt();
    expect((await answers()).get(first)).toBe(EINTR);
    const second = begin(fuse.SETLKW, 2n, WRITE);
    expect((await answers()).size).toBe(0);
    begin(fuse.SETLK, 1n, UNLOCK);
    expect((await answers()).get(second)).toHaveProperty('byteLength', 0);
  });

  test('are not waited for after a signal that came before the request', async () => {
    await set(1n, WRITE);
    await interrupt();
    const waiting = begin(fuse.SETLKW, 2n, WRITE);
    expect((await answers()).get(waiting)).toBe(EINTR);
  });

  test('end with a reset, as do waits for them', async () => {
    await set(1n, WRITE);
    begin(fuse.SETLKW, 2n, WRITE);
    expect((await answers()).size).toBe(0);
    await driver.writeStatus(0);
    await driver.start();
    await open();
    expect(await set(2n, WRITE)).toBeInstanceOf(DataView);
  });

  test('that cannot be are refused', async () => {
    expect(await ask(fuse.SETLK, SHARE, locked(1n, WRITE, 5n, 4n))).toBe(EINVAL);
    expect(await ask(fuse.SETLK, SHARE, locked(1n, 3))).toBe(EINVAL);
    expect(await ask(fuse.SETLK, SHARE, locked(1n, WRITE, 0n, END + 1n))).toBe(EINVAL);
    handle = 99n;
    expect(await set(1n, WRITE)).toBe(EBADF);
  });
});

describe('refuses', () => {
  test.each([
    ['names with slashes', () => lookUp(SHARE, 'a/b'), EINVAL],
    ['the name ..', () => lookUp(SHARE, '..'), EINVAL],
    ['no name', () => lookUp(SHARE, ''), EINVAL],
    ['names without end', () => ask(fuse.LOOKUP, SHARE, [text('abc')]), EINVAL],
    ['long names', () => lookUp(SHARE, 'n'.repeat(256)), ENAMETOOLONG],
    ['unknown files', () => lookUp(99n, 'x'), ESTALE],
    ['unknown handles', () => ask(fuse.READ, SHARE, [u64(99n, 0n), u32(1), new Uint8Array(20)]), EBADF],
    ['short arguments', () => ask(fuse.OPEN, SHARE, [u32(0)]), EINVAL],
    ['unknown requests', () => ask(4711, SHARE), ENOSYS],
    ['changes of what is only read', () => ask(fuse.MKDIR, 3n, [u32(0o755, 0), name('d')]), EROFS],
    ['links between shares', () => ask(fuse.RENAME, SHARE, [u64(3n), name('a'), name('b')]), EROFS],
    ['a reply without room', () => ask(fuse.GETATTR, SHARE, [new Uint8Array(16)], 8), EIO],
  ])('%s', async (_name, request, error) => {
    await initialise();
    expect(await request()).toBe(error);
    expect(await lookUp(1n, '0')).toBeInstanceOf(DataView);
  });

  test('a length that is not the true one', async () => {
    const reply = await driver.transact(1, [fuseRequest(fuse.GETATTR, SHARE, new Uint8Array(16), 1), 200]);
    expect(answerOf(reply)).toBe(EINVAL);
  });
});

test('gives an error of a folder that has no code as EIO, and the others by their numbers', async () => {
  const broken = new Proxy(folder, {
    get: () => async () => {
      throw new TypeError('broken');
    },
  });
  server.add(broken as SharedFolder, false);
  expect(await ask(fuse.GETATTR, 4n, [new Uint8Array(16)])).toBe(EIO);
  const full = Object.assign(new MemoryFolder(), {
    status: () => Promise.reject(new FolderError('ENOSPC')),
  });
  server.add(full, false);
  expect(await ask(fuse.GETATTR, 5n, [new Uint8Array(16)])).toBe(28);
});

test('serves others while one request waits, and a reset waits for it', async () => {
  const answer = deferred<never>();
  server.add(Object.assign(new MemoryFolder(), { status: () => answer.promise }), false);
  driver.queue(1).add([fuseRequest(fuse.GETATTR, 4n, new Uint8Array(16)), 200]);
  driver.notify(1);
  await settle();
  expect(await ask(fuse.GETATTR, SHARE, [new Uint8Array(16)]).catch(() => 'lost')).not.toBe('lost');
  const reset = driver.writeStatus(0);
  let isDone = false;
  void Promise.resolve(reset).then(() => {
    isDone = true;
  });
  await settle();
  expect(isDone).toBe(false);
  answer.reject(new FolderError('EIO') as never);
  await reset;
});

test('cannot be mounted as long as nothing is shared', async () => {
  driver = new GuestDriver(machine, new FsDevice(machine.memory, 0));
  await driver.start();
  expect(await ask(fuse.INIT, 0n, [u32(7, 41, 1 << 20, 0), new Uint8Array(48)])).toBe(ENODEV);
});

test('cannot be saved while it is mounted', async () => {
  expect(await device.suspend()).toMatchObject({ own: null });
  device.proceed();
  await initialise();
  await expect(device.suspend()).rejects.toThrow('shared folders cannot be saved');
  device.proceed();
  expect(await lookUp(1n, '0')).toBeInstanceOf(DataView);
  await ask(fuse.DESTROY, 0n);
  expect(await device.suspend()).toMatchObject({ own: null });
});

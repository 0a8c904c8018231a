import { beforeEach, expect, test } from 'vitest';
import { M_DOORBELLS, SERVER_FOLDERS, V_SERVER } from '../../emulator-wasm/layout.ts';
import { LockTable } from '../folders/locks.ts';
import { MemoryFolder } from '../folders/memory-folder.ts';
import { serveLocks } from '../folders/remote-locks.ts';
import * as fuse from './devices/fs/fuse.ts';
import { MovingFsDevice } from './devices/fs/moving-device.ts';
import { fuseRequest } from './devices/fs/testing/requests.ts';
import { GuestDriver, settle, TestMachine } from './devices/testing/guest-driver.ts';
import type { VirtioDevice } from './devices/virtio/virtio-device.ts';
import { runFolders } from './folders-worker.ts';

const ROOM = 256;
const NO_DEVICE = -19;
const INIT = fuseRequest(
  fuse.INIT,
  0n,
  Buffer.concat([Buffer.from(Uint32Array.of(7, 41, 1 << 20, 0).buffer), Buffer.alloc(48)]),
);

let machine: TestMachine;
let device: MovingFsDevice;
let driver: GuestDriver;
let folder: MemoryFolder;
let isClosed: boolean;

beforeEach(async () => {
  machine = new TestMachine(4 << 20);
  device = new MovingFsDevice(machine.memory, 0);
  driver = new GuestDriver(machine, device as unknown as VirtioDevice);
  isClosed = false;
  folder = Object.assign(new MemoryFolder(), {
    close: async () => {
      isClosed = true;
    },
  });
  await driver.start();
});

/** Moves the device to its own worker, which is this thread, too. */
async function move(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const locks = new MessageChannel();
  serveLocks(new LockTable(), locks.port1);
  for (const port of [port1, port2, locks.port2]) (port as unknown as { unref(): void }).unref();
  const memory = { buffer: machine.buffer } as unknown as WebAssembly.Memory;
  runFolders({ role: 'folders', memory, port: port2, locks: locks.port2 }, () => folder);
  device.move(port1);
  device.share({ kind: 'host', path: 'any' }, false);
  await settle();
}

/** Sends a request and rings as a hart does. Returns the error in the reply. */
async function ask(request: Uint8Array): Promise<number> {
  const reply = driver.transact(1, [request, ROOM]);
  const doorbell = (M_DOORBELLS >>> 2) + driver.load(V_SERVER);
  Atomics.add(machine.words, doorbell, 1);
  Atomics.notify(machine.words, doorbell);
  return new DataView((await reply).buffer).getInt32(4, true);
}

test('the device refuses to be mounted, moves with the first folder, and goes on in its queue', async () => {
  expect(await ask(INIT)).toBe(NO_DEVICE);
  expect(await ask(INIT)).toBe(NO_DEVICE);
  await move();
  expect(driver.load(V_SERVER)).toBe(SERVER_FOLDERS);
  expect(await ask(INIT)).toBe(0);
  expect(await ask(fuseRequest(fuse.GETATTR, 2n, new Uint8Array(16)))).toBe(0);
});

test('a device that has moved is suspended, goes on, and closes its folders', async () => {
  await move();
  expect(await device.suspend()).toMatchObject({ phase: 'running', own: null });
  device.proceed();
  expect(await ask(INIT)).toBe(0);
  await expect(device.suspend()).rejects.toThrow('shared folders cannot be saved');
  device.proceed();
  expect(await ask(fuseRequest(fuse.DESTROY, 0n, new Uint8Array(0)))).toBe(0);
  await device.close();
  expect(isClosed).toBe(true);
});

test('a device that moves while it is suspended serves nothing before it goes on', async () => {
  await device.suspend();
  await move();
  let isAnswered = false;
  const answer = ask(INIT).then((error) => {
    isAnswered = true;
    return error;
  });
  await settle(10);
  expect(isAnswered).toBe(false);
  device.proceed();
  expect(await answer).toBe(0);
});

test('a hart whose doorbell nobody can watch has the machine’s worker pass it on', async () => {
  await move();
  const reply = driver.transact(1, [INIT, ROOM]);
  device.ring();
  expect(new DataView((await reply).buffer).getInt32(4, true)).toBe(0);
});

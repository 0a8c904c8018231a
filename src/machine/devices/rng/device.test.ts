import { beforeEach, expect, test } from 'vitest';
import { RAM_START } from '../../../../emulator-wasm/layout.ts';
import { GuestDriver, type Placed, TestMachine } from '../testing/guest-driver.ts';
import { RngDevice } from './device.ts';

let machine: TestMachine;
let driver: GuestDriver;

beforeEach(async () => {
  machine = new TestMachine();
  driver = new GuestDriver(machine, new RngDevice(machine.memory, 0));
  await driver.start();
});

test('fills buffers with bytes of all values', async () => {
  const bytes = await driver.transact(0, [5000, 60_000]);
  expect(bytes).toHaveLength(65_000);
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  // 254 per value are expected, with a standard deviation of 16.
  expect(Math.min(...counts)).toBeGreaterThan(100);
  expect(Math.max(...counts)).toBeLessThan(450);
});

test('gives different bytes each time', async () => {
  expect(await driver.transact(0, [32])).not.toEqual(await driver.transact(0, [32]));
});

test('gives at most 64 KiB per request', async () => {
  expect(await driver.transact(0, [100_000])).toHaveLength(65_536);
});

test('completes a request without room', async () => {
  expect(await driver.transact(0, [new Uint8Array(4)])).toHaveLength(0);
});

test('flags only the pages that it writes', async () => {
  const granted = [2, 30].map((pages): Placed => {
    const length = pages << 12;
    return { address: machine.allocate(length, 4096), length, write: true };
  });
  machine.clearPageFlags();
  await driver.transact(0, granted);
  const flagged = granted.flatMap(({ address, length }) => {
    const first = (address - RAM_START) >> 12;
    return Array.from({ length: length >> 12 }, (_, page) => machine.pageWritten(first + page));
  });
  expect(flagged).toEqual(Array.from({ length: 32 }, (_, page) => page < 16));
});

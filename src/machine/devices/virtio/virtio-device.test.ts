import { beforeEach, describe, expect, test } from 'vitest';
import {
  V_DEVICE_FEATURES,
  V_DEVICE_ID,
  V_DRIVER_FEATURES,
  V_INTERRUPT_STATUS,
  V_NOTIFY,
  V_QUEUES,
  V_RESET,
  VIRTIO_SLOTS,
} from '../../../../emulator-wasm/layout.ts';
import { RngDevice } from '../rng/device.ts';
import { EchoDevice } from '../testing/echo-device.ts';
import {
  ACKNOWLEDGE,
  DRIVER,
  DRIVER_OK,
  FEATURES_OK,
  GuestDriver,
  NEEDS_RESET,
  pattern,
  settle,
  TestMachine,
} from '../testing/guest-driver.ts';

const READY = ACKNOWLEDGE | DRIVER | FEATURES_OK;

let machine: TestMachine;
let device: EchoDevice;
let driver: GuestDriver;

beforeEach(() => {
  machine = new TestMachine();
  device = new EchoDevice(machine.memory, 2);
  driver = new GuestDriver(machine, device);
});

/** Offers a device eight requests at once, of which it serves two in a turn. Returns their queue. */
async function offerMoreThanATurn() {
  machine = new TestMachine(16 << 20);
  device = new EchoDevice(machine.memory);
  driver = new GuestDriver(machine, device);
  await driver.start();
  const queue = driver.queue(0);
  const read = { address: machine.allocate(2 << 20), length: 2 << 20, write: false };
  const write = { address: machine.allocate(2 << 20), length: 2 << 20, write: true };
  for (let i = 0; i < 8; i++) queue.add([read, write]);
  driver.kick(0);
  expect(device.served).toBe(2);
  return queue;
}

describe('registers', () => {
  test('describe the device before any driver starts', () => {
    expect(driver.load(V_DEVICE_ID)).toBe(0x7f);
    expect(driver.offeredFeatures).toBe((1n << 32n) | (1n << 29n) | (1n << 28n) | 1n);
    expect(driver.load(V_QUEUES)).toBe(16);
    expect(driver.config(4).getUint32(0, true)).toBe(0x04030201);
  });

  test('are a separate file for each slot', async () => {
    const other = new GuestDriver(machine, new RngDevice(machine.memory, 3));
    expect(other.load(V_DEVICE_ID)).toBe(4);
    await driver.start();
    expect(other.status).toBe(0);
    expect(await driver.transact(0, [pattern(4), 4])).toEqual(pattern(4));
    expect(machine.line(3)).toBe(true);
    expect(machine.line(4)).toBe(false);
  });

  test('exist for existing slots only', () => {
    expect(() => new EchoDevice(machine.memory, VIRTIO_SLOTS)).toThrow(RangeError);
    expect(() => new EchoDevice(machine.memory, -1)).toThrow(RangeError);
  });
});

describe('negotiation', () => {
  test.each([
    ['a feature that was not offered', 1 << 5, 1],
    ['no VERSION_1', 1, 0],
    ['more than VERSION_1 in the upper word', 1, 3],
  ])('%s is refused', async (_name, low, high) => {
    driver.store(V_DRIVER_FEATURES, low);
    driver.store(V_DRIVER_FEATURES + 4, high);
    await driver.writeStatus(READY);
    expect(driver.status & FEATURES_OK).toBe(0);
    await driver.writeStatus(READY | DRIVER_OK);
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
    await driver.start();
    expect(await driver.transact(0, [pattern(4), 4])).toEqual(pattern(4));
  });

  test('DRIVER_OK without FEATURES_OK breaks the device', async () => {
    driver.store(V_DRIVER_FEATURES + 4, driver.load(V_DEVICE_FEATURES + 4));
    await driver.writeStatus(ACKNOWLEDGE | DRIVER | DRIVER_OK);
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
  });

  test('the device ignores the queues before DRIVER_OK, and then serves waiting requests', async () => {
    await driver.writeStatus(0);
    driver.store(V_DRIVER_FEATURES + 4, 1);
    await driver.writeStatus(READY);
    const queue = driver.setUpQueue(0, 16, false);
    queue.add([pattern(3), 3]);
    driver.notify(0);
    expect(device.served).toBe(0);
    await driver.writeStatus(READY | DRIVER_OK);
    expect(queue.completions()).toHaveLength(1);
  });

  test('a queue that is not ready stays closed', async () => {
    driver.store(V_DRIVER_FEATURES + 4, 1);
    await driver.writeStatus(READY | DRIVER_OK);
    driver.notify(0);
    expect(driver.status).toBe(READY | DRIVER_OK);
    expect(device.served).toBe(0);
  });
});

describe('reset', () => {
  test('stops the device, lowers its line and forgets its queues', async () => {
    await driver.start();
    await driver.transact(0, [pattern(4), 4]);
    expect(machine.line(3)).toBe(true);
    driver.store(V_NOTIFY, 1);
    const { stops } = device;
    await driver.writeStatus(0);
    expect(device.stops).toBe(stops + 1);
    expect(driver.load(V_RESET)).toBe(0);
    expect(driver.load(V_INTERRUPT_STATUS)).toBe(0);
    expect(driver.load(V_NOTIFY)).toBe(0);
    expect(machine.line(3)).toBe(false);
    expect(device.transport).toEqual({ phase: 'stopped', queues: [{ taken: 0, used: 0, signalled: 0 }] });
  });

  test('cancels work that was deferred to a later turn', async () => {
    await offerMoreThanATurn();
    await driver.writeStatus(0);
    await settle(10);
    expect(device.served).toBe(2);
  });
});

test('a turn is bounded, and the rest follows without another notification', async () => {
  const queue = await offerMoreThanATurn();
  await settle(10);
  expect(queue.completions()).toHaveLength(8);
});

test('DEVICE_NEEDS_RESET survives a status write that crossed it', async () => {
  await driver.start();
  driver.queue(0).setAvailableIndex(100);
  driver.notify(0);
  await driver.writeStatus(READY | DRIVER_OK);
  expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
});

describe('configuration changes', () => {
  test('change the generation and interrupt a running driver', async () => {
    await driver.start();
    const generation = driver.configGeneration;
    device.setByte(1, 9);
    expect(driver.configGeneration).not.toBe(generation);
    expect(driver.config(4).getUint8(1)).toBe(9);
    expect(driver.takeInterrupt()).toBe(2);
  });

  test('do not interrupt before there is a driver', () => {
    device.setByte(1, 9);
    expect(driver.takeInterrupt()).toBe(0);
    expect(machine.wakeCount).toBe(0);
  });

  test('that a starting driver may have missed interrupt it only when it runs', async () => {
    await driver.start();
    await driver.writeStatus(0);
    device.setByte(1, 9);
    expect(driver.takeInterrupt()).toBe(0);
    await driver.start();
    expect(driver.takeInterrupt()).toBe(2);
    await driver.start();
    expect(driver.takeInterrupt()).toBe(0);
  });

  test('stay within the configuration space', () => {
    expect(() => device.setByte(256, 1)).toThrow(RangeError);
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import {
  Q_DRIVER,
  Q_NUM_MAX,
  V_CONFIG,
  V_DEVICE_FEATURES,
  V_DEVICE_ID,
  V_DRIVER_FEATURES,
  V_QUEUES,
} from '../../../../emulator-wasm/layout.ts';
import { StateError } from '../../errors.ts';
import type { Plain } from '../../state.ts';
import { ECHO_QUEUE_SIZE, EchoDevice } from '../testing/echo-device.ts';
import { GuestDriver, pattern, settle, TestMachine } from '../testing/guest-driver.ts';

let machine: TestMachine;
let device: EchoDevice;
let driver: GuestDriver;

beforeEach(async () => {
  machine = new TestMachine();
  device = new EchoDevice(machine.memory);
  driver = new GuestDriver(machine, device);
  await driver.start();
});

const resume = (state: Plain, change = (_device: EchoDevice) => {}) =>
  driver.replace(() => {
    const next = new EchoDevice(machine.memory);
    change(next);
    return next;
  }, state);

test('a suspended device serves nothing before it proceeds', async () => {
  await device.suspend();
  const queue = driver.queue(0);
  queue.add([pattern(5), 5]);
  driver.notify(0);
  await settle();
  expect(device.served).toBe(0);
  device.proceed();
  expect(queue.completions()).toHaveLength(1);
  expect(driver.takeInterrupt()).toBe(1);
});

test('another device goes on where the suspended one stood, also when indices wrap', async () => {
  const queue = driver.queue(0);
  const request = { address: machine.allocate(8), length: 8, write: false };
  const reply = { address: machine.allocate(8), length: 8, write: true };
  for (let round = 0, completed = 0; completed < 70_000; round++) {
    for (let i = 0; i < 1000; i++) {
      queue.add([request, reply]);
      driver.kick(0);
      completed += queue.completions().length;
    }
    machine.at(request.address, 8).set(pattern(8, round));
    queue.add([request, reply]);
    const next = await resume(await driver.device.suspend());
    expect(queue.completions()).toEqual([]);
    next.proceed();
    expect(queue.completions()).toHaveLength(1);
    expect(machine.at(reply.address, 8)).toEqual(pattern(8, round));
  }
});

test('what changed in the configuration meanwhile is announced', async () => {
  const state = await device.suspend();
  driver.takeInterrupt();
  await resume(state);
  expect(driver.takeInterrupt()).toBe(0);
  await resume(state, (next) => next.setByte(1, 99));
  expect(driver.takeInterrupt()).toBe(2);
  expect(driver.config(4).getUint8(1)).toBe(99);
});

test('registers of a state do not change what the device is', async () => {
  const state = await device.suspend();
  const queue = V_QUEUES + Q_NUM_MAX;
  for (const register of [V_DEVICE_ID, V_DEVICE_FEATURES, V_DEVICE_FEATURES + 4, V_CONFIG, queue])
    driver.store(register, 0xffff_ffff);
  await resume(state);
  expect(driver.load(V_DEVICE_ID)).toBe(0x7f);
  expect(driver.offeredFeatures).toBe((1n << 32n) | (1n << 29n) | (1n << 28n) | 1n);
  expect(driver.load(queue)).toBe(ECHO_QUEUE_SIZE);
  expect(driver.config(4).getUint32(0, true)).toBe(0x04030201);
});

test('a device without a driver, and one with a broken driver, are what they were', async () => {
  driver.queue(0).setAvailableIndex(1000);
  driver.notify(0);
  expect(device.transport.phase).toBe('broken');
  expect((await resume(await device.suspend())).transport.phase).toBe('broken');
  driver.device.proceed();
  await driver.writeStatus(0);
  expect((await resume(await driver.device.suspend())).transport.phase).toBe('stopped');
  driver.device.proceed();
  await driver.start();
  expect(await driver.transact(0, [pattern(3), 3])).toEqual(pattern(3));
});

describe('a state that no device can have been in is refused:', () => {
  const position = { taken: 1, used: 1, signalled: 1 };
  const sound = { phase: 'running', configChanged: false, queues: [position], own: null };

  test('none', async () => {
    await resume(sound);
  });

  test.each<[string, Plain]>([
    ['no object', null],
    ['bytes', new Uint8Array(9)],
    ['another phase', { ...sound, phase: 'wild' }],
    ['no flag', { ...sound, configChanged: 1 }],
    ['no queues', { ...sound, queues: null }],
    ['too few queues', { ...sound, queues: [] }],
    ['too many queues', { ...sound, queues: [position, position] }],
    ['a missing count', { ...sound, queues: [{ taken: 1, used: 1 }] }],
    ['an inherited count', { ...sound, queues: [Object.create(position) as Plain] }],
    ['a fraction', { ...sound, queues: [{ ...position, taken: 1.5 }] }],
    ['a negative count', { ...sound, queues: [{ ...position, used: -1 }] }],
    ['a count beyond 16 bits', { ...sound, queues: [{ ...position, signalled: 0x1_0000 }] }],
    ['more chains in progress than the queue has', { ...sound, queues: [{ ...position, taken: 18 }] }],
  ])('%s', async (_name, state) => {
    await expect(resume(state)).rejects.toThrow(StateError);
  });

  test('a ring outside RAM', async () => {
    driver.store(V_QUEUES + Q_DRIVER + 4, 1);
    await expect(resume(sound)).rejects.toThrow('this saved session is damaged: device 0.queues[0]');
  });

  test('features that the device does not have', async () => {
    driver.store(V_DRIVER_FEATURES, 2);
    await expect(resume(sound)).rejects.toThrow('the same kind of network as before');
  });
});

import { expect, test } from 'vitest';
import type { ConcurrentDriverData } from '../testing/concurrent-driver.ts';
import { runDriver } from '../testing/driver-thread.ts';
import { ECHO_QUEUE_SIZE, EchoDevice } from '../testing/echo-device.ts';
import { GuestDriver, TestMachine } from '../testing/guest-driver.ts';

const RAM_SIZE = 1 << 20;
const REQUESTS = 40_000;

test('no notification is lost between a device and a driver in another thread', async () => {
  const machine = new TestMachine(RAM_SIZE);
  const device = new EchoDevice(machine.memory);
  await new GuestDriver(machine, device).start();
  const data: ConcurrentDriverData = {
    buffer: machine.buffer,
    ramSize: RAM_SIZE,
    queueSize: ECHO_QUEUE_SIZE,
    requests: REQUESTS,
  };
  expect(await runDriver('concurrent-driver.ts', data, device)).toBe('done');
  expect(device.served).toBe(REQUESTS);
}, 120_000);

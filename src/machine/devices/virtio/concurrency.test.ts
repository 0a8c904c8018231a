import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { expect, test } from 'vitest';
import type { ConcurrentDriverData } from '../testing/concurrent-driver.ts';
import { ECHO_QUEUE_SIZE, EchoDevice } from '../testing/echo-device.ts';
import { GuestDriver, TestMachine } from '../testing/guest-driver.ts';

const RAM_SIZE = 1 << 20;
const REQUESTS = 40_000;
/** Polls between two turns of the event loop. */
const POLLS = 20_000;

test('no notification is lost between a device and a driver in another thread', async () => {
  const machine = new TestMachine(RAM_SIZE);
  const device = new EchoDevice(machine.memory);
  await new GuestDriver(machine, device).start();

  const { outputFiles } = buildSync({
    entryPoints: [new URL('../testing/concurrent-driver.ts', import.meta.url).pathname],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  const workerData: ConcurrentDriverData = {
    buffer: machine.buffer,
    ramSize: RAM_SIZE,
    queueSize: ECHO_QUEUE_SIZE,
    requests: REQUESTS,
  };
  const worker = new Worker(outputFiles[0]?.text as string, { eval: true, workerData });
  let outcome: unknown;
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (message) => {
      outcome = message;
      resolve();
    });
    worker.on('error', reject);
  });

  const watch = async () => {
    while (outcome === undefined) {
      for (let i = 0; i < POLLS; i++) device.poll();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all([ended, watch()]);
  expect(outcome).toBe('done');
  expect(device.served).toBe(REQUESTS);
}, 120_000);

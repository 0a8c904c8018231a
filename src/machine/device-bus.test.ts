import { expect, test } from 'vitest';
import { M_DOORBELLS } from '../../emulator-wasm/layout.ts';
import { DeviceBus } from './device-bus.ts';
import { settle } from './devices/testing/guest-driver.ts';
import type { VirtioDevice } from './devices/virtio/virtio-device.ts';

/** Ends a test in which no other event gets its turn, in ms. */
const ENDLESS = 5000;
const RINGS = 500;

function setUp(onPoll: () => void) {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const word = new Int32Array(memory.buffer, M_DOORBELLS, 1);
  const ring = () => {
    Atomics.add(word, 0, 1);
    Atomics.notify(word, 0);
  };
  const device = { poll: onPoll } as VirtioDevice;
  return { memory, ring, device };
}

test('polls the devices at first, and whenever the doorbell changes', async () => {
  const polled: string[] = [];
  const { memory, ring, device } = setUp(() => polled.push('device'));
  void new DeviceBus(memory, [device], { onPoll: () => polled.push('output') }).watch();
  expect(polled).toEqual(['device', 'output']);
  await settle();
  expect(polled).toHaveLength(2);
  ring();
  await expect.poll(() => polled).toHaveLength(4);
});

test('lets other events run while harts ring without pause', async () => {
  const begin = performance.now();
  let ringing = true;
  let polls = 0;
  const { memory, ring, device } = setUp(() => {
    polls++;
    if (performance.now() - begin > ENDLESS) throw new Error('no other event gets its turn');
    if (ringing) ring();
  });
  void new DeviceBus(memory, [device]).watch();
  await new Promise((resolve) => setTimeout(resolve));
  const before = polls;
  await new Promise((resolve) => setTimeout(resolve, 100));
  ringing = false;
  expect(polls).toBeGreaterThan(before);
  expect(performance.now() - begin).toBeLessThan(ENDLESS);
});

test('tells harts in lockstep which ring has been answered, after the devices’ microtasks', async () => {
  const order: string[] = [];
  const { memory, ring, device } = setUp(() => queueMicrotask(() => order.push('microtask')));
  const served = new SharedArrayBuffer(4);
  const bus = new DeviceBus(memory, [device], { served });
  ring();
  bus.poll();
  const seen = () => Atomics.load(new Int32Array(served), 0);
  expect(seen()).toBe(0);
  await expect.poll(seen).toBe(1);
  expect(order).toEqual(['microtask']);
});

test('sees a ring that follows soon without waiting for an event', async () => {
  let polls = 0;
  const { memory, ring, device } = setUp(() => {
    // Devices finish requests in microtasks, and a hart then rings again.
    void (async () => {
      for (let step = 0; step < 5; step++) await undefined;
      if (++polls < RINGS) ring();
    })();
  });
  let events = 0;
  const count = () => {
    events++;
    if (polls < RINGS) setImmediate(count);
  };
  setImmediate(count);
  void new DeviceBus(memory, [device]).watch();
  await expect.poll(() => polls, { timeout: ENDLESS }).toBe(RINGS);
  // On a busy machine some waits are long. Without a look each ring takes an event.
  expect(events).toBeLessThan(0.9 * RINGS);
});

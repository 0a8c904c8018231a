import { expect, test } from 'vitest';
import type { Card } from '../../../network/network.ts';
import type { ConcurrentReceiverData } from '../testing/concurrent-receiver.ts';
import { runDriver } from '../testing/driver-thread.ts';
import { GuestDriver, pattern, TestMachine } from '../testing/guest-driver.ts';
import { NetDevice } from './device.ts';

const RAM_SIZE = 2 << 20;
const QUEUE_SIZE = 256;
const FRAMES = 4000;
const LENGTHS = [64_000, 60, 1500, 20_000, 14];
const MOST_WAITING = 256 << 10;

test('a driver in another thread sees all buffers of a frame, or none', async () => {
  const machine = new TestMachine(RAM_SIZE);
  const cards: Card[] = [];
  const device = new NetDevice(machine.memory, 0, {
    mac: new Uint8Array(6),
    mtu: 65520,
    offloads: true,
    openNetwork: (card) => {
      cards.push(card);
      return { receive: () => {}, resume: () => {}, close: () => {} };
    },
  });
  await new GuestDriver(machine, device).start();
  const frames = LENGTHS.map((length, index) => pattern(length, index));
  let sent = 0;
  const send = () => {
    while (sent < FRAMES && (cards[0]?.waiting ?? 0) < MOST_WAITING)
      cards[0]?.deliver(frames[sent++ % frames.length] as Uint8Array);
  };
  const data: ConcurrentReceiverData = {
    ...{ buffer: machine.buffer, ramSize: RAM_SIZE, queueSize: QUEUE_SIZE },
    ...{ frames: FRAMES, lengths: LENGTHS },
  };
  expect(await runDriver('concurrent-receiver.ts', data, device, send)).toBe('done');
}, 120_000);

import { afterEach, expect, test, vi } from 'vitest';
import type { BlockBackend } from '../../disk/block-backend.ts';
import { MemoryFolder } from '../../folders/memory-folder.ts';
import type { Card } from '../../network/network.ts';
import { FIRST_SIZE } from '../terminal-size.ts';
import { BlockDevice } from './block/device.ts';
import { ConsoleDevice } from './console/device.ts';
import { ATTR_OUT_SIZE, GETATTR } from './fs/fuse.ts';
import { fuseRequest } from './fs/testing/requests.ts';
import { deviceOf } from './fs/testing/served-device.ts';
import type { DeviceKind } from './index.ts';
import { NetDevice } from './net/device.ts';
import { RngDevice } from './rng/device.ts';
import { GuestDriver, pattern, type Segment, settle, TestMachine } from './testing/guest-driver.ts';
import type { Chain } from './virtio/chain.ts';
import { CHAIN_COST, TURN_BYTES, type VirtioDevice } from './virtio/virtio-device.ts';
import { Virtqueue } from './virtio/virtqueue.ts';
import { VsockDevice } from './vsock/device.ts';
import { OP_CREDIT_REQUEST, OP_REQUEST, OP_RW, TYPE_STREAM, VsockHeader } from './vsock/packet.ts';

const CHAINS_OF_A_TURN = TURN_BYTES / CHAIN_COST;
/** Two turns of each of two queues, and the requests in flight. */
const MOST_CHAINS = 4 * CHAINS_OF_A_TURN + 1024;
/** Ends a test in which no other event runs. */
const ENDLESS = 50_000;

const GUEST_CID = 3;
const PORT = 1024;
const GIB = 2 ** 30;

/**
 * A device with a driver that offers these requests again as soon as they complete, as a second hart might
 * do.
 */
interface Flood {
  device: VirtioDevice;
  /** Runs once, before the requests. */
  first?: [queue: number, segments: Segment[]];
  requests: [queue: number, segments: Segment[]][];
}

function disk(answer: () => void | Promise<void>, discard?: BlockBackend['discard']): BlockBackend {
  const rest = discard ? { discard } : {};
  return { sizeBytes: 64 * GIB, readOnly: false, read: answer, write: answer, flush: answer, ...rest };
}

function blockHeader(type: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(type, 0, 0, 0).buffer);
}

const READ: Segment[] = [blockHeader(0), 512, 1];
/** Sixteen ranges of 1 GiB, one after the other. */
const RANGES = Array.from({ length: 16 }, (_, index) => [(index * GIB) / 512, 0, GIB / 512, 0]);
const DISCARD: Segment[] = [blockHeader(11), new Uint8Array(Uint32Array.from(RANGES.flat()).buffer), 1];

function packet(op: number, destinationPort = PORT, payload = new Uint8Array(0)): Uint8Array {
  const header = Object.assign(new VsockHeader(), {
    sourceCid: GUEST_CID,
    destinationCid: 2,
    sourcePort: 5000,
    destinationPort,
    length: payload.length,
    type: TYPE_STREAM,
    op,
    bufferSize: 1 << 16,
  });
  return new Uint8Array([...header.bytes, ...payload]);
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<void> {
  for (const reader = stream.getReader(); !(await reader.read()).done; );
}

function socket(machine: TestMachine, guestPacket: Uint8Array): Flood {
  const device = new VsockDevice(machine.memory, 0, GUEST_CID);
  device.listen(PORT, ({ readable }) => void readAll(readable).catch(() => {}));
  return {
    device,
    first: [1, [packet(OP_REQUEST)]],
    requests: [
      [0, [4096]],
      [1, [guestPacket]],
    ],
  };
}

function terminal(machine: TestMachine, onOutput: () => void | Promise<void>): Flood {
  const device = new ConsoleDevice(machine.memory, 0, { onOutput, size: FIRST_SIZE });
  return { device, requests: [[1, [pattern(2)]]] };
}

function drive(machine: TestMachine, backend: BlockBackend, request: Segment[]): Flood {
  return { device: new BlockDevice(machine.memory, 0, backend, 'disk'), requests: [[0, request]] };
}

/** @param answer what the network does with a frame */
function net(machine: TestMachine, requests: Flood['requests'], answer: (card: Card) => void): Flood {
  const device = new NetDevice(machine.memory, 0, {
    mac: new Uint8Array(6),
    mtu: 1500,
    offloads: true,
    openNetwork: (card) => ({ receive: () => answer(card), resume: () => answer(card), close: () => {} }),
  });
  return { device, requests };
}

/** A directory of the device's root, whose folder answers at once. */
function shared(machine: TestMachine): Flood {
  const device = deviceOf(new MemoryFolder(), machine);
  return { device, requests: [[1, [fuseRequest(GETATTR, 2n, new Uint8Array(16)), 16 + ATTR_OUT_SIZE]]] };
}

const FRAME: Segment[] = [new Uint8Array(12), pattern(60)];
const deliver = (card: Card) => card.deliver(pattern(60));

const DONE = () => {};
const SOON = () => Promise.resolve();

let discarded = 0;
const discard = (_offset: number, length: number) => {
  discarded += length;
};

const discardSoon = async (offset: number, length: number) => discard(offset, length);

afterEach(() => vi.restoreAllMocks());

/** The compiler requires some for each kind of device. */
const FLOODS: Record<DeviceKind, Record<string, (machine: TestMachine) => Flood>> = {
  block: {
    'reads that are done at once': (machine) => drive(machine, disk(DONE), READ),
    'reads that are done soon': (machine) => drive(machine, disk(SOON), READ),
    'discards that are done at once': (machine) => drive(machine, disk(DONE, discard), DISCARD),
    'discards that are done soon': (machine) => drive(machine, disk(DONE, discardSoon), DISCARD),
  },
  net: {
    'frames of the guest': (machine) => net(machine, [[1, FRAME]], DONE),
    'frames of the guest that are answered': (machine) =>
      net(
        machine,
        [
          [0, [100]],
          [1, FRAME],
        ],
        deliver,
      ),
  },
  fs: { 'attributes of a folder in memory': shared },
  rng: {
    entropy: (machine) => ({ device: new RngDevice(machine.memory, 0), requests: [[0, [1]]] }),
  },
  console: {
    'console output': (machine) => terminal(machine, DONE),
    'console output that is taken soon': (machine) => terminal(machine, SOON),
    'console input, a byte at a time': (machine) => {
      const { device } = terminal(machine, DONE);
      void (device as ConsoleDevice).write(new Uint8Array(1 << 20));
      return { device, requests: [[0, [1]]] };
    },
  },
  vsock: {
    'bytes on a socket': (machine) => socket(machine, packet(OP_RW, PORT, pattern(1))),
    'requests for credit': (machine) => socket(machine, packet(OP_CREDIT_REQUEST)),
    'packets to nobody': (machine) => socket(machine, packet(OP_RW, PORT + 1)),
  },
};

test.each(Object.values(FLOODS).flatMap((floods) => Object.entries(floods)))(
  '%s without end leave other events their turn',
  async (_, make) => {
    const machine = new TestMachine(4 << 20);
    const { device, first, requests } = make(machine);
    const queues: Virtqueue[] = [];
    const { open, complete, completeAll } = Virtqueue.prototype;
    vi.spyOn(Virtqueue.prototype, 'open').mockImplementation(function (this: Virtqueue, ...features) {
      queues.push(this);
      open.apply(this, features);
    });
    const driver = new GuestDriver(machine, device);
    await driver.start();
    if (first) await driver.transact(...first);

    let completed = 0;
    const offerAgain = (queue: Virtqueue, { head }: Chain) => {
      if (++completed > ENDLESS) throw new Error('no other event gets its turn');
      driver.queue(queues.indexOf(queue)).publish(head);
    };
    vi.spyOn(Virtqueue.prototype, 'complete').mockImplementation(function (this: Virtqueue, chain: Chain) {
      complete.call(this, chain);
      offerAgain(this, chain);
    });
    vi.spyOn(Virtqueue.prototype, 'completeAll').mockImplementation(function (this: Virtqueue, chains) {
      completeAll.call(this, chains);
      for (const chain of chains) offerAgain(this, chain);
    });
    discarded = 0;
    for (const [queue, segments] of requests) driver.queue(queue).add(segments);
    for (const [queue] of requests) driver.notify(queue);
    do await settle(1);
    while (completed === 0);
    expect(completed).toBeLessThan(MOST_CHAINS);
    // A request that costs as much as many turns ends its turn.
    expect(discarded).toBeLessThanOrEqual(4 * 16 * GIB);
    const before = completed;
    await settle(3);
    expect(completed).toBeGreaterThan(before);
    driver.beginReset();
    await settle();
  },
);

import { beforeEach, describe, expect, test } from 'vitest';
import { read16 } from '../../../network/bytes.ts';
import { checksum } from '../../../network/checksum.ts';
import { parsePacket } from '../../../network/ip.ts';
import type { ManagedCard, Network } from '../../../network/network.ts';
import { ACK, parseSegment, RST, SYN } from '../../../network/tcp-segment.ts';
import { OUTSIDE, tcpFrame } from '../../../network/testing/guest-frames.ts';
import { StateError } from '../../errors.ts';
import type { Plain } from '../../state.ts';
import {
  equalBytes,
  GuestDriver,
  NEEDS_RESET,
  pattern,
  settle,
  TestMachine,
} from '../testing/guest-driver.ts';
import { NetDevice } from './device.ts';

const RECEIVE = 0;
const TRANSMIT = 1;
const HEADER = 12;
const GUEST_CSUM = 1 << 1;
const MRG_RXBUF = 1 << 15;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);

class FakeNetwork implements Network {
  readonly received: Uint8Array[] = [];
  resumed = 0;

  receive(frame: Uint8Array): void {
    this.received.push(frame);
  }

  resume(): void {
    this.resumed++;
  }

  close(): void {}
}

let machine: TestMachine;
let network: FakeNetwork;
let card: ManagedCard;
let driver: GuestDriver;

beforeEach(async () => {
  machine = new TestMachine(4 << 20);
  network = new FakeNetwork();
  const device = new NetDevice(machine.memory, 0, {
    mac: MAC,
    mtu: 65520,
    offloads: true,
    openNetwork: (its) => {
      card = its;
      return network;
    },
  });
  driver = new GuestDriver(machine, device);
  await driver.start();
});

const header = (...fields: number[]) =>
  Uint8Array.from([...fields, ...Array(HEADER - fields.length).fill(0)]);

/** The frames that the driver has received, put together from their buffers. */
function received(): { flags: number; buffers: number; frame: Buffer }[] {
  const completions = driver.queue(RECEIVE).completions();
  const frames = [];
  for (let at = 0; at < completions.length; ) {
    const parts = completions.slice(at).map((done) => driver.queue(RECEIVE).received(done));
    const first = Buffer.from(parts[0] ?? []);
    const buffers = first.readUInt16LE(10);
    frames.push({
      ...{ flags: first[0] as number, buffers },
      frame: Buffer.concat([first.subarray(HEADER), ...parts.slice(1, buffers)]),
    });
    at += buffers;
  }
  return frames;
}

test('tells its address, that the link is up, and the MTU', () => {
  const config = driver.config(12);
  expect([...new Uint8Array(config.buffer, 0, 6)]).toEqual([...MAC]);
  expect([config.getUint16(6, true), config.getUint16(10, true)]).toEqual([1, 65520]);
  expect(driver.offeredFeatures & 0xff_ffffn).toBe(0x1_982bn);
});

test('shows the driver a link that goes down and comes back', () => {
  const link = () => [driver.config(12).getUint16(6, true), driver.takeInterrupt()];
  card.setLink(false);
  expect(link()).toEqual([0, 2]);
  card.setLink(true);
  expect(link()).toEqual([1, 2]);
});

describe('frames of the guest', () => {
  test('wait while the network holds them, and go on afterwards', async () => {
    card.hold(true);
    driver.queue(TRANSMIT).add([header(), pattern(60)]);
    driver.notify(TRANSMIT);
    await settle();
    expect(network.received).toEqual([]);
    card.hold(false);
    await settle();
    expect(network.received).toHaveLength(1);
  });

  test('arrive without their header, from any number of buffers', async () => {
    const frame = pattern(65_000);
    await driver.transact(TRANSMIT, [header(1), frame]);
    await driver.transact(TRANSMIT, [header(), frame.subarray(0, 100), frame.subarray(100)]);
    await driver.transact(TRANSMIT, [Uint8Array.of(...header(), ...frame.subarray(0, 60))], true);
    expect(network.received.map(({ length }) => length)).toEqual([65_000, 65_000, 60]);
    expect(network.received.every((each) => equalBytes(each, frame.subarray(0, each.length)))).toBe(true);
  });

  test('that are too short or too long are none', async () => {
    for (const length of [1, 13, 65_550]) await driver.transact(TRANSMIT, [header(), pattern(length)]);
    await driver.transact(TRANSMIT, [header()]);
    expect(network.received).toEqual([]);
    await driver.transact(TRANSMIT, [header(), pattern(65_549)]);
    expect(network.received).toHaveLength(1);
  });

  test('without a whole header break the device, until it is reset', async () => {
    driver.queue(TRANSMIT).add([pattern(11)]);
    driver.notify(TRANSMIT);
    await settle();
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
    await driver.start();
    await driver.transact(TRANSMIT, [header(), pattern(60)]);
    expect(network.received).toHaveLength(1);
  });

  test('wait while the guest takes nothing, and go on when it does', async () => {
    for (let i = 0; i < 20; i++) card.deliver(pattern(60_000));
    driver.queue(TRANSMIT).add([header(), pattern(60)]);
    driver.notify(TRANSMIT);
    await settle();
    expect(network.received).toEqual([]);
    for (let i = 0; i < 20; i++) driver.queue(RECEIVE).add([64 << 10]);
    driver.notify(RECEIVE);
    await settle();
    expect(received()).toHaveLength(20);
    expect(network.received).toHaveLength(1);
  });
});

describe('frames for the guest', () => {
  test('fill buffers of any size, and become visible at once', async () => {
    const frame = pattern(10_000);
    network.resumed = 0;
    for (const size of [20, 1500, 4096, 1]) driver.queue(RECEIVE).add([size]);
    driver.notify(RECEIVE);
    card.deliver(frame);
    await settle();
    expect(driver.queue(RECEIVE).completions()).toEqual([]);
    for (const size of [4096, 4096]) driver.queue(RECEIVE).add([size]);
    driver.notify(RECEIVE);
    await settle();
    expect(received()).toEqual([{ flags: 2, buffers: 6, frame: Buffer.from(frame) }]);
    expect([card.waiting, network.resumed]).toEqual([0, 1]);
  });

  test('wait for buffers, in order, and none is lost', async () => {
    for (let size = 60; size < 160; size++) card.deliver(pattern(size, size));
    expect(card.waiting).toBe(10_950);
    await settle();
    for (let i = 0; i < 100; i++) driver.queue(RECEIVE).add([2048]);
    driver.notify(RECEIVE);
    await settle();
    const frames = received();
    expect(frames.map(({ frame }) => frame.length)).toEqual(Array.from({ length: 100 }, (_, i) => 60 + i));
    expect(frames.every(({ frame }) => equalBytes(frame, pattern(frame.length, frame.length)))).toBe(true);
  });

  test('have a buffer each for a driver that does not merge, and no verified checksum unless it asks', async () => {
    await driver.start(MRG_RXBUF | GUEST_CSUM);
    driver.queue(RECEIVE).add([12, 2000]);
    driver.notify(RECEIVE);
    card.deliver(pattern(100));
    await settle();
    expect(received()).toEqual([{ flags: 0, buffers: 1, frame: Buffer.from(pattern(100)) }]);
    driver.queue(RECEIVE).add([100]);
    driver.notify(RECEIVE);
    card.deliver(pattern(100));
    await settle();
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
  });

  test.each([
    ['a first buffer shorter than the header', 1, 11],
    ['a queue full of buffers that are too short together', 256, 12],
  ])('%s breaks the device', async (_, count, size) => {
    for (let i = 0; i < count; i++) driver.queue(RECEIVE).add([size]);
    driver.notify(RECEIVE);
    card.deliver(pattern(count === 1 ? 14 : 60_000));
    if (count === 1) driver.queue(RECEIVE).add([2000]);
    driver.notify(RECEIVE);
    await settle();
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
  });

  test('half written are gone after a reset, and new ones are whole', async () => {
    driver.queue(RECEIVE).add([1000]);
    driver.notify(RECEIVE);
    card.deliver(pattern(5000));
    await settle();
    await driver.start();
    expect(card.waiting).toBe(0);
    driver.queue(RECEIVE).add([2000]);
    driver.notify(RECEIVE);
    card.deliver(pattern(70, 3));
    await settle();
    expect(received()).toEqual([{ flags: 2, buffers: 1, frame: Buffer.from(pattern(70, 3)) }]);
  });

  test('are not kept while there is no driver', async () => {
    driver.beginReset();
    card.deliver(pattern(1000));
    expect(card.waiting).toBe(0);
  });
});

describe('a card without offloads', () => {
  const [start, offset] = [34, 16];
  const partial = (at: number, of: number) => header(1, 0, 0, 0, 0, 0, at, 0, of, 0);

  beforeEach(async () => {
    const device = new NetDevice(machine.memory, 1, {
      mac: MAC,
      mtu: 1500,
      offloads: false,
      openNetwork: () => network,
    });
    driver = new GuestDriver(machine, device);
    await driver.start();
  });

  test('offers neither segmentation nor verified checksums', () => {
    expect(driver.offeredFeatures & 0xff_ffffn).toBe(0x1_8029n);
    expect(driver.config(12).getUint16(10, true)).toBe(1500);
  });

  test('completes checksums', async () => {
    const frame = pattern(101);
    // A pseudo-header's sum in the field takes part.
    await driver.transact(TRANSMIT, [partial(start, offset), frame]);
    await driver.transact(TRANSMIT, [header(), frame]);
    const [completed, asItWas] = network.received as [Uint8Array, Uint8Array];
    const field = start + offset;
    expect(equalBytes(asItWas, frame)).toBe(true);
    expect(read16(completed, field)).toBe(checksum(frame, start, frame.length));
    const others = (bytes: Uint8Array) =>
      Buffer.concat([bytes.subarray(0, field), bytes.subarray(field + 2)]);
    expect(others(completed)).toEqual(others(frame));
  });

  test('writes no checksum of zero, which UDP takes for none', async () => {
    const frame = new Uint8Array(60);
    frame.fill(0xff, start + 10, start + 12);
    await driver.transact(TRANSMIT, [partial(start, 6), frame]);
    expect(read16(network.received[0] as Uint8Array, start + 6)).toBe(0xffff);
  });

  test('passes on no frame whose checksum would be beyond its end', async () => {
    const frame = pattern(60);
    for (const [at, of] of [
      [59, 0],
      [0xff, 0],
      [0, 59],
    ] as const)
      await driver.transact(TRANSMIT, [partial(at, of), frame]);
    expect(network.received).toEqual([]);
  });
});

describe('a suspension', () => {
  const frameOf = (frame: Uint8Array) => [header(), frame];

  async function resume(state: Plain): Promise<void> {
    const openNetwork = (its: ManagedCard) => {
      card = its;
      return network;
    };
    const options = { mac: new Uint8Array(6), mtu: 65520, offloads: true, openNetwork };
    (await driver.replace(() => new NetDevice(machine.memory, 0, options), state)).proceed();
  }

  test('resets the connections of the guest in the next machine, which keeps the address', async () => {
    await driver.transact(TRANSMIT, frameOf(tcpFrame(OUTSIDE, { flags: SYN, sequence: 99 })));
    card.deliver(tcpFrame(OUTSIDE, { flags: SYN | ACK, sequence: 499 }, false));
    for (let i = 0; i < 4; i++) driver.queue(RECEIVE).add([2000]);
    driver.notify(RECEIVE);
    await settle();
    received();
    await resume(await driver.device.suspend());
    await settle();
    expect(card.mac).toEqual(MAC);
    expect([...new Uint8Array(driver.config(6).buffer)]).toEqual([...MAC]);
    const [reset, ...others] = received();
    expect(others).toEqual([]);
    const packet = parsePacket(new Uint8Array(reset?.frame ?? []));
    expect(parseSegment(packet?.payload as Uint8Array)).toMatchObject({
      ...{ sourcePort: 80, destinationPort: 4000, flags: RST | ACK },
      ...{ sequence: 500, acknowledgement: 100 },
    });
  });

  test('gives buffers back that a frame is waiting in, and resets nothing if the machine goes on', async () => {
    driver.queue(RECEIVE).add([100]);
    driver.notify(RECEIVE);
    card.deliver(pattern(150));
    await settle();
    await driver.device.suspend();
    expect(driver.device.transport.queues[RECEIVE]).toEqual({ taken: 0, used: 0, signalled: 0 });
    driver.queue(RECEIVE).add([100]);
    driver.device.proceed();
    await settle();
    expect(received().map(({ frame }) => frame)).toEqual([Buffer.from(pattern(150))]);
  });

  test('refuses connections of other forms', async () => {
    const state = (await driver.device.suspend()) as { own: object };
    const ipv4 = { address: new Uint8Array(4), port: 1 };
    const connection = { guest: ipv4, other: ipv4, toGuest: null, fromGuest: 7 };
    const resumed = (change: object) =>
      resume({ ...state, own: { ...state.own, connections: [{ ...connection, ...change }] } } as Plain);
    await resumed({});
    for (const change of [
      { other: { ...ipv4, address: new Uint8Array(16) } },
      { guest: { ...ipv4, address: new Uint8Array(5) }, other: { ...ipv4, address: new Uint8Array(5) } },
      { guest: { ...ipv4, port: 65_536 } },
      { toGuest: -1 },
    ])
      await expect(resumed(change)).rejects.toThrow(StateError);
    await expect(
      resume({ ...state, own: { mac: new Uint8Array(5), connections: [] } } as Plain),
    ).rejects.toThrow('device 0.own.mac is not 6 to 6 bytes');
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import {
  Q_DESC,
  Q_DEVICE,
  Q_DRIVER,
  Q_NUM,
  Q_READY,
  RAM_START,
  V_INTERRUPT_STATUS,
  V_QUEUES,
} from '../../../../emulator-wasm/layout.ts';
import { ECHO_QUEUE_SIZE, EchoDevice } from '../testing/echo-device.ts';
import {
  ACKNOWLEDGE,
  DRIVER,
  DRIVER_OK,
  EVENT_IDX,
  equalBytes,
  FEATURES_OK,
  GuestDriver,
  INDIRECT,
  INDIRECT_DESC,
  NEEDS_RESET,
  NEXT,
  pattern,
  TestMachine,
  WRITE,
} from '../testing/guest-driver.ts';

const READY = ACKNOWLEDGE | DRIVER | FEATURES_OK;

let machine: TestMachine;
let device: EchoDevice;
let driver: GuestDriver;

beforeEach(async () => {
  machine = new TestMachine();
  device = new EchoDevice(machine.memory);
  driver = new GuestDriver(machine, device);
  await driver.start();
});

describe('a correct driver', () => {
  test.each([false, true])(
    'scatters and gathers over segments of any size (indirect: %s)',
    async (indirect) => {
      const parts = [pattern(1), pattern(33), pattern(100), pattern(5000)];
      const reply = await driver.transact(0, [...parts, 2, 31, 64, 4000, 2000], indirect);
      expect(reply).toEqual(new Uint8Array(Buffer.concat(parts)));
    },
  );

  test('fills the queue and completes all, also when the 16-bit indices wrap', () => {
    const queue = driver.queue(0);
    const place = (length: number, write: boolean) => ({ address: machine.allocate(length), length, write });
    const segments = Array.from(
      { length: ECHO_QUEUE_SIZE / 2 },
      () => [place(2, false), place(2, true)] as const,
    );
    let completed = 0;
    let wrong = 0;
    for (let round = 0; completed < 70_000; round++) {
      segments.forEach(([request, reply], i) => {
        machine.at(request.address, 2).set([round & 0xff, i]);
        queue.add([request, reply]);
      });
      driver.kick(0);
      queue.completions().forEach((completion, i) => {
        const [first, second] = queue.received(completion);
        if (first !== (round & 0xff) || second !== i) wrong++;
        completed++;
      });
    }
    expect(wrong).toBe(0);
    expect(device.served).toBe(completed);
  });

  test('takes a chain of direct descriptors that ends in an indirect one', () => {
    const queue = driver.queue(0);
    const request = machine.allocate(64);
    const table = machine.allocate(32);
    machine.at(request, 3).set([1, 2, 3]);
    queue.describe(queue.descriptors, 0, request, 2, NEXT, 1);
    queue.describe(queue.descriptors, 1, table, 32, INDIRECT | WRITE, 0);
    queue.describe(table, 0, request + 2, 1, NEXT, 1);
    queue.describe(table, 1, request + 32, 8, WRITE, 0);
    queue.publish(0);
    driver.notify(0);
    expect([...machine.at(request + 32, 4)]).toEqual([1, 2, 3, 0]);
  });

  test('reads an indirect table at any alignment', () => {
    const queue = driver.queue(0);
    const table = machine.allocate(64) + 3;
    const buffer = machine.allocate(16);
    machine.at(buffer, 1).set([77]);
    queue.describe(queue.descriptors, 0, table, 32, INDIRECT, 0);
    queue.describe(table, 0, buffer, 1, NEXT, 1);
    queue.describe(table, 1, buffer + 8, 1, WRITE, 0);
    queue.publish(0);
    driver.notify(0);
    expect(machine.at(buffer + 8, 1)[0]).toBe(77);
  });

  test('uses the last byte of RAM', async () => {
    const last = { address: RAM_START + machine.ram.length - 1, length: 1, write: true };
    expect(await driver.transact(0, [pattern(1), last])).toEqual(pattern(1));
  });

  test('learns which pages were written', async () => {
    machine.clearPageFlags();
    const placed = { address: RAM_START + 0x10ff0, length: 0x2020, write: true };
    await driver.transact(0, [pattern(0x2000), placed]);
    for (let page = 0x10; page <= 0x12; page++) expect(machine.pageWritten(page)).toBe(true);
    expect(machine.pageWritten(0x14)).toBe(false);
  });
});

describe('notification suppression', () => {
  test('the driver need not notify while the device has not seen the queue empty', () => {
    const queue = driver.queue(0);
    queue.add([pattern(1), 1]);
    expect(queue.needsKick()).toBe(true);
    queue.add([pattern(1), 1]);
    expect(queue.needsKick()).toBe(false);
    driver.notify(0);
    expect(queue.completions()).toHaveLength(2);
    queue.add([pattern(1), 1]);
    expect(queue.needsKick()).toBe(true);
  });

  test('the device interrupts once for a batch, and only when it passes the used event', () => {
    const queue = driver.queue(0);
    queue.completions(3);
    for (let i = 0; i < 2; i++) queue.add([pattern(1), 1]);
    driver.notify(0);
    expect(driver.takeInterrupt()).toBe(0);
    for (let i = 0; i < 2; i++) queue.add([pattern(1), 1]);
    const wakes = machine.wakeCount;
    driver.notify(0);
    expect(machine.wakeCount).toBe(wakes + 1);
    expect(machine.line(1)).toBe(true);
    expect(driver.takeInterrupt()).toBe(1);
    expect(machine.line(1)).toBe(false);
  });

  test('without EVENT_IDX the flag of the available ring applies', async () => {
    await driver.start(EVENT_IDX);
    const queue = driver.queue(0);
    const flags = machine.hostAddress(queue.available);
    machine.view.setUint16(flags, 1, true);
    queue.add([pattern(1), 1]);
    expect(driver.kick(0)).toBe(true);
    expect(queue.completions()).toHaveLength(1);
    expect(driver.takeInterrupt()).toBe(0);
    machine.view.setUint16(flags, 0, true);
    queue.add([pattern(1), 1]);
    driver.kick(0);
    expect(driver.takeInterrupt()).toBe(1);
  });
});

async function expectBroken(): Promise<void> {
  expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
  expect(driver.load(V_INTERRUPT_STATUS) & 2).toBe(2);
  expect(machine.line(1)).toBe(true);
  expect(device.transport.phase).toBe('broken');
  const { served } = device;
  driver.notify(0);
  expect(device.served).toBe(served);
  await driver.start();
  expect(machine.line(1)).toBe(false);
  expect(await driver.transact(0, [pattern(9), 9])).toEqual(pattern(9));
}

describe('a chain that breaks a rule stops the device until it is reset', () => {
  type Descriptor = [address: number | bigint, length: number, flags: number, next: number];
  const RAM_END = RAM_START + (1 << 20);
  const BUFFER = RAM_START + 0x8000;
  const TABLE = RAM_START + 0x9000;

  const chains: Record<string, { ring: Descriptor[]; table?: Descriptor[]; head?: number }> = {
    'head out of range': { ring: [], head: ECHO_QUEUE_SIZE },
    'head far out of range': { ring: [], head: 0xffff },
    'next out of range': { ring: [[BUFFER, 1, NEXT, ECHO_QUEUE_SIZE]] },
    'loop onto itself': { ring: [[BUFFER, 1, NEXT, 0]] },
    'loop of two': {
      ring: [
        [BUFFER, 1, NEXT, 1],
        [BUFFER, 1, NEXT, 0],
      ],
    },
    'no length': { ring: [[BUFFER, 0, 0, 0]] },
    'below RAM': { ring: [[RAM_START - 1, 1, 0, 0]] },
    'host memory': { ring: [[0x10000, 4, WRITE, 0]] },
    'across the start of RAM': { ring: [[RAM_START - 1, 2, WRITE, 0]] },
    'across the end of RAM': { ring: [[RAM_END - 1, 2, WRITE, 0]] },
    'at the end of RAM': { ring: [[RAM_END, 1, WRITE, 0]] },
    'length reaching around 32 bits': { ring: [[BUFFER, 0xffff_ffff, WRITE, 0]] },
    'address reaching around 64 bits': { ring: [[0xffff_ffff_ffff_ffffn, 2, WRITE, 0]] },
    'high half of the address set': { ring: [[BigInt(BUFFER) | (1n << 32n), 1, WRITE, 0]] },
    'address beyond exact floating point': { ring: [[BigInt(BUFFER) | (1n << 63n), 1, WRITE, 0]] },
    'readable after writable': {
      ring: [
        [BUFFER, 1, NEXT | WRITE, 1],
        [BUFFER, 1, 0, 0],
      ],
    },
    'indirect with next': { ring: [[TABLE, 16, INDIRECT | NEXT, 0]], table: [[BUFFER, 1, 0, 0]] },
    'indirect in indirect': { ring: [[TABLE, 16, INDIRECT, 0]], table: [[TABLE, 16, INDIRECT, 0]] },
    'indirect table of no whole number of descriptors': {
      ring: [[TABLE, 17, INDIRECT, 0]],
      table: [[BUFFER, 1, 0, 0]],
    },
    'indirect table without length': { ring: [[TABLE, 0, INDIRECT, 0]] },
    'indirect table outside RAM': { ring: [[RAM_END - 16, 32, INDIRECT, 0]] },
    'indirect next out of range': {
      ring: [[TABLE, 16, INDIRECT, 0]],
      table: [
        [BUFFER, 1, NEXT, 1],
        [BUFFER, 1, 0, 0],
      ],
    },
    'indirect loop': {
      ring: [[TABLE, 32, INDIRECT, 0]],
      table: [
        [BUFFER, 1, NEXT, 1],
        [BUFFER, 1, NEXT, 0],
      ],
    },
    'indirect chain longer than the queue': {
      ring: [[TABLE, 16 * (ECHO_QUEUE_SIZE + 1), INDIRECT, 0]],
      table: Array.from({ length: ECHO_QUEUE_SIZE + 1 }, (_, i): Descriptor => [BUFFER, 1, NEXT, i + 1]),
    },
  };

  test.each(Object.entries(chains))('%s', async (_name, { ring, table = [], head = 0 }) => {
    const queue = driver.queue(0);
    for (const [i, entry] of ring.entries()) queue.describe(queue.descriptors, i, ...entry);
    for (const [i, entry] of table.entries()) queue.describe(TABLE, i, ...entry);
    queue.publish(head);
    const before = machine.snapshot();
    driver.notify(0);
    expect(equalBytes(machine.snapshot(), before)).toBe(true);
    await expectBroken();
  });

  test('more than 2^32 bytes', async () => {
    const size = 2 ** 32 / ECHO_QUEUE_SIZE;
    machine = new TestMachine(size);
    device = new EchoDevice(machine.memory);
    driver = new GuestDriver(machine, device);
    await driver.start();
    const queue = driver.queue(0);
    for (let i = 0; i < ECHO_QUEUE_SIZE; i++)
      queue.describe(queue.descriptors, i, RAM_START, size, i < ECHO_QUEUE_SIZE - 1 ? NEXT : 0, i + 1);
    queue.publish(0);
    driver.notify(0);
    await expectBroken();
  });

  test('indirect descriptors that were not negotiated', async () => {
    await driver.start(INDIRECT_DESC);
    const queue = driver.queue(0);
    queue.describe(TABLE, 0, BUFFER, 1, WRITE, 0);
    queue.describe(queue.descriptors, 0, TABLE, 16, INDIRECT, 0);
    queue.publish(0);
    driver.notify(0);
    await expectBroken();
  });

  test('an available index further ahead than the queue is long', async () => {
    driver.queue(0).setAvailableIndex(ECHO_QUEUE_SIZE + 1);
    driver.notify(0);
    await expectBroken();
  });

  test('an available index that goes back', async () => {
    const queue = driver.queue(0);
    for (let i = 0; i < 2; i++) queue.add([pattern(1), 1]);
    driver.notify(0);
    queue.setAvailableIndex(1);
    driver.notify(0);
    await expectBroken();
  });
});

describe('rings that break a rule stop the device', () => {
  const rings: Record<string, Partial<Record<number, number>>> = {
    'queue size 0': { [Q_NUM]: 0 },
    'queue size no power of two': { [Q_NUM]: 12 },
    'queue size over the maximum': { [Q_NUM]: 2 * ECHO_QUEUE_SIZE },
    'queue size negative': { [Q_NUM]: 0x8000_0000 },
    'misaligned descriptor table': { [Q_DESC]: RAM_START + 8 },
    'misaligned available ring': { [Q_DRIVER]: RAM_START + 0x1001 },
    'misaligned used ring': { [Q_DEVICE]: RAM_START + 0x2002 },
    'descriptor table below RAM': { [Q_DESC]: RAM_START - 16 },
    'available ring over the end of RAM': { [Q_DRIVER]: RAM_START + (1 << 20) - 16 },
    'used ring over the end of RAM': { [Q_DEVICE]: RAM_START + (1 << 20) - 16 },
    'used ring far away': { [Q_DEVICE + 4]: 0xffff_ffff },
    'descriptor table over available ring': { [Q_DESC]: RAM_START + 0x1000 - 16 },
    'used ring over descriptor table': { [Q_DEVICE]: RAM_START },
    'available ring over used ring': { [Q_DRIVER]: RAM_START + 0x2000 + 16 },
  };

  test.each(Object.entries(rings))('%s', async (_name, changes) => {
    await driver.writeStatus(0);
    driver.store(V_QUEUES + Q_NUM, ECHO_QUEUE_SIZE);
    driver.store(V_QUEUES + Q_DESC, RAM_START);
    driver.store(V_QUEUES + Q_DRIVER, RAM_START + 0x1000);
    driver.store(V_QUEUES + Q_DEVICE, RAM_START + 0x2000);
    driver.store(V_QUEUES + Q_READY, 1);
    for (const [register, value] of Object.entries(changes))
      driver.store(V_QUEUES + Number(register), value as number);
    await driver.writeStatus(READY | DRIVER_OK);
    await expectBroken();
  });
});

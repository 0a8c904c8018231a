import { beforeEach, describe, expect, test } from 'vitest';
import { V_RESET } from '../../../../emulator-wasm/layout.ts';
import { type BlockBackend, MemoryBlockBackend } from '../../../disk/block-backend.ts';
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
import { BlockDevice } from './device.ts';

const SECTORS = 2048;
const IN = 0;
const OUT = 1;
const FLUSH = 4;
const GET_ID = 8;
const DISCARD = 11;
const WRITE_ZEROES = 13;
const OK = 0;
const IOERR = 1;
const UNSUPP = 2;

let machine: TestMachine;
let driver: GuestDriver;

async function attach(backend: BlockBackend): Promise<void> {
  machine = new TestMachine(8 << 20);
  driver = new GuestDriver(machine, new BlockDevice(machine.memory, 0, backend, 'scratch'));
  await driver.start();
}

function header(type: number, sector: number | bigint = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  return new Uint8Array(view.buffer);
}

function range(sector: number, sectors: number, flags = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt(sector), true);
  view.setUint32(8, sectors, true);
  view.setUint32(12, flags, true);
  return new Uint8Array(view.buffer);
}

async function status(...segments: (Uint8Array | number)[]): Promise<number | undefined> {
  return (await driver.transact(0, [...segments, 1])).at(-1);
}

async function readSectors(sector: number, count: number): Promise<Uint8Array> {
  const reply = await driver.transact(0, [header(IN, sector), count * 512, 1], true);
  expect(reply.at(-1)).toBe(OK);
  return reply.subarray(0, -1);
}

/** A back end whose operations settle when the test settles them. */
class SlowBackend implements BlockBackend {
  readonly sizeBytes = SECTORS * 512;
  readonly readOnly = false;
  readonly started: string[] = [];
  readonly #settle: { finish: () => void; fail: () => void }[] = [];

  read(offset: number, into: Uint8Array[]): Promise<void> {
    return this.#operation(`read ${offset / 512}`, () => {
      for (const view of into) view.fill(0x5a);
    });
  }

  write(offset: number, _from: Uint8Array[]): Promise<void> {
    return this.#operation(`write ${offset / 512}`, () => {});
  }

  flush(): Promise<void> {
    return this.#operation('flush', () => {});
  }

  finish(index: number): void {
    this.#settle[index]?.finish();
  }

  fail(index: number): void {
    this.#settle[index]?.fail();
  }

  #operation(name: string, work: () => void): Promise<void> {
    this.started.push(name);
    return new Promise((resolve, reject) => {
      this.#settle.push({
        finish: () => {
          work();
          resolve();
        },
        fail: () => reject(new Error('disk on fire')),
      });
    });
  }
}

describe('a writable disk', () => {
  let backend: MemoryBlockBackend;

  beforeEach(async () => {
    backend = new MemoryBlockBackend(SECTORS * 512);
    await attach(backend);
  });

  test('describes itself', () => {
    const config = driver.config(60);
    expect(config.getBigUint64(0, true)).toBe(BigInt(SECTORS));
    expect(config.getUint32(12, true)).toBe(126);
    expect(config.getUint32(20, true)).toBe(512);
    const has = (bit: bigint) => (driver.offeredFeatures >> bit) & 1n;
    expect([has(5n), has(6n), has(9n), has(13n), has(14n)]).toEqual([0n, 1n, 1n, 1n, 1n]);
  });

  test('reads back written data, with any framing of the buffers', async () => {
    const data = pattern(200 * 512);
    expect(await status(header(OUT, 7), data.subarray(0, 1000), data.subarray(1000))).toBe(OK);
    expect(equalBytes(await readSectors(7, 200), data)).toBe(true);
    // Header, data and status share segments: framing is the driver's choice (2.7.4.1).
    const [head, tail] = [header(IN, 7).subarray(0, 3), header(IN, 7).subarray(3)];
    const reply = await driver.transact(0, [head, tail, 700, 512 - 700 + 512 + 1]);
    expect(equalBytes(reply, new Uint8Array([...data.subarray(0, 1024), OK]))).toBe(true);
    const joined = new Uint8Array([...header(OUT, 0), ...pattern(512, 9)]);
    expect(await status(joined)).toBe(OK);
    expect(await readSectors(0, 1)).toEqual(pattern(512, 9));
  });

  test('reads zeros where nothing was written, replacing the buffer’s contents', async () => {
    const into = { address: machine.allocate(512), length: 512, write: true };
    machine.at(into.address, 512).fill(0xff);
    const last = { address: machine.allocate(1), length: 1, write: true };
    await driver.transact(0, [header(IN, SECTORS - 1), into, last]);
    expect(machine.at(into.address, 512).every((byte) => byte === 0)).toBe(true);
  });

  test('flushes and returns its name', async () => {
    expect(await status(header(FLUSH))).toBe(OK);
    const reply = await driver.transact(0, [header(GET_ID), 20, 1]);
    expect(new TextDecoder().decode(reply)).toBe(`scratch${'\0'.repeat(14)}`);
    expect(await driver.transact(0, [header(GET_ID), 5, 1])).toEqual(new TextEncoder().encode('scrat\0'));
  });

  test.each([
    ['beyond the end', header(IN, SECTORS), 512],
    ['across the end', header(IN, SECTORS - 1), 1024],
    ['at a sector past 2^53', header(IN, 2n ** 60n), 512],
    ['at the last sector of all', header(IN, 2n ** 64n - 1n), 512],
    ['at a sector whose offset wraps', header(IN, 2n ** 55n), 512],
    ['of no whole number of sectors', header(IN, 0), 100],
  ])('a read %s is an I/O error', async (_name, request, length) => {
    expect(await status(request, length)).toBe(IOERR);
  });

  test('writes that are too long, misaligned or out of range change nothing', async () => {
    expect(await status(header(OUT, SECTORS - 1), pattern(1024))).toBe(IOERR);
    expect(await status(header(OUT, 0), pattern(513))).toBe(IOERR);
    expect(backend.allocatedBytes).toBe(0);
    const huge = { address: machine.allocate(1 << 20), length: 1 << 20, write: false };
    const reply = await driver.transact(0, [header(OUT, 0), ...Array(12).fill(huge), 1]);
    expect(reply).toEqual(new Uint8Array([IOERR]));
  });

  test('an unknown request is unsupported', async () => {
    expect(await status(header(99))).toBe(UNSUPP);
    expect(await status(header(0xffff_ffff), 512)).toBe(UNSUPP);
  });

  test.each([DISCARD, WRITE_ZEROES])('request %i zeroes ranges', async (type) => {
    await status(header(OUT, 0), pattern(512 * 512));
    const ranges = new Uint8Array([...range(1, 2), ...range(128, 256)]);
    expect(await status(header(type), ranges)).toBe(OK);
    const expected = pattern(512 * 512);
    expected.fill(0, 512, 3 * 512);
    expected.fill(0, 128 * 512, 384 * 512);
    expect(equalBytes(await readSectors(0, 512), expected)).toBe(true);
    expect(backend.allocatedBytes).toBe(2 * (64 << 10));
  });

  test('WRITE_ZEROES may unmap', async () => {
    await status(header(OUT, 0), pattern(512));
    expect(await status(header(WRITE_ZEROES), range(0, 1, 1))).toBe(OK);
    expect((await readSectors(0, 1)).every((byte) => byte === 0)).toBe(true);
  });

  test.each([
    ['no range', DISCARD, new Uint8Array(0), IOERR],
    ['a torn range', DISCARD, range(0, 1).subarray(1), IOERR],
    ['too many ranges', DISCARD, new Uint8Array(17 * 16), IOERR],
    ['a range beyond the end', DISCARD, range(SECTORS - 1, 2), IOERR],
    ['a range that is too long', WRITE_ZEROES, range(0, 0xffff_ffff), IOERR],
    ['unmap with DISCARD', DISCARD, range(0, 1, 1), UNSUPP],
    ['unknown flags', WRITE_ZEROES, range(0, 1, 2), UNSUPP],
    ['one good range and one bad', DISCARD, new Uint8Array([...range(0, 1), ...range(SECTORS, 1)]), IOERR],
  ])('zeroing with %s changes nothing', async (_name, type, ranges, expected) => {
    await status(header(OUT, 0), pattern(512));
    expect(await status(...[header(type), ranges].filter((part) => part.length > 0))).toBe(expected);
    expect(await readSectors(0, 1)).toEqual(pattern(512));
  });

  test.each([
    ['no room for the status', [header(IN)]],
    ['half a header', [header(IN).subarray(0, 15), 513]],
  ])('a request with %s breaks the device', async (_name, segments) => {
    driver.queue(0).add(segments);
    driver.kick(0);
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
    await driver.start();
    expect(await status(header(FLUSH))).toBe(OK);
  });
});

describe('a read-only disk', () => {
  beforeEach(async () => {
    const content = pattern(SECTORS * 512);
    await attach({
      sizeBytes: content.length,
      readOnly: true,
      read: (offset, into) => {
        let at = offset;
        for (const view of into) {
          view.set(content.subarray(at, at + view.length));
          at += view.length;
        }
      },
      write: () => {
        throw new Error('written');
      },
      flush: () => {},
    });
  });

  test('announces itself as read-only, refuses writes and lacks discard', async () => {
    expect((driver.offeredFeatures >> 5n) & 1n).toBe(1n);
    expect((driver.offeredFeatures >> 13n) & 3n).toBe(0n);
    expect(await status(header(OUT), pattern(512))).toBe(IOERR);
    expect(await status(header(DISCARD), range(0, 1))).toBe(UNSUPP);
    expect(equalBytes(await readSectors(1, 2), pattern(SECTORS * 512).subarray(512, 1536))).toBe(true);
  });
});

describe('a slow back end', () => {
  let backend: SlowBackend;

  beforeEach(async () => {
    backend = new SlowBackend();
    await attach(backend);
  });

  const request = (type: number, sector: number) =>
    driver
      .queue(0)
      .add(type === IN ? [header(type, sector), 512, 1] : [header(type, sector), pattern(512), 1]);

  test('processes many requests at the same time, in any order', async () => {
    const requests = [request(IN, 1), request(OUT, 2), request(IN, 3)];
    driver.kick(0);
    expect(backend.started).toEqual(['read 1', 'write 2', 'read 3']);
    expect(driver.queue(0).completions()).toHaveLength(0);
    backend.finish(2);
    backend.fail(0);
    await settle();
    const done = driver.queue(0).completions();
    expect(done.map((completion) => completion.request)).toEqual([requests[2], requests[0]]);
    expect(done.map((completion) => driver.queue(0).received(completion).at(-1))).toEqual([OK, IOERR]);
    expect(driver.takeInterrupt()).toBe(1);
    backend.finish(1);
    await settle();
    expect(driver.queue(0).completions()).toHaveLength(1);
  });

  test('has at most as many requests in flight as the queue holds', () => {
    const queue = driver.queue(0);
    while (queue.freeDescriptors > 0) queue.add([header(IN, 0), 512, 1], true);
    driver.kick(0);
    expect(backend.started).toHaveLength(queue.size);
    queue.publish(0);
    driver.notify(0);
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
    expect(backend.started).toHaveLength(queue.size);
  });

  test('a reset waits for requests in flight, and their buffers stay untouched afterwards', async () => {
    request(IN, 0);
    request(IN, 1);
    driver.kick(0);
    driver.beginReset();
    await settle();
    expect(driver.load(V_RESET)).toBe(1);
    backend.finish(0);
    backend.fail(1);
    await settle();
    expect(driver.load(V_RESET)).toBe(0);
    await driver.start();
    const before = machine.snapshot();
    await settle();
    expect(equalBytes(machine.snapshot(), before)).toBe(true);
    request(OUT, 5);
    driver.kick(0);
    backend.finish(2);
    await settle();
    expect(driver.queue(0).completions()).toHaveLength(1);
  });

  test('requests in flight when the driver breaks the device are not completed', async () => {
    request(IN, 0);
    driver.kick(0);
    driver.queue(0).setAvailableIndex(1000);
    driver.notify(0);
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
    backend.finish(0);
    await settle();
    expect(driver.queue(0).completions()).toHaveLength(0);
    await driver.start();
    request(IN, 0);
    driver.kick(0);
    backend.finish(1);
    await settle();
    expect(driver.queue(0).completions()).toHaveLength(1);
  });
});

test('a disk that gets its content later tells the driver', async () => {
  let disk = new MemoryBlockBackend(0);
  const backend: BlockBackend = {
    get sizeBytes() {
      return disk.sizeBytes;
    },
    readOnly: false,
    read: (offset, into) => disk.read(offset, into),
    write: (offset, from) => disk.write(offset, from),
    flush: () => {},
  };
  const fresh = new TestMachine();
  const device = new BlockDevice(fresh.memory, 0, backend, 'late');
  driver = new GuestDriver(fresh, device);
  await driver.start();
  expect(await status(header(IN), 512)).toBe(IOERR);
  driver.takeInterrupt();
  disk = new MemoryBlockBackend(2 ** 41 + 512);
  backend.onResize?.();
  expect(driver.takeInterrupt()).toBe(2);
  expect(driver.config(8).getBigUint64(0, true)).toBe(2n ** 32n + 1n);
  expect(await status(header(IN, 2 ** 32), 512)).toBe(OK);
});

test.each([511, 1024.5, -512, Number.NaN, 2 ** 60])('a disk of %d bytes is refused', (sizeBytes) => {
  const memory = new TestMachine().memory;
  expect(() => new BlockDevice(memory, 0, new MemoryBlockBackend(sizeBytes), '')).toThrow(RangeError);
});

test('a disk that opens later has size 0 until then, and announces its size', async () => {
  const disk = new MemoryBlockBackend(SECTORS * 512);
  let present = false;
  const backend: BlockBackend = {
    readOnly: true,
    get sizeBytes() {
      return present ? disk.sizeBytes : 0;
    },
    read: (offset, into) => disk.read(offset, into),
    write: (offset, from) => disk.write(offset, from),
    flush: () => {},
  };
  machine = new TestMachine(8 << 20);
  const device = new BlockDevice(machine.memory, 0, backend, 'late');
  driver = new GuestDriver(machine, device);
  await driver.start();
  const capacity = () => Number(driver.config(8).getBigUint64(0, true));
  expect(capacity()).toBe(0);
  expect(await status(header(IN), 512)).toBe(IOERR);
  driver.takeInterrupt();
  present = true;
  backend.onResize?.();
  expect(capacity()).toBe(SECTORS);
  expect(driver.takeInterrupt()).toBe(2);
  expect(await readSectors(SECTORS - 1, 1)).toEqual(new Uint8Array(512));
});

describe('a suspension', () => {
  const resume = (state: Plain, sizeBytes = SECTORS * 512) =>
    driver.replace(
      () => new BlockDevice(machine.memory, 0, new MemoryBlockBackend(sizeBytes), 'scratch'),
      state,
    );

  test('waits for requests in progress, and serves none from then on', async () => {
    const slow = new SlowBackend();
    await attach(slow);
    const queue = driver.queue(0);
    queue.add([header(FLUSH), 1]);
    driver.notify(0);
    let isSuspended = false;
    const suspending = driver.device.suspend().then(() => {
      isSuspended = true;
    });
    queue.add([header(FLUSH), 1]);
    driver.notify(0);
    await settle();
    expect([isSuspended, slow.started]).toEqual([false, ['flush']]);
    slow.finish(0);
    await suspending;
    expect([slow.started.length, queue.completions().length]).toEqual([1, 1]);
    driver.device.proceed();
    expect(slow.started).toEqual(['flush', 'flush']);
  });

  test('carries the content of a disk in memory along', async () => {
    await attach(new MemoryBlockBackend(SECTORS * 512));
    expect(await status(header(OUT, 200), pattern(512))).toBe(OK);
    (await resume(await driver.device.suspend())).proceed();
    expect(await readSectors(200, 1)).toEqual(pattern(512));
    expect(await readSectors(0, 1)).toEqual(new Uint8Array(512));
  });

  test('refuses the state of another disk', async () => {
    await attach(new MemoryBlockBackend(SECTORS * 512));
    const state = (await driver.device.suspend()) as { own: object };
    const resumed = (disk: Plain) => resume({ ...state, own: { disk } } as unknown as Plain);
    await resumed(null);
    const chunk = new Uint8Array(64 << 10);
    const others: Plain[] = [
      { chunks: [[16, chunk]] },
      { chunks: [[0, new Uint8Array(9)]] },
      { chunks: [[0]] },
      { chunks: Array(17).fill([0, chunk]) },
      { checkpoint: 1 },
      { checkpoint: -1 },
      { layers: [], uuid: new Uint8Array(16) },
      {},
    ];
    for (const disk of others) await expect(resumed(disk)).rejects.toThrow(StateError);
  });
});

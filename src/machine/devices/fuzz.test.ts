import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Q_DESC,
  Q_DEVICE,
  Q_DRIVER,
  Q_NUM,
  Q_READY,
  RAM_START,
  V_DRIVER_FEATURES,
  V_QUEUE_STRIDE,
  V_QUEUES,
  V_STATUS,
} from '../../../emulator-wasm/layout.ts';
import { BlockDevice } from './block.ts';
import { type BlockBackend, MemoryBlockBackend } from './block-backend.ts';
import { ConsoleDevice } from './console.ts';
import { RngDevice } from './rng.ts';
import {
  type DriverQueue,
  GuestDriver,
  INDIRECT,
  NEXT,
  pattern,
  type Segment,
  TestMachine,
  WRITE,
} from './testing/guest-driver.ts';
import { WriteOracle } from './testing/write-oracle.ts';
import type { VirtioDevice } from './virtio-device.ts';
import { VsockDevice, type VsockStream } from './vsock.ts';
import { HEADER_SIZE, OP_REQUEST, OP_RESPONSE, VsockHeader } from './vsock-packet.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 150);
const RAM_SIZE = 128 << 10;
const RAM_END = RAM_START + RAM_SIZE;
/** Rings come first in RAM, then room for indirect tables, then buffers. */
const TABLES = RAM_START + 0x4000;
const BUFFERS = RAM_START + 0x8000;
/** A broken device is tried for this many actions, then restarted so that the rest is not wasted on it. */
const BROKEN_ACTIONS = 2;
const MAX_REQUEST_BYTES = 0x4000;
/** A turn is bounded to few milliseconds of work; more than this is a hang. */
const MAX_TURN_MS = 1000;

/** A device under test: how it is made, fed by its host and driven rightly. */
interface Subject {
  device: VirtioDevice;
  /** Something the host does with it, chosen by a number. */
  host(choice: number): void;
  /** A request a driver might make, well formed or nearly so, of random bytes. */
  requests: fc.Arbitrary<{ queue: number; segments: Segment[] }>;
  /** Proves that it works with a driver that has just started it. */
  check(driver: GuestDriver): Promise<void>;
}

// ---- What a hostile driver does -------------------------------------------------------------

type Action = (world: World) => void | Promise<void>;

interface World {
  machine: TestMachine;
  driver: GuestDriver;
  subject: Subject;
  oracle: WriteOracle;
}

const address = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: BUFFERS, max: RAM_END - 0x1000 }).map(BigInt) },
  { weight: 1, arbitrary: fc.integer({ min: RAM_START, max: BUFFERS }).map(BigInt) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
);
const length = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 600 }) },
  { weight: 1, arbitrary: fc.constantFrom(16, 44, 45, 512, 4096) },
  { weight: 1, arbitrary: fc.constantFrom(0, 0x1_0000, 0x7fff_ffff, 0xffff_ffff) },
);
/** Ranges that end or begin at an end of RAM, or cross it by little. */
const edgeRange = fc
  .tuple(
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: -2, max: 2 }),
    fc.constantFrom(RAM_START, RAM_END),
    fc.boolean(),
  )
  .map(([size, shift, edge, before]) => ({ address: edge + shift - (before ? size : 0), length: size }));
/** A change of one field of a descriptor, given where it is. */
type Spoiling = (view: DataView, descriptor: number) => void;
const spoiling: fc.Arbitrary<Spoiling> = fc.oneof(
  edgeRange.map(
    ({ address: at, length: size }): Spoiling =>
      (view, descriptor) => {
        view.setUint32(descriptor, at, true);
        view.setUint32(descriptor + 8, size, true);
      },
  ),
  fc.nat(0xffff_ffff).map(
    (high): Spoiling =>
      (view, descriptor) =>
        view.setUint32(descriptor + 4, high, true),
  ),
  length.map(
    (size): Spoiling =>
      (view, descriptor) =>
        view.setUint32(descriptor + 8, size, true),
  ),
  fc.nat(7).map(
    (flags): Spoiling =>
      (view, descriptor) =>
        view.setUint16(descriptor + 12, flags, true),
  ),
  fc.tuple(fc.constantFrom(NEXT, NEXT | WRITE, NEXT | INDIRECT), fc.oneof(fc.nat(20), fc.nat(0xffff))).map(
    ([flags, next]): Spoiling =>
      (view, descriptor) => {
        view.setUint16(descriptor + 12, flags, true);
        view.setUint16(descriptor + 14, next, true);
      },
  ),
);
const index = fc.oneof({ weight: 6, arbitrary: fc.nat(7) }, { weight: 1, arbitrary: fc.nat(0xffff) });
const plainFlags = fc.constantFrom(0, NEXT, WRITE, NEXT | WRITE);
const queueIndex = fc.nat(2);

function withQueue(action: (queue: DriverQueue, world: World) => void, number: number): Action {
  return (world) => {
    const queue = world.driver.queues[number];
    if (queue !== undefined) world.oracle.expectWrites(() => action(queue, world));
  };
}

const describeBuffer = fc
  .tuple(queueIndex, index, address, length, plainFlags, index)
  .map(([number, slot, at, size, flags, next]) =>
    withQueue((queue) => queue.describe(queue.descriptors, slot % queue.size, at, size, flags, next), number),
  );

const describeTable = fc
  .tuple(
    queueIndex,
    index,
    fc.nat(63),
    fc.oneof(
      fc.nat(8).map((n) => 16 * n),
      length,
    ),
    fc.nat(7),
  )
  .map(([number, slot, table, size, extra]) =>
    withQueue(
      (queue) =>
        queue.describe(
          queue.descriptors,
          slot % queue.size,
          TABLES + 16 * table,
          size,
          INDIRECT | (extra & 3),
          0,
        ),
      number,
    ),
  );

const fillTable = fc
  .tuple(fc.nat(63), address, length, fc.oneof({ weight: 9, arbitrary: plainFlags }, fc.nat(0xffff)), index)
  .map(([slot, at, size, flags, next]) =>
    withQueue((queue) => queue.describe(TABLES, slot, at, size, flags, next), 0),
  );

const publish = fc
  .tuple(queueIndex, index)
  .map(([number, head]) => withQueue((queue) => queue.publish(head), number));

const setAvailable = fc
  .tuple(queueIndex, fc.oneof(fc.nat(20), fc.nat(0xffff)))
  .map(([number, value]) => withQueue((queue) => queue.setAvailableIndex(value), number));

const poke = fc.tuple(fc.nat(RAM_SIZE - 8), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(
  ([at, bytes]): Action =>
    ({ machine, oracle }) =>
      oracle.expectWrites(() => machine.ram.set(bytes, at)),
);

const queueRegister = fc
  .tuple(queueIndex, fc.constantFrom(Q_NUM, Q_READY, Q_DESC, Q_DESC + 4, Q_DRIVER, Q_DEVICE))
  .map(([number, register]) => V_QUEUES + number * V_QUEUE_STRIDE + register);
const setRegister = fc
  .tuple(
    fc.oneof(queueRegister, fc.constantFrom(V_STATUS, V_DRIVER_FEATURES, V_DRIVER_FEATURES + 4)),
    fc.oneof(
      fc.nat(16),
      fc.nat(0xffff_ffff),
      fc.nat(0xff).map((page) => RAM_START + 0x400 * page),
    ),
  )
  .map(
    ([register, value]): Action =>
      ({ driver }) =>
        driver.store(register, value),
  );

const notify = fc.nat(7).map(
  (number): Action =>
    ({ driver, oracle }) => {
      oracle.noteGrants();
      driver.notify(number);
    },
);

const tick: Action = async ({ oracle }) => {
  oracle.noteGrants();
  await new Promise((resolve) => setImmediate(resolve));
};

/** Ends a run of the driver: nothing granted in it may be written any more. */
async function reset({ driver, oracle }: World): Promise<void> {
  await driver.writeStatus(0);
  expect(oracle.verdict()).toBeUndefined();
}

const restart: Action = async (world) => {
  await reset(world);
  await world.driver.start();
  world.oracle.rebase();
};

const ringAddress = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.nat(0x7ff), fc.constantFrom(0, 0, 0, 0, 0, 0, 8, 2, 1))
      .map(([n, odd]) => RAM_START + 16 * n + odd),
  },
  { weight: 1, arbitrary: fc.integer({ min: RAM_END - 64, max: RAM_END + 64 }) },
  { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
);
/** A driver that sets up queues anyhow and starts the device on them. */
const wildStart = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(2, 4, 8, 0, 3, 512), ringAddress, ringAddress, ringAddress), {
      maxLength: 3,
    }),
    fc.constantFrom(0, 0x3000_0000, 0x1000_0000, 0xffff_ffff),
    fc.constantFrom(0x0f, 0x0f, 0x0f, 0x07, 0xff),
  )
  .map(
    ([queues, features, status]): Action =>
      async (world) => {
        await reset(world);
        const { driver, oracle } = world;
        driver.store(V_DRIVER_FEATURES, features);
        driver.store(V_DRIVER_FEATURES + 4, 1);
        for (const [number, [size, descriptors, available, used]] of queues.entries()) {
          const words = V_QUEUES + number * V_QUEUE_STRIDE;
          driver.store(words + Q_NUM, size);
          driver.store(words + Q_DESC, descriptors);
          driver.store(words + Q_DRIVER, available);
          driver.store(words + Q_DEVICE, used);
          driver.store(words + Q_READY, 1);
        }
        oracle.rebase();
        await driver.writeStatus(status);
      },
  );

const host = fc.nat(1000).map(
  (choice): Action =>
    ({ subject, oracle }) => {
      oracle.noteGrants();
      subject.host(choice);
    },
);

/** Takes what the device completed; of chains that no `add` made, the driver knows nothing. */
function collect(queue: DriverQueue): void {
  try {
    queue.completions();
  } catch {
    collect(queue);
  }
}

function actions(requests: Subject['requests']): fc.Arbitrary<Action[]> {
  const spoilt = fc.oneof(
    { weight: 8, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.tuple(fc.nat(), spoiling) },
  );
  const request = fc.tuple(requests, fc.boolean(), spoilt).map(
    ([{ queue: number, segments }, indirect, spoil]): Action =>
      (world) => {
        const queue = world.driver.queues[number];
        if (queue === undefined) return;
        world.oracle.expectWrites(() => {
          collect(queue);
          if (queue.freeDescriptors < segments.length || world.machine.room < MAX_REQUEST_BYTES) return;
          const { descriptors } = queue.add(segments, indirect);
          if (spoil === null) return;
          const [which, change] = spoil;
          change(
            world.machine.view,
            world.machine.hostAddress(descriptors[which % descriptors.length] as number),
          );
        });
        world.oracle.noteGrants();
        world.driver.notify(number);
      },
  );
  return fc.array(
    fc.oneof(
      { weight: 24, arbitrary: request },
      { weight: 4, arbitrary: describeBuffer },
      { weight: 1, arbitrary: describeTable },
      { weight: 2, arbitrary: fillTable },
      { weight: 2, arbitrary: publish },
      { weight: 3, arbitrary: notify },
      { weight: 4, arbitrary: fc.constant(tick) },
      { weight: 5, arbitrary: host },
      { weight: 1, arbitrary: setAvailable },
      { weight: 1, arbitrary: poke },
      { weight: 1, arbitrary: setRegister },
      { weight: 2, arbitrary: fc.constant(restart) },
      { weight: 1, arbitrary: wildStart },
    ),
    { maxLength: 40 },
  );
}

// ---- The devices ----------------------------------------------------------------------------

const bytes = fc.uint8Array({ minLength: 1, maxLength: 700 });
const anySegments = fc.tuple(
  fc.array(bytes, { maxLength: 3 }),
  fc.array(
    length.map((n) => (n % 2000) + 1),
    { maxLength: 3 },
  ),
);
const anyRequest = (queues: number) =>
  fc.record({
    queue: fc.nat(queues - 1),
    segments: anySegments
      .filter(([read, write]) => read.length + write.length > 0)
      .map(([read, write]): Segment[] => [...read, ...write]),
  });

function consoleSubject(machine: TestMachine): Subject {
  const output: Uint8Array[] = [];
  let calls = 0;
  const device = new ConsoleDevice(machine.memory, 0, {
    columns: 80,
    rows: 24,
    onOutput: (chunk) => {
      output.push(chunk);
      return ++calls % 3 === 0 ? new Promise<void>((resolve) => setImmediate(resolve)) : undefined;
    },
  });
  return {
    device,
    host: (choice) => {
      if (choice % 4 === 0) device.resize(choice, choice);
      else void device.write(pattern(choice));
    },
    requests: anyRequest(2),
    check: async (driver) => {
      await driver.transact(1, [pattern(100, 7)]);
      expect(Buffer.concat(output).subarray(-100)).toEqual(Buffer.from(pattern(100, 7)));
      void device.write(pattern(50, 3));
      const queue = driver.queue(0);
      for (let i = 0; i < 8; i++) queue.add([8192]);
      driver.notify(0);
      await new Promise((resolve) => setImmediate(resolve));
      const input = Buffer.concat(queue.completions().map((done) => queue.received(done)));
      expect(input.subarray(-50)).toEqual(Buffer.from(pattern(50, 3)));
    },
  };
}

function rngSubject(machine: TestMachine): Subject {
  return {
    device: new RngDevice(machine.memory, 0),
    host: () => {},
    requests: anyRequest(1),
    check: async (driver) => expect(await driver.transact(0, [64, 64])).toHaveLength(128),
  };
}

/** A disk that is sometimes slow and sometimes fails. */
class MoodyBackend implements BlockBackend {
  readonly readOnly = false;
  healthy = false;
  #operations = 0;
  readonly #disk = new MemoryBlockBackend(256 << 10);
  readonly sizeBytes = this.#disk.sizeBytes;

  read(offset: number, into: Uint8Array[]): void | Promise<void> {
    return this.#moody(() => this.#disk.read(offset, into));
  }

  write(offset: number, from: Uint8Array[]): void | Promise<void> {
    return this.#moody(() => this.#disk.write(offset, from));
  }

  flush(): void | Promise<void> {
    return this.#moody(() => this.#disk.flush());
  }

  discard(offset: number, size: number): void | Promise<void> {
    return this.#moody(() => this.#disk.discard(offset, size));
  }

  #moody(operation: () => void): void | Promise<void> {
    const mood = this.healthy ? 0 : ++this.#operations % 5;
    if (mood === 4) throw new Error('failed at once');
    if (mood < 2) return operation();
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        operation();
        if (mood === 2) resolve();
        else reject(new Error('failed in the end'));
      });
    });
  }
}

function blockSubject(machine: TestMachine): Subject {
  const backend = new MoodyBackend();
  const words = (...values: number[]) => new Uint8Array(new Uint32Array(values).buffer);
  const sector = fc.oneof(
    { weight: 8, arbitrary: fc.nat(500) },
    { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
  );
  const sectorHigh = fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1);
  const size = fc.constantFrom(512, 512, 512, 1024, 4096, 100);
  const range = fc
    .tuple(fc.nat(520), fc.nat(300), fc.constantFrom(0, 0, 0, 1, 2))
    .map(([start, count, flags]) => words(start, 0, count, flags));
  /** Type of request and what lies between its header and its status. */
  const body = fc.oneof(
    { weight: 6, arbitrary: size.map((n): [number, Segment[]] => [0, [n]]) },
    { weight: 6, arbitrary: size.map((n): [number, Segment[]] => [1, [pattern(n)]]) },
    { weight: 1, arbitrary: fc.constant([4, []] as [number, Segment[]]) },
    { weight: 1, arbitrary: fc.constant([8, [20]] as [number, Segment[]]) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom(11, 13), fc.array(range, { maxLength: 3 })) as fc.Arbitrary<
        [number, Segment[]]
      >,
    },
    { weight: 1, arbitrary: fc.tuple(fc.nat(99), size).map(([type, n]): [number, Segment[]] => [type, [n]]) },
  );
  const wellFramed = fc
    .tuple(body, sector, sectorHigh, fc.constantFrom(...Array(15).fill(1), 3, 0))
    .map(([[type, data], low, high, status]) => ({
      queue: 0,
      segments: [words(type, 0, low, high), ...data, ...(status === 0 ? [] : [status])] as Segment[],
    }));
  return {
    device: new BlockDevice(machine.memory, 0, backend, 'fuzz'),
    host: () => {},
    requests: fc.oneof({ weight: 30, arbitrary: wellFramed }, { weight: 1, arbitrary: anyRequest(1) }),
    check: async (driver) => {
      backend.healthy = true;
      const head = (type: number) => new Uint8Array([type, ...new Uint8Array(15)]);
      expect(await driver.transact(0, [head(1), pattern(512, 5), 1])).toEqual(new Uint8Array([0]));
      expect(await driver.transact(0, [head(0), 512, 1])).toEqual(new Uint8Array([...pattern(512, 5), 0]));
    },
  };
}

const LISTENED = 1024;

function vsockSubject(machine: TestMachine): Subject {
  const device = new VsockDevice(machine.memory, 0, 3);
  const streams: VsockStream[] = [];
  const ignore = () => {};
  const habits: ((stream: VsockStream) => void)[] = [
    ignore,
    (stream) => void stream.readable.pipeTo(new WritableStream()).catch(ignore),
    (stream) => void stream.readable.pipeTo(stream.writable).catch(ignore),
    (stream) => void stream.readable.cancel().catch(ignore),
    (stream) => void stream.writable.abort().catch(ignore),
    (stream) => {
      const writer = stream.writable.getWriter();
      writer.write(pattern(5000)).catch(ignore);
      writer.close().catch(ignore);
    },
    (stream) => void stream.readable.getReader().read().catch(ignore),
  ];
  const treat = (stream: VsockStream, choice: number) => {
    try {
      habits[choice % habits.length]?.(stream);
    } catch {
      // Its reader or writer is taken already.
    }
  };
  device.listen(LISTENED, (stream) => {
    streams.push(stream);
    treat(stream, streams.length);
  });
  const packet = fc
    .record({
      sourceCid: fc.constantFrom(...Array(30).fill(3), 2, 2 ** 32 + 3),
      destinationCid: fc.constantFrom(...Array(30).fill(2), 3, 2 ** 32 + 2),
      sourcePort: fc.nat(2),
      destinationPort: fc.constantFrom(LISTENED, LISTENED, LISTENED, LISTENED, 7, 2 ** 30, 2 ** 30 + 1),
      type: fc.constantFrom(...Array(20).fill(1), 2, 0),
      op: fc.constantFrom(0, 1, 1, 1, 1, 1, 2, 2, 3, 4, 4, 4, 5, 5, 5, 5, 6, 7, 8, 0xffff),
      flags: fc.constantFrom(0, 1, 2, 3, 0xffff_ffff),
      bufferSize: fc.constantFrom(0, 10, 4096, 1 << 20, 1 << 20, 1 << 20, 0xffff_ffff),
      forwarded: fc.constantFrom(0, 0, 0, 1, 10, 5000, 0xffff_ffff),
    })
    .chain((fields) =>
      fc
        .tuple(fc.nat(3000), fc.constantFrom(...Array(20).fill(0), 1, -1, 0xffff_0000), fc.nat(40))
        .map(([size, lie, cut]) => {
          const header = new VsockHeader();
          Object.assign(header, fields, { length: Math.max(size + lie, 0) });
          const whole = new Uint8Array([...header.bytes, ...pattern(size)]);
          const segments =
            cut === 0 || cut >= whole.length ? [whole] : [whole.slice(0, cut), whole.slice(cut)];
          return { queue: 1, segments: segments as Segment[] };
        }),
    );
  const receiveBuffer = fc.constant({ queue: 0, segments: [4096] as Segment[] });
  return {
    device,
    host: (choice) => {
      const stream = streams[choice % Math.max(streams.length, 1)];
      if (choice % 5 === 0) device.connect(choice % 3).then((opened) => treat(opened, choice), ignore);
      else if (stream !== undefined) treat(stream, choice);
    },
    requests: fc.oneof(
      { weight: 24, arbitrary: packet },
      { weight: 12, arbitrary: receiveBuffer },
      { weight: 1, arbitrary: anyRequest(3) },
    ),
    check: async (driver) => {
      for (let i = 0; i < 4; i++) driver.queue(0).add([4096]);
      const header = new VsockHeader();
      const fields = { sourceCid: 3, destinationCid: 2, sourcePort: 99, destinationPort: LISTENED, type: 1 };
      Object.assign(header, fields, { op: OP_REQUEST });
      const opened = streams.length;
      await driver.transact(1, [header.bytes]);
      expect(streams).toHaveLength(opened + 1);
      const [reply] = driver.queue(0).completions();
      expect(reply).toBeDefined();
      const answer = new VsockHeader();
      answer.bytes.set(
        driver
          .queue(0)
          .received(reply as NonNullable<typeof reply>)
          .subarray(0, HEADER_SIZE),
      );
      expect([OP_RESPONSE, 3]).toContain(answer.op);
    },
  };
}

// ---- The campaign ---------------------------------------------------------------------------

async function attempt(make: (machine: TestMachine) => Subject, sequence: Action[]): Promise<void> {
  const machine = new TestMachine(RAM_SIZE);
  const subject = make(machine);
  const driver = new GuestDriver(machine, subject.device);
  await driver.start();
  const oracle = new WriteOracle(driver);
  const world = { machine, driver, subject, oracle };
  let broken = 0;
  for (const action of sequence) {
    const began = performance.now();
    await action(world);
    expect(performance.now() - began).toBeLessThan(MAX_TURN_MS);
    broken = subject.device.state.phase === 'broken' ? broken + 1 : 0;
    if (broken > BROKEN_ACTIONS) await restart(world);
  }
  await tick(world);
  await restart(world);
  await subject.check(driver);
}

describe('whatever a driver does, a device writes only what it was granted, and works after a reset', () => {
  test.each([
    ['console', consoleSubject],
    ['rng', rngSubject],
    ['block', blockSubject],
    ['vsock', vsockSubject],
  ])(
    '%s',
    async (_name, make) => {
      const { requests } = make(new TestMachine(RAM_SIZE));
      await fc.assert(
        fc.asyncProperty(actions(requests), (sequence) => attempt(make, sequence)),
        { numRuns: RUNS },
      );
    },
    RUNS * 1000,
  );
});

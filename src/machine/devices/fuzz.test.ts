import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BlockBackend, MemoryBlockBackend } from '../../disk/block-backend.ts';
import { MemoryFolder } from '../../folders/memory-folder.ts';
import type { Card } from '../../network/network.ts';
import { BlockDevice } from './block/device.ts';
import { ConsoleDevice } from './console/device.ts';
import { ATTR_OUT_SIZE, GETATTR } from './fs/fuse.ts';
import { FIRST_FILE } from './fs/nodes.ts';
import { fuseRequest } from './fs/testing/requests.ts';
import { deviceOf } from './fs/testing/served-device.ts';
import type { DeviceKind } from './index.ts';
import { NetDevice } from './net/device.ts';
import { RngDevice } from './rng/device.ts';
import { pattern, type Segment, type TestMachine } from './testing/guest-driver.ts';
import {
  type HostileRequest,
  hostileActions,
  newMachine,
  type Subject,
  withstand,
} from './testing/hostile-driver.ts';
import { VsockDevice, type VsockStream } from './vsock/device.ts';
import { HEADER_SIZE, OP_REQUEST, OP_RESPONSE, OP_RST, VsockHeader } from './vsock/packet.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 60);

/** Mostly `value`, sometimes one of `others`. */
function mostly<T>(value: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 15, arbitrary: fc.constant(value) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

/** Arbitrary buffers, readable ones before writable ones. */
function anyRequest(queues: number): fc.Arbitrary<HostileRequest[]> {
  const read = fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { maxLength: 3 });
  const write = fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 3 });
  return fc
    .tuple(fc.nat(queues - 1), read, write)
    .map(([queue, readable, writable]) => ({ queue, segments: [...readable, ...writable] }))
    .filter(({ segments }) => segments.length > 0)
    .map((request) => [request]);
}

function consoleSubject(machine: TestMachine): Subject {
  const output: Uint8Array[] = [];
  let calls = 0;
  const device = new ConsoleDevice(machine.memory, 0, {
    size: { columns: 80, rows: 24 },
    onOutput: (chunk) => {
      output.push(chunk);
      return ++calls % 3 === 0 ? new Promise<void>((resolve) => setImmediate(resolve)) : undefined;
    },
  });
  const receiveBuffer = fc.integer({ min: 1, max: 500 }).map((size) => [{ queue: 0, segments: [size] }]);
  return {
    device,
    host: (choice) => {
      if (choice % 4 === 0) device.resize({ columns: choice, rows: choice });
      else void device.write(pattern(choice));
    },
    requests: fc.oneof({ weight: 1, arbitrary: receiveBuffer }, { weight: 1, arbitrary: anyRequest(2) }),
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

/** A disk that is sometimes slow and sometimes fails, and notes invalid requests. */
class MoodyBackend implements BlockBackend {
  readonly readOnly = false;
  healthy = false;
  readonly offences: string[] = [];
  #operations = 0;
  readonly #disk = new MemoryBlockBackend(256 << 10);
  readonly sizeBytes = this.#disk.sizeBytes;

  read(offset: number, into: Uint8Array[]): void | Promise<void> {
    this.#watch(offset, total(into));
    return this.#moody(() => this.#disk.read(offset, into));
  }

  write(offset: number, from: Uint8Array[]): void | Promise<void> {
    this.#watch(offset, total(from));
    return this.#moody(() => this.#disk.write(offset, from));
  }

  flush(): void | Promise<void> {
    return this.#moody(() => this.#disk.flush());
  }

  discard(offset: number, size: number): void | Promise<void> {
    this.#watch(offset, size);
    return this.#moody(() => this.#disk.discard(offset, size));
  }

  #watch(offset: number, size: number): void {
    const sound = offset >= 0 && offset % 512 === 0 && size % 512 === 0 && offset + size <= this.sizeBytes;
    if (!sound) this.offences.push(`${size} bytes at ${offset}`);
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

function total(buffers: Uint8Array[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(values).buffer);
}

function blockSubject(machine: TestMachine): Subject {
  const backend = new MoodyBackend();
  const size = fc.constantFrom(512, 512, 512, 1024, 4096, 100);
  const range = fc
    .tuple(fc.nat(520), fc.nat(300), mostly(0, 1, 2))
    .map(([sector, sectors, flags]) => words(sector, 0, sectors, flags));
  const body = (type: fc.Arbitrary<number>, data: fc.Arbitrary<Segment[]>) => fc.tuple(type, data);
  const typeAndData = fc.oneof(
    {
      weight: 6,
      arbitrary: body(
        fc.constant(0),
        size.map((n) => [n]),
      ),
    },
    {
      weight: 6,
      arbitrary: body(
        fc.constant(1),
        size.map((n) => [pattern(n)]),
      ),
    },
    { weight: 1, arbitrary: body(fc.constant(4), fc.constant([])) },
    { weight: 1, arbitrary: body(fc.constant(8), fc.constant([20])) },
    { weight: 3, arbitrary: body(fc.constantFrom(11, 13), fc.array(range, { maxLength: 3 })) },
    {
      weight: 1,
      arbitrary: body(
        fc.nat(99),
        size.map((n) => [n]),
      ),
    },
  );
  const sector = fc.oneof(
    { weight: 8, arbitrary: fc.nat(500) },
    { weight: 1, arbitrary: fc.integer({ min: 505, max: 515 }) },
    { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
  );
  const request = fc
    .tuple(typeAndData, sector, mostly(0, 1, 0x8000_0000), mostly<number[]>([1], [], [3]))
    .map(([[type, data], low, high, status]) => [
      { queue: 0, segments: [words(type, 0, low, high), ...data, ...status] },
    ]);
  return {
    device: new BlockDevice(machine.memory, 0, backend, 'fuzz'),
    host: () => {},
    requests: fc.oneof({ weight: 30, arbitrary: request }, { weight: 1, arbitrary: anyRequest(1) }),
    check: async (driver) => {
      expect(backend.offences).toEqual([]);
      backend.healthy = true;
      expect(await driver.transact(0, [words(1, 0, 0, 0), pattern(512, 5), 1])).toEqual(new Uint8Array([0]));
      const reply = await driver.transact(0, [words(0, 0, 0, 0), 512, 1]);
      expect(reply).toEqual(new Uint8Array([...pattern(512, 5), 0]));
    },
  };
}

const LISTENED = 1024;
const FIRST_EPHEMERAL = 2 ** 30;

function vsockSubject(machine: TestMachine): Subject {
  const device = new VsockDevice(machine.memory, 0, 3);
  const streams: VsockStream[] = [];
  device.listen(LISTENED, (stream) => {
    streams.push(stream);
    treat(stream, streams.length);
  });
  return {
    device,
    host: (choice) => {
      const stream = streams[choice % Math.max(streams.length, 1)];
      if (choice % 4 === 0) {
        const opened = (made: VsockStream) => {
          streams.push(made);
          treat(made, choice);
        };
        device.connect(choice % 3).then(opened, () => {});
      } else if (stream !== undefined) {
        treat(stream, choice);
      }
    },
    requests: fc.oneof({ weight: 40, arbitrary: conversation }, { weight: 1, arbitrary: anyRequest(3) }),
    check: async (driver) => {
      for (let i = 0; i < 4; i++) driver.queue(0).add([4096]);
      const header = new VsockHeader();
      const address = { sourceCid: 3, destinationCid: 2, sourcePort: 99, destinationPort: LISTENED };
      Object.assign(header, address, { type: 1, op: OP_REQUEST });
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
      // The host's behaviour for this stream may have been to abort it.
      expect([OP_RESPONSE, OP_RST]).toContain(answer.op);
    },
  };
}

/** Behaviours of hosts with streams, good and bad. */
const HABITS: ((stream: VsockStream) => Promise<unknown> | undefined)[] = [
  () => undefined,
  ({ readable }) => readable.pipeTo(new WritableStream()),
  ({ readable, writable }) => readable.pipeTo(writable),
  ({ readable }) => readable.cancel(),
  ({ writable }) => writable.abort(),
  ({ writable }) => writable.close(),
  ({ writable }) => {
    const writer = writable.getWriter();
    void writer.write(pattern(1500)).catch(() => {});
    return writer.close();
  },
  async ({ readable }) => {
    const reader = readable.getReader();
    await reader.read();
    reader.releaseLock();
  },
];

function treat(stream: VsockStream, choice: number): void {
  try {
    HABITS[choice % HABITS.length]?.(stream)?.catch(() => {});
  } catch {
    // Another behaviour holds its reader or writer.
  }
}

const packet = fc.record({
  sourceCid: mostly(3, 2, 2 ** 32 + 3),
  destinationCid: mostly(2, 3, 2 ** 32 + 2),
  type: mostly(1, 2, 0),
  op: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(4, 5, 5, 6, 7) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 2, 3, 8, 0xffff) },
  ),
  flags: fc.constantFrom(0, 1, 2, 2, 3, 0xffff_ffff),
  bufferSize: fc.constantFrom(0, 10, 4096, 1 << 20, 1 << 20, 1 << 20, 0xffff_ffff),
  forwarded: mostly(0, 1, 10, 1500, 0xffff_ffff),
  payload: fc.nat(1000),
  lie: mostly(0, 1, -1, 0xffff_0000),
  cut: fc.nat(60),
});

/** Offers receive buffers, opens or answers a connection, and continues with it. */
const conversation: fc.Arbitrary<HostileRequest[]> = fc
  .record({
    buffers: fc.array(fc.integer({ min: 45, max: 600 }), { maxLength: 4, size: 'max' }),
    sourcePort: fc.nat(2),
    destinationPort: fc.oneof(mostly(LISTENED, 7), fc.constantFrom(FIRST_EPHEMERAL, FIRST_EPHEMERAL + 1)),
    opening: fc.constantFrom(OP_REQUEST, undefined, undefined),
    packets: fc.array(packet, { minLength: 1, maxLength: 4, size: 'max' }),
  })
  .map(({ buffers, sourcePort, destinationPort, opening, packets }) => [
    ...buffers.map((size) => ({ queue: 0, segments: [size] })),
    ...packets.map(({ payload, lie, cut, ...fields }, i) => {
      const header = new VsockHeader();
      const answer = destinationPort >= FIRST_EPHEMERAL ? OP_RESPONSE : opening;
      const op = (i === 0 ? answer : undefined) ?? fields.op;
      Object.assign(header, fields, { sourcePort, destinationPort, op, length: Math.max(payload + lie, 0) });
      const whole = new Uint8Array([...header.bytes, ...pattern(payload)]);
      return {
        queue: 1,
        segments: cut === 0 || cut >= whole.length ? [whole] : [whole.slice(0, cut), whole.slice(cut)],
      };
    }),
  ]);

const NET_HEADER = 12;
/** The largest frame that fits in the memory of the test's machine with its buffers. */
const NET_FRAME = 3000;

const MRG_RXBUF = 1 << 15;

/** A network that answers each frame with one of the same bytes, and sends others by itself. */
function netSubject(machine: TestMachine, isMerging = true): Subject {
  const received: Uint8Array[] = [];
  const cards: Card[] = [];
  const device = new NetDevice(machine.memory, 0, {
    mac: new Uint8Array(6),
    mtu: 1500,
    offloads: true,
    openNetwork: (card) => {
      cards.push(card);
      return {
        receive: (frame) => {
          received.push(frame);
          card.deliver(frame);
        },
        resume: () => {},
        close: () => {},
      };
    },
  });
  // Without merging, a frame needs one buffer, which may have several parts.
  const receiveBuffers = fc
    .array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 6 })
    .map((sizes) =>
      isMerging ? sizes.map((size) => ({ queue: 0, segments: [size] })) : [{ queue: 0, segments: sizes }],
    );
  const frame = fc
    .tuple(fc.uint8Array({ minLength: 10, maxLength: 14 }), fc.nat(NET_FRAME))
    .map(([header, length]) => [{ queue: 1, segments: [header, pattern(length + 1)] }]);
  return {
    device,
    without: isMerging ? 0 : MRG_RXBUF,
    host: (choice) => cards[0]?.deliver(pattern(choice * 3)),
    requests: fc.oneof(
      { weight: 4, arbitrary: receiveBuffers },
      { weight: 4, arbitrary: frame },
      { weight: 1, arbitrary: anyRequest(2) },
    ),
    check: async (driver) => {
      const sizes = isMerging ? [100, 100, 100, 100] : [400];
      for (const size of sizes) driver.queue(0).add([size]);
      await driver.transact(1, [new Uint8Array(NET_HEADER), pattern(200, 9)]);
      expect(received.at(-1)).toEqual(pattern(200, 9));
      await new Promise((resolve) => setImmediate(resolve));
      const queue = driver.queue(0);
      const parts = queue.completions().map((done) => queue.received(done));
      expect(parts.map(({ length }) => length)).toEqual(isMerging ? [100, 100, 12] : [212]);
      expect(Buffer.concat(parts).subarray(NET_HEADER)).toEqual(Buffer.from(pattern(200, 9)));
    },
  };
}

const OPCODES = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27];
const FURTHER_OPCODES = [28, 29, 30, 35, 38, 42, 43, 44, 45, 47, 50, 99];

/** A folder in memory. Requests name files and handles that exist, those that do not, and anything. */
function fsSubject(machine: TestMachine): Subject {
  const device = deviceOf(new MemoryFolder({ limit: 1 << 20 }), machine);
  const number = fc.oneof(
    fc.bigInt(0n, 4n),
    fc.bigInt(FIRST_FILE, FIRST_FILE + 4n),
    fc.bigInt(0n, 2n ** 64n - 1n),
  );
  const word = fc.oneof(
    fc.nat(4),
    fc.constantFrom(0o100644, 0o40755, 4096),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  );
  const name = fc.constantFrom('a\0', 'b\0', '.\0', '..\0', 'a/b\0', '\0', 'no end', `${'n'.repeat(300)}\0`);
  const part = fc.oneof(
    number.map((value) => new Uint8Array(BigUint64Array.of(value).buffer)),
    word.map((value) => new Uint8Array(Uint32Array.of(value).buffer)),
    name.map((text) => new TextEncoder().encode(text)),
    fc.uint8Array({ maxLength: 100 }),
  );
  const request = fc
    .tuple(
      fc.constantFrom(...OPCODES, ...FURTHER_OPCODES),
      number,
      fc.array(part, { maxLength: 12 }),
      fc.constantFrom(0, 15, 16, 24, 120, 176, 4096),
      fc.boolean(),
      fc.integer({ min: -3, max: 3 }).map((lie) => (Math.abs(lie) === 3 ? lie : 0)),
    )
    .map(([opcode, node, parts, room, isUrgent, lie]) => {
      const bytes = fuseRequest(opcode, node, Buffer.concat(parts), lie);
      return [{ queue: isUrgent ? 0 : 1, segments: room > 0 ? [bytes, room] : [bytes] }];
    });
  return {
    device,
    host: () => {},
    requests: fc.oneof({ weight: 8, arbitrary: request }, { weight: 1, arbitrary: anyRequest(2) }),
    check: async (driver) => {
      const reply = await driver.transact(1, [
        fuseRequest(GETATTR, 2n, new Uint8Array(16)),
        16 + ATTR_OUT_SIZE,
      ]);
      expect(new DataView(reply.buffer).getInt32(4, true)).toBe(0);
    },
  };
}

/** The compiler requires one for each kind of device. */
const SUBJECTS: Record<DeviceKind, (machine: TestMachine) => Subject> = {
  console: consoleSubject,
  rng: rngSubject,
  fs: fsSubject,
  net: (machine) => netSubject(machine),
  block: blockSubject,
  vsock: vsockSubject,
};

describe('a device with a hostile driver writes only granted memory, and works after a reset', () => {
  test.each([
    ...Object.entries(SUBJECTS),
    ['net without merged buffers', (machine: TestMachine) => netSubject(machine, false)] as const,
  ])(
    '%s',
    async (_name, make) => {
      const { requests } = make(newMachine());
      await fc.assert(
        fc.asyncProperty(hostileActions(requests), (sequence) => withstand(make, sequence)),
        { numRuns: RUNS },
      );
    },
    10_000 + RUNS * 1000,
  );
});

import fc from 'fast-check';
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
  VIRTIO_FILE_SIZE,
} from '../../../../emulator-wasm/layout.ts';
import { MachineError } from '../../errors.ts';
import type { Plain } from '../../state.ts';
import { anyDamage } from '../../testing/damage.ts';
import type { VirtioDevice } from '../virtio/virtio-device.ts';
import {
  type DriverQueue,
  GuestDriver,
  INDIRECT,
  NEXT,
  type Segment,
  TestMachine,
  WRITE,
} from './guest-driver.ts';
import { WriteOracle } from './write-oracle.ts';

const RAM_SIZE = 128 << 10;
const RAM_END = RAM_START + RAM_SIZE;
/** RAM holds first the rings, then indirect tables, then buffers. */
const TABLES = RAM_START + 0x4000;
const BUFFERS = RAM_START + 0x8000;
const MAX_REQUEST_BYTES = 0x2000;
/** A broken device gets this number of actions, then a restart, so that it does not absorb the rest. */
const BROKEN_ACTIONS = 2;
/** A turn takes at most a few milliseconds of work; more processor time than this is a hang. */
const MAX_ACTION_MS = 2000;

export interface HostileRequest {
  queue: number;
  segments: Segment[];
}

/** A device under test, with its host and its driver. */
export interface Subject {
  device: VirtioDevice;
  /** Feature bits that the driver does not accept. */
  without?: number;
  /** An action of the host, chosen by a number. */
  host(choice: number): void;
  /** Requests that a driver might make one after the other, well formed or almost. */
  requests: fc.Arbitrary<HostileRequest[]>;
  /** Throws unless the device works for a driver that has just started it. */
  check(driver: GuestDriver): Promise<void>;
}

interface World {
  machine: TestMachine;
  /** Makes a device of the same kind on the machine's memory. */
  make(machine: TestMachine): Subject;
  driver: GuestDriver;
  subject: Subject;
  oracle: WriteOracle;
}

/** An action of the driver or the host. */
export interface Action {
  label: string;
  run(world: World): void | Promise<void>;
}

/** fast-check prints an action with this. Seed and path replay a failure. */
function printed(action: Action): Action {
  return Object.assign(action, { [fc.toStringMethod]: () => action.label });
}

function summary({ queue, segments }: HostileRequest): string {
  const parts = segments.map((segment) => {
    if (typeof segment === 'number') return `write ${segment}`;
    return segment instanceof Uint8Array ? `read ${segment.length}` : `${segment.address}, ${segment.length}`;
  });
  return `queue ${queue}: ${parts.join(', ')}`;
}

// ---- Values ---------------------------------------------------------------------------------

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
const index = fc.oneof({ weight: 6, arbitrary: fc.nat(7) }, { weight: 1, arbitrary: fc.nat(0xffff) });
const queueNumber = fc.nat(2);
const plainFlags = fc.constantFrom(0, NEXT, WRITE, NEXT | WRITE);
/** Ranges that end or begin at an end of RAM, or cross it slightly. */
const edgeRange = fc
  .tuple(
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: -2, max: 2 }),
    fc.constantFrom(RAM_START, RAM_END),
    fc.boolean(),
  )
  .map(([size, shift, edge, before]) => ({ address: edge + shift - (before ? size : 0), length: size }));

// ---- Requests, valid or damaged -------------------------------------------------------------

/** Changes one field of the descriptor at an address. */
type Spoiling = (view: DataView, descriptor: number) => void;

function spoiling<T>(values: fc.Arbitrary<T>, change: (view: DataView, at: number, value: T) => void) {
  return values.map(
    (value): Spoiling =>
      (view, at) =>
        change(view, at, value),
  );
}

const anySpoiling = fc.oneof(
  spoiling(edgeRange, (view, at, range) => {
    view.setUint32(at, range.address, true);
    view.setUint32(at + 8, range.length, true);
  }),
  spoiling(fc.nat(0xffff_ffff), (view, at, high) => view.setUint32(at + 4, high, true)),
  spoiling(length, (view, at, size) => view.setUint32(at + 8, size, true)),
  spoiling(fc.nat(7), (view, at, flags) => view.setUint16(at + 12, flags, true)),
  spoiling(
    fc.tuple(fc.constantFrom(NEXT, NEXT | WRITE, NEXT | INDIRECT), fc.oneof(fc.nat(20), fc.nat(0xffff))),
    (view, at, [flags, next]) => {
      view.setUint16(at + 12, flags, true);
      view.setUint16(at + 14, next, true);
    },
  ),
);

/**
 * Takes the completions of the device, and of chains that `add` did not make: a changed index of the ring
 * announces up to 65535 of them.
 */
const collect = (queue: DriverQueue) => queue.completions(1, () => {});

function makeRequest(
  { machine, driver, oracle }: World,
  request: HostileRequest,
  indirect: boolean,
  spoil?: [number, Spoiling],
) {
  const queue = driver.queues[request.queue];
  if (queue === undefined) return;
  oracle.expectWrites(() => {
    collect(queue);
    if (queue.freeDescriptors < request.segments.length || machine.room < MAX_REQUEST_BYTES) return;
    const { descriptors } = queue.add(request.segments, indirect);
    if (spoil === undefined) return;
    const [which, change] = spoil;
    change(machine.view, machine.hostAddress(descriptors[which % descriptors.length] as number));
  });
  driver.notify(request.queue);
}

function requestActions(requests: Subject['requests']): fc.Arbitrary<Action> {
  return fc
    .tuple(
      requests,
      fc.boolean(),
      fc.oneof(
        { weight: 9, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.tuple(fc.nat(), anySpoiling) },
      ),
    )
    .map(([series, indirect, spoil]) => ({
      label: `${spoil ? 'spoilt' : 'sound'} requests (${series.map(summary).join('; ')})`,
      run: (world) => {
        for (const request of series) makeRequest(world, request, indirect, spoil);
      },
    }));
}

// ---- Rings and registers --------------------------------------------------------------------

function onQueue(label: string, number: number, action: (queue: DriverQueue) => void): Action {
  return {
    label: `queue ${number}: ${label}`,
    run: ({ driver, oracle }) => {
      const queue = driver.queues[number];
      if (queue !== undefined) oracle.expectWrites(() => action(queue));
    },
  };
}

const describeBuffer = fc
  .tuple(queueNumber, index, address, length, plainFlags, index)
  .map(([number, slot, at, size, flags, next]) =>
    onQueue(`descriptor ${slot} = ${at}, ${size}, ${flags}, ${next}`, number, (queue) =>
      queue.describe(queue.descriptors, slot % queue.size, at, size, flags, next),
    ),
  );

const tableLength = fc.oneof(
  fc.nat(8).map((entries) => 16 * entries),
  length,
);
const describeTable = fc
  .tuple(queueNumber, index, fc.nat(63), tableLength, fc.nat(3))
  .map(([number, slot, table, size, extra]) =>
    onQueue(`descriptor ${slot} = table ${table}, ${size}, ${extra}`, number, (queue) =>
      queue.describe(
        queue.descriptors,
        slot % queue.size,
        TABLES + 16 * table,
        size,
        INDIRECT | (extra & NEXT),
        0,
      ),
    ),
  );

const fillTable = fc
  .tuple(fc.nat(63), address, length, plainFlags, index)
  .map(([slot, at, size, flags, next]) =>
    onQueue(`table entry ${slot} = ${at}, ${size}, ${flags}, ${next}`, 0, (queue) =>
      queue.describe(TABLES, slot, at, size, flags, next),
    ),
  );

const publish = fc
  .tuple(queueNumber, index)
  .map(([number, head]) => onQueue(`publish ${head}`, number, (queue) => queue.publish(head)));

const setAvailable = fc
  .tuple(queueNumber, fc.oneof(fc.nat(20), fc.nat(0xffff)))
  .map(([number, value]) =>
    onQueue(`available index = ${value}`, number, (queue) => queue.setAvailableIndex(value)),
  );

const poke = fc.tuple(fc.nat(RAM_SIZE - 8), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(
  ([at, bytes]): Action => ({
    label: `poke ${at} = ${bytes}`,
    run: ({ machine, oracle }) => oracle.expectWrites(() => machine.ram.set(bytes, at)),
  }),
);

const queueRegister = fc
  .tuple(queueNumber, fc.constantFrom(Q_NUM, Q_READY, Q_DESC, Q_DESC + 4, Q_DRIVER, Q_DEVICE))
  .map(([number, register]) => V_QUEUES + number * V_QUEUE_STRIDE + register);
const setRegister = fc
  .tuple(
    fc.oneof(queueRegister, fc.constantFrom(V_STATUS, V_DRIVER_FEATURES, V_DRIVER_FEATURES + 4)),
    fc.oneof(
      fc.nat(16),
      fc.nat(0xffff_ffff),
      fc.nat(0x7f).map((page) => RAM_START + 0x400 * page),
    ),
  )
  .map(
    ([register, value]): Action => ({
      label: `register ${register} = ${value}`,
      run: ({ driver }) => driver.store(register, value),
    }),
  );

const notify = fc.nat(7).map(
  (number): Action => ({
    label: `notify ${number}`,
    run: ({ driver }) => driver.notify(number),
  }),
);

// ---- Starting and stopping ------------------------------------------------------------------

/** Ends a run of the driver: the device must not write what was granted in it any more. */
async function reset({ driver, oracle }: World): Promise<void> {
  await driver.writeStatus(0);
  const fault = oracle.verdict();
  if (fault !== undefined) throw new Error(fault);
}

const restart: Action = {
  label: 'restart',
  run: async (world) => {
    await reset(world);
    await world.driver.start(world.subject.without);
    world.oracle.rebase();
  },
};

const tick: Action = {
  label: 'tick',
  run: () => new Promise((resolve) => setImmediate(resolve)),
};

const ringAddress = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.nat(0x7ff), fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 1))
      .map(([n, odd]) => RAM_START + 16 * n + odd),
  },
  { weight: 1, arbitrary: fc.integer({ min: RAM_END - 64, max: RAM_END + 64 }) },
  { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
);
const wildQueue = fc.record({
  size: fc.constantFrom(2, 4, 8, 8, 8, 0, 3, 512),
  descriptors: ringAddress,
  available: ringAddress,
  used: ringAddress,
  index: fc.nat(9),
});

/** Sets up queues with random values, starts the device on them and notifies it. */
const wildStart = fc
  .tuple(
    fc.array(wildQueue, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(0, 0x3000_0000, 0x3000_0000, 0x1000_0000, 0xffff_ffff),
    fc.constantFrom(0x0f, 0x0f, 0x0f, 0x07, 0xff),
  )
  .map(
    ([queues, features, status]): Action => ({
      label: `start ${features} ${status} ${fc.stringify(queues)}`,
      run: async (world) => {
        await reset(world);
        const { driver, machine, oracle } = world;
        driver.store(V_DRIVER_FEATURES, features);
        driver.store(V_DRIVER_FEATURES + 4, 1);
        for (const [number, queue] of queues.entries()) {
          const words = V_QUEUES + number * V_QUEUE_STRIDE;
          driver.store(words + Q_NUM, queue.size);
          driver.store(words + Q_DESC, queue.descriptors);
          driver.store(words + Q_DRIVER, queue.available);
          driver.store(words + Q_DEVICE, queue.used);
          driver.store(words + Q_READY, 1);
          const offset = queue.available - RAM_START;
          if (offset >= 0 && offset < RAM_SIZE - 4) machine.ram.set([queue.index, 0], offset + 2);
        }
        oracle.rebase();
        await driver.writeStatus(status);
        for (const number of queues.keys()) driver.notify(number);
        await tick.run(world);
        await restart.run(world);
      },
    }),
  );

// ---- Suspensions ----------------------------------------------------------------------------

const suspend: Action = {
  label: 'suspend',
  run: async ({ driver }) => {
    await driver.device.suspend();
    await tick.run({} as World);
    driver.device.proceed();
  },
};

function putNewDevice(world: World): void {
  world.subject = world.make(world.machine);
  world.driver.device = world.subject.device;
}

/** Another device takes over from a state. Returns whether it accepts the state. */
async function takeOver(world: World, change: (state: Plain) => Plain): Promise<boolean> {
  const { machine, driver, oracle } = world;
  const state = change(await driver.device.suspend());
  const fault = oracle.verdict();
  if (fault !== undefined) throw new Error(fault);
  const block = new Uint8Array(machine.buffer).slice(0, driver.file + VIRTIO_FILE_SIZE);
  putNewDevice(world);
  new Uint8Array(machine.buffer).set(block);
  try {
    await driver.device.resume(state);
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    putNewDevice(world);
    await restart.run(world);
    return false;
  }
  oracle.rebase();
  driver.device.proceed();
  return true;
}

const replace: Action = {
  label: 'replace',
  run: async (world) => {
    await takeOver(world, (state) => structuredClone(state));
  },
};

const replaceDamaged = anyDamage(2).map(
  (damage): Action => ({
    label: `replace, damaged: ${fc.stringify(damage)}`,
    run: async (world) => {
      const accepted = await takeOver(world, damage);
      await tick.run(world);
      if (accepted) await restart.run(world);
    },
  }),
);

const host = fc.nat(1000).map(
  (choice): Action => ({
    label: `host ${choice}`,
    run: ({ subject }) => subject.host(choice),
  }),
);

/** Sequences of actions of a hostile driver and of the host. */
export function hostileActions(requests: Subject['requests']): fc.Arbitrary<Action[]> {
  const action = fc.oneof(
    { weight: 40, arbitrary: requestActions(requests) },
    { weight: 2, arbitrary: describeBuffer },
    { weight: 1, arbitrary: describeTable },
    { weight: 2, arbitrary: fillTable },
    { weight: 1, arbitrary: publish },
    { weight: 3, arbitrary: notify },
    { weight: 8, arbitrary: fc.constant(tick) },
    { weight: 6, arbitrary: host },
    { weight: 1, arbitrary: setAvailable },
    { weight: 1, arbitrary: poke },
    { weight: 1, arbitrary: setRegister },
    { weight: 1, arbitrary: fc.constant(restart) },
    { weight: 1, arbitrary: wildStart },
    { weight: 1, arbitrary: fc.constant(suspend) },
    { weight: 1, arbitrary: fc.constant(replace) },
    { weight: 1, arbitrary: replaceDamaged },
  );
  return fc.array(action.map(printed), { maxLength: 60, size: 'max' });
}

/** Runs the actions on a new device. Throws if the device does anything wrong or does not work afterwards. */
export async function withstand(make: (machine: TestMachine) => Subject, sequence: Action[]): Promise<void> {
  const machine = newMachine();
  const subject = make(machine);
  const driver = new GuestDriver(machine, subject.device);
  await driver.start(subject.without);
  const world: World = { machine, make, driver, subject, oracle: new WriteOracle(driver) };
  let broken = 0;
  for (const action of sequence) {
    const began = process.cpuUsage();
    await action.run(world);
    const { user, system } = process.cpuUsage(began);
    if (user + system > MAX_ACTION_MS * 1000) throw new Error(`${action.label} took too long`);
    broken = driver.device.transport.phase === 'broken' ? broken + 1 : 0;
    if (broken > BROKEN_ACTIONS) await restart.run(world);
  }
  await tick.run(world);
  await restart.run(world);
  await world.subject.check(driver);
}

export function newMachine(): TestMachine {
  return new TestMachine(RAM_SIZE);
}

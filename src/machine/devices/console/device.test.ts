import { beforeEach, describe, expect, test } from 'vitest';
import { GuestDriver, NEEDS_RESET, pattern, settle, TestMachine } from '../testing/guest-driver.ts';
import { ConsoleDevice } from './device.ts';

const RECEIVE = 0;
const TRANSMIT = 1;

let machine: TestMachine;
let console: ConsoleDevice;
let driver: GuestDriver;
let output: Uint8Array[];
let accept: () => undefined | Promise<void>;

beforeEach(async () => {
  machine = new TestMachine(8 << 20);
  output = [];
  accept = () => undefined;
  console = new ConsoleDevice(machine.memory, 0, {
    size: { columns: 80, rows: 24 },
    onOutput: (bytes) => {
      output.push(bytes);
      return accept();
    },
  });
  driver = new GuestDriver(machine, console);
  await driver.start();
});

const received = () =>
  driver
    .queue(RECEIVE)
    .completions()
    .map((done) => driver.queue(RECEIVE).received(done));
const text = (string: string) => new TextEncoder().encode(string);

describe('output', () => {
  test('arrives in order, and waiting bytes arrive together', async () => {
    for (const part of ['hello', ' ', 'world']) driver.queue(TRANSMIT).add([text(part)]);
    driver.kick(TRANSMIT);
    await driver.transact(TRANSMIT, [text('again')]);
    expect(output.map((bytes) => new TextDecoder().decode(bytes))).toEqual(['hello world', 'again']);
  });

  test('is a copy: the guest may reuse its buffer at once', async () => {
    const placed = { address: machine.allocate(5), length: 5, write: false };
    machine.at(placed.address, 5).set(text('first'));
    await driver.transact(TRANSMIT, [placed]);
    machine.at(placed.address, 5).set(text('other'));
    expect(output).toEqual([text('first')]);
  });

  test('arrives in pieces of at most 64 KiB, from chains longer than a turn', async () => {
    const long = pattern(6 << 20);
    await driver.transact(TRANSMIT, [long]);
    expect(Buffer.compare(Buffer.concat(output), long)).toBe(0);
    expect(Math.max(...output.map((bytes) => bytes.length))).toBe(64 << 10);
  });

  test('waits while the host is busy with earlier output', async () => {
    let release = () => {};
    accept = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    driver.queue(TRANSMIT).add([text('a')]);
    driver.kick(TRANSMIT);
    driver.queue(TRANSMIT).add([text('b')]);
    driver.kick(TRANSMIT);
    await settle();
    expect(driver.queue(TRANSMIT).completions()).toHaveLength(1);
    expect(output).toHaveLength(1);
    release();
    await settle();
    expect(driver.queue(TRANSMIT).completions()).toHaveLength(1);
    expect(output).toEqual([text('a'), text('b')]);
  });

  test('half read from a chain does not continue after a reset', async () => {
    let release = () => {};
    accept = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    driver.queue(TRANSMIT).add([pattern(200_000)]);
    driver.kick(TRANSMIT);
    await driver.start();
    accept = () => undefined;
    release();
    await driver.transact(TRANSMIT, [text('new')]);
    expect(output.map((bytes) => bytes.length)).toEqual([64 << 10, 3]);
  });

  test('before a broken chain is not lost', () => {
    const queue = driver.queue(TRANSMIT);
    queue.add([text('last words')]);
    queue.publish(9999);
    driver.notify(TRANSMIT);
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
    expect(output).toEqual([text('last words')]);
  });
});

describe('input', () => {
  test('goes to waiting buffers with one interrupt', async () => {
    for (let i = 0; i < 3; i++) driver.queue(RECEIVE).add([4096]);
    driver.queue(RECEIVE).completions();
    const done = console.write(text('ls\n'));
    await done;
    expect(driver.takeInterrupt()).toBe(1);
    expect(received()).toEqual([text('ls\n')]);
  });

  test('is split over buffers, and several writes share one', async () => {
    for (let i = 0; i < 3; i++) driver.queue(RECEIVE).add([2, 2]);
    void console.write(text('abcde'));
    await console.write(text('fgh'));
    expect(received()).toEqual([text('abcd'), text('efgh')]);
  });

  test('waits for buffers, and requests a notification of them', async () => {
    let written = false;
    void console.write(text('abcd')).then(() => {
      written = true;
    });
    await settle();
    driver.queue(RECEIVE).add([3]);
    expect(driver.kick(RECEIVE)).toBe(true);
    await settle();
    expect(written).toBe(false);
    driver.queue(RECEIVE).add([3]);
    expect(driver.kick(RECEIVE)).toBe(true);
    await settle();
    expect(written).toBe(true);
    expect(received()).toEqual([text('abc'), text('d')]);
  });

  test('requests no notification of new buffers while there is no input', () => {
    for (let i = 0; i < 4; i++) driver.queue(RECEIVE).add([8]);
    driver.kick(RECEIVE);
    driver.queue(RECEIVE).add([8]);
    expect(driver.kick(RECEIVE)).toBe(false);
  });

  test('outlives a reset of the driver', async () => {
    void console.write(text('early'));
    await settle();
    await driver.start();
    driver.queue(RECEIVE).add([64]);
    driver.kick(RECEIVE);
    expect(received()).toEqual([text('early')]);
  });

  test('of no bytes completes at once', async () => {
    await console.write(new Uint8Array(0));
    expect(received()).toEqual([]);
  });

  test('a receive buffer without room breaks the device', async () => {
    driver.queue(RECEIVE).add([text('not writable')]);
    void console.write(text('x'));
    await settle();
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
  });
});

test('the size of the terminal is in the configuration, and changes interrupt', () => {
  expect(driver.offeredFeatures & 1n).toBe(1n);
  expect([driver.config(4).getUint16(0, true), driver.config(4).getUint16(2, true)]).toEqual([80, 24]);
  console.resize({ columns: 132, rows: 43 });
  expect([driver.config(4).getUint16(0, true), driver.config(4).getUint16(2, true)]).toEqual([132, 43]);
  expect(driver.takeInterrupt()).toBe(2);
});

test('a change of its size while the driver starts interrupts it when it is ready', async () => {
  const late = new ConsoleDevice(machine.memory, 1, { size: { columns: 80, rows: 24 }, onOutput: () => {} });
  const lateDriver = new GuestDriver(machine, late);
  late.resize({ columns: 132, rows: 43 });
  await lateDriver.start();
  expect(lateDriver.takeInterrupt()).toBe(2);
});

test('a suspension keeps input and output that is on the way', async () => {
  const outputs: Uint8Array[] = [];
  const make = (onOutput: (bytes: Uint8Array) => void | Promise<void>) => () =>
    new ConsoleDevice(machine.memory, 0, { size: { columns: 80, rows: 24 }, onOutput });
  const blocked = make((bytes) => {
    outputs.push(bytes);
    return new Promise(() => {});
  })();
  driver = new GuestDriver(machine, blocked);
  await driver.start();
  // The host takes 64 KiB, and nothing more.
  const bytes = new Uint8Array(150_000).map((_, i) => i % 251);
  const place = { address: machine.allocate(bytes.length), length: bytes.length, write: false };
  machine.at(place.address, bytes.length).set(bytes);
  driver.queue(TRANSMIT).add([place]);
  driver.kick(TRANSMIT);
  void blocked.write(text('typed'));
  await settle();
  const state = await blocked.suspend();
  expect(driver.queue(TRANSMIT).completions()).toEqual([]);
  const next = await driver.replace(
    make((output) => void outputs.push(output)),
    state,
  );
  next.proceed();
  await settle();
  expect(new Uint8Array(Buffer.concat(outputs))).toEqual(bytes);
  expect(driver.queue(TRANSMIT).completions()).toHaveLength(1);
  driver.queue(RECEIVE).add([64]);
  driver.kick(RECEIVE);
  const queue = driver.queue(RECEIVE);
  expect(queue.completions().map((done) => queue.received(done))).toEqual([text('typed')]);
});

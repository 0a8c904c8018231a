import { beforeEach, describe, expect, test } from 'vitest';
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
import { HOST_CID, VsockDevice, type VsockStream } from './device.ts';
import {
  HEADER_SIZE,
  OP_CREDIT_REQUEST,
  OP_CREDIT_UPDATE,
  OP_REQUEST,
  OP_RESPONSE,
  OP_RST,
  OP_RW,
  OP_SHUTDOWN,
  SHUTDOWN_BOTH,
  SHUTDOWN_RECEIVE,
  SHUTDOWN_SEND,
  TYPE_STREAM,
  VsockHeader,
} from './packet.ts';

const RECEIVE = 0;
const TRANSMIT = 1;
const GUEST_CID = 3;
const BUFFER = 256 << 10;
const PORT = 1024;
const GUEST_PORT = 5000;

interface Packet {
  header: VsockHeader;
  payload: Uint8Array;
}

type Fields = Partial<Omit<VsockHeader, 'bytes'>>;

let machine: TestMachine;
let device: VsockDevice;
let driver: GuestDriver;
let receiveBuffers: { address: number; length: number; write: boolean }[];
let transmitBuffer: number;
let streams: VsockStream[];

beforeEach(async () => {
  machine = new TestMachine(4 << 20);
  device = new VsockDevice(machine.memory, 0, GUEST_CID);
  driver = new GuestDriver(machine, device);
  streams = [];
  device.listen(PORT, (stream) => streams.push(stream));
  await bringUp();
});

async function bringUp(): Promise<void> {
  await driver.start();
  transmitBuffer = machine.allocate(BUFFER + 4096);
  receiveBuffers = Array.from({ length: 16 }, () => ({
    address: machine.allocate(4096),
    length: 4096,
    write: true,
  }));
  for (const buffer of receiveBuffers) driver.queue(RECEIVE).add([buffer]);
  driver.kick(RECEIVE);
}

/** Sends a packet from the guest. Fields that are not given have the values of a healthy connection. */
function send(op: number, fields: Fields = {}, payload = new Uint8Array(0)): void {
  const header = new VsockHeader();
  Object.assign(header, {
    sourceCid: GUEST_CID,
    destinationCid: HOST_CID,
    sourcePort: GUEST_PORT,
    destinationPort: PORT,
    length: payload.length,
    type: TYPE_STREAM,
    op,
    flags: 0,
    bufferSize: 64 << 10,
    forwarded: 0,
    ...fields,
  });
  sendRaw(new Uint8Array([...header.bytes, ...payload]));
}

function sendRaw(bytes: Uint8Array): void {
  machine.at(transmitBuffer, bytes.length).set(bytes);
  driver.queue(TRANSMIT).add([{ address: transmitBuffer, length: bytes.length, write: false }]);
  driver.kick(TRANSMIT);
  driver.queue(TRANSMIT).completions();
}

/** Packets that the guest has received since the last call; its buffers go back to the device. */
function packets(): Packet[] {
  const queue = driver.queue(RECEIVE);
  const got = queue.completions().map((completion) => {
    const bytes = queue.received(completion);
    const header = new VsockHeader();
    header.bytes.set(bytes.subarray(0, HEADER_SIZE));
    expect(bytes.length).toBe(HEADER_SIZE + header.length);
    queue.add(completion.request.writable);
    return { header, payload: bytes.slice(HEADER_SIZE) };
  });
  driver.kick(RECEIVE);
  return got;
}

/** Packets to the guest until it has been quiet for a while. */
async function allPackets(): Promise<Packet[]> {
  const all: Packet[] = [];
  for (let quiet = 0; quiet < 3; quiet++) {
    await settle(1);
    const got = packets();
    if (got.length > 0) quiet = 0;
    all.push(...got);
  }
  return all;
}

const ops = async () => (await allPackets()).map(({ header }) => header.op);

async function accept(fields: Fields = {}): Promise<VsockStream> {
  send(OP_REQUEST, fields);
  expect(await ops()).toEqual([OP_RESPONSE]);
  return streams.at(-1) as VsockStream;
}

async function readAll(stream: VsockStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.readable as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

describe('opening', () => {
  test('the configuration holds the CID of the guest', () => {
    expect(driver.config(8).getBigUint64(0, true)).toBe(3n);
  });

  test('a guest connects to a port with a listener', async () => {
    send(OP_REQUEST);
    const [response] = await allPackets();
    expect(response?.header).toMatchObject({
      op: OP_RESPONSE,
      sourceCid: HOST_CID,
      destinationCid: GUEST_CID,
      sourcePort: PORT,
      destinationPort: GUEST_PORT,
      type: TYPE_STREAM,
      bufferSize: BUFFER,
      forwarded: 0,
    });
    expect(streams[0]).toMatchObject({ localPort: PORT, remotePort: GUEST_PORT });
  });

  test('a port without a listener refuses', async () => {
    const stop = device.listen(7, () => {});
    expect(() => device.listen(7, () => {})).toThrow('in use');
    stop();
    send(OP_REQUEST, { destinationPort: 7 });
    const [refusal] = await allPackets();
    expect(refusal?.header).toMatchObject({ op: OP_RST, sourcePort: 7, destinationPort: GUEST_PORT });
    device.listen(7, () => {});
  });

  test('the host connects to a port of the guest', async () => {
    const connecting = device.connect(22);
    const [request] = await allPackets();
    expect(request?.header).toMatchObject({ op: OP_REQUEST, destinationPort: 22, bufferSize: BUFFER });
    const local = request?.header.sourcePort as number;
    send(OP_RESPONSE, { sourcePort: 22, destinationPort: local });
    const stream = await connecting;
    expect(stream).toMatchObject({ remotePort: 22, localPort: local });
    await stream.writable.getWriter().write(pattern(3));
    expect((await allPackets())[0]?.payload).toEqual(pattern(3));
    const refused = expect(device.connect(22)).rejects.toThrow('reset by the guest');
    expect((await allPackets())[0]?.header.sourcePort).not.toBe(local);
    send(OP_RST, { sourcePort: 22, destinationPort: local + 1 });
    await refused;
  });

  test('connecting ends with its signal, at once or later', async () => {
    await expect(device.connect(22, AbortSignal.abort())).rejects.toThrow();
    const controller = new AbortController();
    const connecting = device.connect(22, controller.signal);
    const rejected = expect(connecting).rejects.toThrow('aborted');
    await allPackets();
    controller.abort();
    await rejected;
    expect(await ops()).toEqual([OP_RST]);
  });

  test('connecting ends with a reset of the driver, and needs a driver', async () => {
    const connecting = device.connect(22);
    const rejected = expect(connecting).rejects.toThrow('reset');
    await driver.writeStatus(0);
    await rejected;
    await expect(device.connect(22)).rejects.toThrow('no running vsock driver');
  });

  test('connections are limited, and refused ones leave room for later ones', async () => {
    let opened = 0;
    for (let port = 0; port < 3776; port++) {
      send(OP_REQUEST, { sourcePort: 10_000 + port });
      if (port % 8 === 7) opened += (await ops()).filter((op) => op === OP_RESPONSE).length;
    }
    expect(opened).toBe(3648);
    expect(streams).toHaveLength(3648);
    await expect(device.connect(22)).rejects.toThrow('too many');
    send(OP_RST, { sourcePort: 10_000 });
    await expect(streams[0]?.readable.getReader().read()).rejects.toThrow();
    await accept({ sourcePort: 20_000 });
  });
});

describe('guest to host', () => {
  test('bytes arrive in order, and waiting bytes in one chunk', async () => {
    const stream = await accept();
    send(OP_RW, {}, pattern(10));
    send(OP_RW, {}, pattern(20, 2));
    const reader = stream.readable.getReader();
    expect((await reader.read()).value).toEqual(new Uint8Array([...pattern(10), ...pattern(20, 2)]));
    const waiting = reader.read();
    await settle();
    send(OP_RW, {}, pattern(5, 3));
    expect((await waiting).value).toEqual(pattern(5, 3));
  });

  test('a slow reader gets everything, and the guest gets credit as it reads', async () => {
    const stream = await accept();
    for (let i = 0; i < 4; i++) send(OP_RW, {}, pattern(BUFFER / 4, i));
    expect(await ops()).toEqual([]);
    const reader = stream.readable.getReader();
    let forwarded = 0;
    const updates: number[] = [];
    while (forwarded < BUFFER) {
      forwarded += (await reader.read()).value?.length as number;
      for (const { header } of await allPackets()) {
        expect(header.op).toBe(OP_CREDIT_UPDATE);
        expect(header.forwarded).toBe(forwarded);
        updates.push(header.forwarded);
      }
    }
    expect(updates).toEqual([BUFFER / 2, BUFFER]);
    send(OP_RW, {}, pattern(BUFFER));
    expect(await ops()).toEqual([]);
  });

  test('a credit request is answered', async () => {
    await accept();
    send(OP_CREDIT_REQUEST);
    const [update] = await allPackets();
    expect(update?.header).toMatchObject({ op: OP_CREDIT_UPDATE, bufferSize: BUFFER, forwarded: 0 });
  });

  test('more than the credit resets the connection', async () => {
    const stream = await accept();
    send(OP_RW, {}, pattern(BUFFER));
    send(OP_RW, {}, pattern(1));
    expect(await ops()).toEqual([OP_RST]);
    await expect(readAll(stream)).rejects.toThrow('broke the vsock protocol');
  });

  test('bytes in tiny packets use no additional memory', async () => {
    const stream = await accept();
    for (let i = 0; i < 3000; i++) send(OP_RW, {}, new Uint8Array([i & 0xff]));
    const { value } = await stream.readable.getReader().read();
    expect(value).toEqual(Uint8Array.from({ length: 3000 }, (_, i) => i & 0xff));
  });

  test('the end of the guest is the end of the stream, after all bytes', async () => {
    const stream = await accept();
    send(OP_RW, {}, pattern(100_000));
    send(OP_SHUTDOWN, { flags: SHUTDOWN_SEND });
    expect(equalBytes(await readAll(stream), pattern(100_000))).toBe(true);
    const writer = stream.writable.getWriter();
    await writer.write(pattern(3));
    const [data] = await allPackets();
    expect(data?.payload).toEqual(pattern(3));
  });

  test('a close of the guest is answered with RST once everything is read', async () => {
    const stream = await accept();
    send(OP_RW, {}, pattern(5000));
    send(OP_SHUTDOWN, { flags: SHUTDOWN_BOTH });
    expect(await ops()).toEqual([]);
    expect(equalBytes(await readAll(stream), pattern(5000))).toBe(true);
    expect(await ops()).toEqual([OP_RST]);
    await accept();
  });

  test('a close of the guest is told from one after the end of its bytes', async () => {
    const [whole, half] = [await accept(), await accept({ sourcePort: 5001 })];
    send(OP_SHUTDOWN, { flags: SHUTDOWN_SEND });
    send(OP_SHUTDOWN, { flags: SHUTDOWN_BOTH });
    send(OP_SHUTDOWN, { sourcePort: 5001, flags: SHUTDOWN_RECEIVE });
    send(OP_SHUTDOWN, { sourcePort: 5001, flags: SHUTDOWN_BOTH });
    await Promise.all([readAll(whole), readAll(half)]);
    expect([whole.closedAtOnce, half.closedAtOnce]).toEqual([false, true]);
  });

  test('bytes before a reset are still read', async () => {
    const stream = await accept();
    send(OP_RW, {}, pattern(50));
    send(OP_RST);
    const reader = stream.readable.getReader();
    expect((await reader.read()).value).toEqual(pattern(50));
    await expect(reader.read()).rejects.toThrow('reset by the guest');
  });

  test('bytes after the guest’s announced end reset the connection', async () => {
    await accept();
    send(OP_SHUTDOWN, { flags: SHUTDOWN_SEND });
    send(OP_RW, {}, pattern(1));
    expect(await ops()).toEqual([OP_RST]);
  });

  test('cancelling notifies the guest, and drops the bytes that it had sent', async () => {
    const stream = await accept();
    send(OP_RW, {}, pattern(1000));
    await stream.readable.cancel();
    const [shutdown] = await allPackets();
    expect(shutdown?.header).toMatchObject({ op: OP_SHUTDOWN, flags: SHUTDOWN_RECEIVE, forwarded: 1000 });
    send(OP_RW, {}, pattern(BUFFER));
    const [update] = await allPackets();
    expect(update?.header).toMatchObject({ op: OP_CREDIT_UPDATE, forwarded: 1000 + BUFFER });
  });
});

describe('host to guest', () => {
  test('a write is divided to fit the buffers of the guest', async () => {
    const stream = await accept();
    const done = stream.writable.getWriter().write(pattern(10_000));
    const got = await allPackets();
    await done;
    expect(got.map(({ payload }) => payload.length)).toEqual([4052, 4052, 1896]);
    expect(equalBytes(Buffer.concat(got.map(({ payload }) => payload)), pattern(10_000))).toBe(true);
  });

  test('a guest that does not read stops the writer, and its credit lets the writer continue', async () => {
    const stream = await accept({ bufferSize: 6000 });
    const writer = stream.writable.getWriter();
    let written = false;
    const done = writer.write(pattern(10_000)).then(() => {
      written = true;
    });
    const sent = Buffer.concat((await allPackets()).map(({ payload }) => payload));
    expect(sent.length).toBe(6000);
    expect(written).toBe(false);
    send(OP_CREDIT_UPDATE, { bufferSize: 6000, forwarded: 1000 });
    const more = Buffer.concat((await allPackets()).map(({ payload }) => payload));
    expect(more.length).toBe(1000);
    // A smaller buffer, or a count that runs ahead of what was sent, gives no credit.
    send(OP_CREDIT_UPDATE, { bufferSize: 10, forwarded: 6990 });
    send(OP_CREDIT_UPDATE, { bufferSize: 6000, forwarded: 7001 });
    expect(await ops()).toEqual([]);
    send(OP_CREDIT_UPDATE, { bufferSize: 6000, forwarded: 7000 });
    const rest = Buffer.concat((await allPackets()).map(({ payload }) => payload));
    await done;
    expect(equalBytes(Buffer.concat([sent, more, rest]), pattern(10_000))).toBe(true);
  });

  test('counters wrap at 2^32', async () => {
    const stream = await accept({ bufferSize: 0xffff_ffff });
    const writer = stream.writable.getWriter();
    const big = new Uint8Array(1 << 20);
    await writer.write(big.subarray(0, 1000));
    await allPackets();
    send(OP_CREDIT_UPDATE, { bufferSize: 0, forwarded: 1000 });
    const blocked = writer.write(big.subarray(0, 10));
    expect(await ops()).toEqual([]);
    send(OP_CREDIT_UPDATE, { bufferSize: 1010, forwarded: 0 });
    expect(await ops()).toEqual([OP_RW]);
    await blocked;
  });

  test('writers share the guest fairly', async () => {
    const first = await accept({ bufferSize: 1 << 20 });
    const second = await accept({ bufferSize: 1 << 20, sourcePort: GUEST_PORT + 1 });
    void first.writable.getWriter().write(pattern(200_000));
    void second.writable.getWriter().write(pattern(200_000));
    const ports = (await allPackets()).map(({ header }) => header.destinationPort);
    expect(ports.slice(0, 20).filter((port) => port === GUEST_PORT)).toHaveLength(10);
  });

  test('closing sends the rest, then the end; the guest may continue', async () => {
    const stream = await accept();
    const writer = stream.writable.getWriter();
    void writer.write(pattern(5000));
    await Promise.all([
      writer.close(),
      ops().then((got) => expect(got).toEqual([OP_RW, OP_RW, OP_SHUTDOWN])),
    ]);
    send(OP_RW, {}, pattern(7));
    send(OP_SHUTDOWN, { flags: SHUTDOWN_SEND });
    expect(await readAll(stream)).toEqual(pattern(7));
    const [shutdown] = await allPackets();
    expect(shutdown?.header).toMatchObject({ op: OP_SHUTDOWN, flags: SHUTDOWN_BOTH });
    send(OP_RST);
    await settle();
    await accept();
  });

  test('a guest that stops reading fails the writer', async () => {
    const stream = await accept({ bufferSize: 10 });
    const writer = stream.writable.getWriter();
    const write = expect(writer.write(pattern(100))).rejects.toThrow('reads no more');
    await allPackets();
    send(OP_SHUTDOWN, { flags: SHUTDOWN_RECEIVE });
    await write;
    send(OP_RW, {}, pattern(4));
    send(OP_SHUTDOWN, { flags: SHUTDOWN_SEND });
    expect(await readAll(stream)).toEqual(pattern(4));
    expect(await ops()).toEqual([OP_RST]);
  });

  test('aborting resets the connection at once, even if a write is blocked', async () => {
    const stream = await accept({ bufferSize: 10 });
    send(OP_RW, { bufferSize: 10 }, pattern(4));
    const writer = stream.writable.getWriter();
    const write = expect(writer.write(pattern(100))).rejects.toThrow('aborted');
    await allPackets();
    await writer.abort(new Error('enough'));
    await write;
    expect(await ops()).toEqual([OP_RST]);
    await expect(readAll(stream)).rejects.toThrow('aborted by the host');
    send(OP_RW, {}, pattern(4));
    expect(await ops()).toEqual([OP_RST]);
    await accept();
  });

  test('chunks that are not bytes are an error of the writer', async () => {
    const stream = await accept();
    await expect(stream.writable.getWriter().write('text' as never)).rejects.toThrow(TypeError);
  });

  test('waits for receive buffers of the guest', async () => {
    const stream = await accept({ bufferSize: 1 << 20 });
    let written = false;
    const done = stream.writable
      .getWriter()
      .write(pattern(100_000))
      .then(() => {
        written = true;
      });
    await settle();
    expect(written).toBe(false);
    const got = await allPackets();
    await done;
    expect(equalBytes(Buffer.concat(got.map(({ payload }) => payload)), pattern(100_000))).toBe(true);
  });
});

describe('a hostile guest', () => {
  test.each([
    ['data', OP_RW],
    ['a response', OP_RESPONSE],
    ['a shutdown', OP_SHUTDOWN],
    ['a credit update', OP_CREDIT_UPDATE],
    ['an unknown operation', 77],
    ['operation 0', 0],
  ])('gets RST for %s without a connection', async (_name, op) => {
    send(op);
    const [refusal] = await allPackets();
    expect(refusal?.header).toMatchObject({ op: OP_RST, sourcePort: PORT, destinationPort: GUEST_PORT });
  });

  test('gets nothing for RST without a connection, or a foreign sender', async () => {
    send(OP_RST);
    send(OP_REQUEST, { sourceCid: 4 });
    send(OP_REQUEST, { sourceCid: 2 ** 32 + 3 });
    expect(await ops()).toEqual([]);
    expect(streams).toEqual([]);
  });

  test('gets RST from an address that is not the host, and for a type that is not a stream', async () => {
    send(OP_REQUEST, { destinationCid: 9 });
    send(OP_REQUEST, { type: 2 });
    const got = await allPackets();
    expect(got[0]?.header).toMatchObject({ op: OP_RST, sourceCid: 9, type: TYPE_STREAM });
    expect(got[1]?.header).toMatchObject({ op: OP_RST, sourceCid: HOST_CID, type: 2 });
  });

  test.each([
    ['an unknown operation', 77],
    ['operation 0', 0],
    ['a second request', OP_REQUEST],
    ['a response out of place', OP_RESPONSE],
  ])('loses its connection by %s', async (_name, op) => {
    const stream = await accept();
    send(op);
    expect(await ops()).toEqual([OP_RST]);
    await expect(readAll(stream)).rejects.toThrow('broke the vsock protocol');
    await accept();
  });

  test('loses its connection by a wrong length', async () => {
    await accept();
    send(OP_RW, { length: 11 }, pattern(10));
    expect(await ops()).toEqual([OP_RST]);
    await accept();
    send(OP_RW, { length: 0xffff_ffff }, pattern(10));
    expect(await ops()).toEqual([OP_RST]);
  });

  test.each([0, 1, 43])('breaks the device by a packet of %i bytes', async (length) => {
    const stream = await accept();
    if (length > 0) sendRaw(new Uint8Array(length));
    else {
      driver.queue(TRANSMIT).add([8]);
      driver.kick(TRANSMIT);
    }
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
    await expect(readAll(stream)).rejects.toThrow('reset');
    await bringUp();
    await accept();
  });

  test('breaks the device by a receive buffer too short for a packet', async () => {
    await driver.start();
    transmitBuffer = machine.allocate(4096);
    driver.queue(RECEIVE).add([HEADER_SIZE]);
    send(OP_RW);
    expect(driver.status & NEEDS_RESET).toBe(NEEDS_RESET);
  });

  test('that takes no replies is no longer read, and uses no memory', async () => {
    await driver.start();
    const places = Array.from({ length: 64 }, () => machine.allocate(64));
    let accepted = 0;
    for (let i = 0; i < 10; i++) {
      for (const address of places.splice(0)) {
        const header = new VsockHeader();
        Object.assign(header, {
          sourceCid: GUEST_CID,
          destinationCid: HOST_CID,
          type: TYPE_STREAM,
          op: OP_RW,
        });
        machine.at(address, HEADER_SIZE).set(header.bytes);
        driver.queue(TRANSMIT).add([{ address, length: HEADER_SIZE, write: false }]);
      }
      driver.notify(TRANSMIT);
      await settle(1);
      for (const { request } of driver.queue(TRANSMIT).completions()) {
        accepted++;
        expect(request.head).toBeLessThan(64);
        places.push(machine.allocate(64));
      }
    }
    expect(accepted).toBe(64);
    for (let i = 0; i < 64; i++) driver.queue(RECEIVE).add([HEADER_SIZE + 1]);
    driver.notify(RECEIVE);
    await settle();
    expect(driver.queue(RECEIVE).completions()).toHaveLength(64);
    expect(driver.queue(TRANSMIT).completions()).toHaveLength(64);
  });
});

test('a reset of the driver ends all streams, and listeners stay', async () => {
  const stream = await accept({ bufferSize: 4 });
  send(OP_RW, { bufferSize: 4 }, pattern(9));
  const write = expect(stream.writable.getWriter().write(pattern(100))).rejects.toThrow('reset');
  await settle();
  await driver.writeStatus(0);
  await write;
  const reader = stream.readable.getReader();
  expect((await reader.read()).value).toEqual(pattern(9));
  await expect(reader.read()).rejects.toThrow('reset its vsock device');
  await bringUp();
  await accept();
});

describe('a suspension', () => {
  const resume = (state: Plain) => driver.replace(() => new VsockDevice(machine.memory, 0, GUEST_CID), state);

  test('keeps unread bytes, the rest of a write, and the credit of both sides', async () => {
    const stream = await accept({ bufferSize: 10 });
    send(OP_RW, { bufferSize: 10 }, pattern(5000));
    void stream.writable
      .getWriter()
      .write(pattern(25, 2))
      .catch(() => {});
    expect((await allPackets()).map(({ payload }) => payload)).toEqual([pattern(25, 2).subarray(0, 10)]);
    const next = await resume(await driver.device.suspend());
    const resumed = next.takeResumed(PORT, GUEST_PORT) as VsockStream;
    expect(next.takeResumed(PORT, GUEST_PORT)).toBeUndefined();
    next.proceed();
    const reader = resumed.readable.getReader();
    expect((await reader.read()).value).toEqual(pattern(5000));
    const writer = resumed.writable.getWriter();
    const written = writer.write(pattern(3, 9));
    expect(await allPackets()).toEqual([]);
    send(OP_CREDIT_UPDATE, { bufferSize: 100, forwarded: 10 });
    const bytes = Buffer.concat((await allPackets()).map(({ payload }) => payload));
    expect(new Uint8Array(bytes)).toEqual(
      new Uint8Array(Buffer.concat([pattern(25, 2).subarray(10), pattern(3, 9)])),
    );
    await written;
    send(OP_RW, {}, new Uint8Array((256 << 10) - 5000));
    expect(await ops()).toEqual([]);
  });

  test('keeps how far both sides have shut down', async () => {
    const stream = await accept();
    send(OP_RW, {}, pattern(4));
    send(OP_SHUTDOWN, { flags: SHUTDOWN_SEND });
    void stream.writable.close();
    expect(await ops()).toEqual([OP_SHUTDOWN]);
    const next = await resume(await driver.device.suspend());
    const resumed = next.takeResumed(PORT, GUEST_PORT) as VsockStream;
    next.proceed();
    expect(await readAll(resumed)).toEqual(pattern(4));
    await expect(resumed.writable.getWriter().closed).rejects.toThrow('was shut down');
    // The first machine has told the guest already.
    expect(await ops()).toEqual([]);
  });

  test('resets the connections that nobody takes over, and frees their places', async () => {
    await accept();
    send(OP_RW, {}, pattern(4));
    const next = await resume(await driver.device.suspend());
    next.proceed();
    expect(await ops()).toEqual([OP_RST]);
    const own = (await next.suspend()) as { own: { connections: Plain[] } };
    expect(own.own.connections).toEqual([]);
  });

  test('refuses a state with a connection that cannot be', async () => {
    await accept();
    const state = (await driver.device.suspend()) as { own: { connections: Record<string, Plain>[] } };
    const [connection] = state.own.connections as [Record<string, Plain>];
    const changed = (...connections: Plain[]) =>
      resume({ ...state, own: { ...state.own, connections } } as unknown as Plain);
    await changed(connection);
    await expect(changed(connection, connection)).rejects.toThrow('is there twice');
    for (const change of [
      { phase: 'open' },
      { due: 1 << 5 },
      { localShutdown: 4 },
      { receivedCount: 2 ** 32 },
      { unread: new Uint8Array((256 << 10) + 1) },
      { unsent: 'text' },
      { end: 'end' },
    ])
      await expect(changed({ ...connection, ...change } as unknown as Plain)).rejects.toThrow(StateError);
  });
});

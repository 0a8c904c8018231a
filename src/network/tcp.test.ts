import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SESSION_LIMITS } from './limits.ts';
import { ACK, ahead, FIN, PSH, RST, type Segment, SYN } from './tcp-segment.ts';
import { type FakeSocket, SERVER, World, type WorldOptions } from './testing/world.ts';

const FIRST = 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const text = (value: string) => new TextEncoder().encode(value);

/** Runs what was put off to the end of the turn. */
const endTurn = () => vi.advanceTimersByTimeAsync(0);

/** A connection of the guest that is established. */
class Client {
  readonly world: World;
  readonly socket: FakeSocket;
  /** The host's first sequence number after SYN. */
  readonly start: number;
  next = FIRST + 1;
  received = Buffer.alloc(0);
  /** The end of the window that it may send to. */
  edge = 0;
  window = 0xffff;
  flags = 0;

  constructor(options: WorldOptions = {}) {
    this.world = new World(options);
    this.world.sendSegment(SERVER, { flags: SYN, sequence: FIRST, segmentSize: 1460, scale: 0 });
    this.socket = this.world.sockets[0] as FakeSocket;
    this.socket.events.connected();
    const [answer] = this.world.segments() as [Segment];
    this.start = (answer.sequence + 1) >>> 0;
    this.send({ flags: ACK });
  }

  /** What it has received, as a sequence number. */
  get expected(): number {
    return (this.start + this.received.length + ((this.flags & FIN) === 0 ? 0 : 1)) >>> 0;
  }

  send(segment: Partial<Segment>): void {
    const acknowledgement = this.expected;
    this.world.sendSegment(SERVER, { sequence: this.next, acknowledgement, window: this.window, ...segment });
  }

  write(data: Uint8Array, flags = ACK): void {
    this.send({ flags, data });
    this.next = (this.next + data.length + ((flags & FIN) === 0 ? 0 : 1)) >>> 0;
  }

  /** Takes what has arrived, in order. */
  read(): Segment[] {
    const segments = this.world.segments();
    for (const { sequence, data, flags, acknowledgement, window } of segments) {
      if (sequence === this.expected) {
        this.received = Buffer.concat([this.received, data]);
        this.flags |= flags;
      }
      this.edge = (acknowledgement + window * 128) >>> 0;
    }
    return segments;
  }
}

describe('the start of a connection', () => {
  test('waits for the host, then tells segment size and window scale', () => {
    const world = new World();
    world.sendSegment(SERVER, { flags: SYN, sequence: 7, segmentSize: 1460, scale: 5 });
    expect(world.sockets).toMatchObject([{ address: '93.184.216.34', port: 80 }]);
    // A repeated request opens no second socket.
    world.sendSegment(SERVER, { flags: SYN, sequence: 7, segmentSize: 1460, scale: 5 });
    expect([world.sockets.length, world.frames.length]).toEqual([1, 0]);
    world.sockets[0]?.events.connected();
    expect(world.segments()).toMatchObject([
      { flags: SYN | ACK, acknowledgement: 8, segmentSize: 65480, scale: 7, window: 32768 },
    ]);
  });

  test('does not scale windows for a guest that does not', () => {
    const world = new World();
    world.sendSegment(SERVER, { flags: SYN, segmentSize: 1460 });
    world.sockets[0]?.events.connected();
    expect(world.segments()[0]?.scale).toBeUndefined();
  });

  test('is refused with RST when the host is refused', () => {
    const world = new World();
    world.sendSegment(SERVER, { flags: SYN, sequence: 7 });
    world.sockets[0]?.events.failed('refused');
    expect(world.segments()).toMatchObject([{ flags: RST | ACK, acknowledgement: 8 }]);
    expect(world.nat.stats.connections).toBe(0);
  });

  test('is answered with ICMP when the host cannot reach the address', () => {
    const world = new World();
    world.sendSegment(SERVER, { flags: SYN });
    world.sockets[0]?.events.failed('unreachable');
    expect(world.icmp()).toEqual(['3/1']);
  });

  test('repeats SYN until the guest answers', async () => {
    const world = new World();
    world.sendSegment(SERVER, { flags: SYN });
    world.sockets[0]?.events.connected();
    await vi.advanceTimersByTimeAsync(3500);
    expect(world.segments().map(({ flags }) => flags)).toEqual([SYN | ACK, SYN | ACK]);
  });

  test('is refused beyond the limit of connections', () => {
    const world = new World({ limits: { connections: 2 } });
    for (const sourcePort of [1, 2, 3]) world.sendSegment(SERVER, { flags: SYN, sourcePort });
    expect(world.sockets).toHaveLength(2);
    expect(world.segments()).toMatchObject([{ flags: RST | ACK, destinationPort: 3 }]);
    expect(world.refusals).toEqual([{ destination: '93.184.216.34:80', reason: 'connections' }]);
  });

  test('waits, beyond the rate of new ones, and begins in order', async () => {
    const world = new World({ limits: { newConnections: { perSecond: 10, burst: 2 } } });
    for (const sourcePort of [1, 2, 3, 4, 5]) world.sendSegment(SERVER, { flags: SYN, sourcePort });
    expect(world.sockets).toHaveLength(2);
    // A repeated request does not count, and one that was given up does not wait.
    world.sendSegment(SERVER, { flags: SYN, sourcePort: 3 });
    world.sendSegment(SERVER, { flags: RST, sourcePort: 4, sequence: 1 });
    await vi.advanceTimersByTimeAsync(100);
    expect(world.sockets).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1000);
    expect(world.sockets).toHaveLength(4);
    for (const { events } of world.sockets) events.connected();
    expect(world.segments().map(({ destinationPort }) => destinationPort)).toEqual([1, 2, 3, 5]);
    expect(world.refusals).toEqual([]);
  });

  test('is gone at once when its network closes while it waits', async () => {
    const world = new World({ limits: { newConnections: { perSecond: 1, burst: 1 } } });
    for (const sourcePort of [1, 2, 3]) world.sendSegment(SERVER, { flags: SYN, sourcePort });
    world.nat.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect([world.sockets.length, world.nat.stats.connections, vi.getTimerCount()]).toEqual([1, 0, 0]);
  });

  test('given up by the guest ends the host’s socket', () => {
    const world = new World();
    world.sendSegment(SERVER, { flags: SYN, sequence: 7 });
    world.sendSegment(SERVER, { flags: RST, sequence: 8 });
    expect(world.sockets[0]?.isAborted).toBe(true);
    expect(world.nat.stats.connections).toBe(0);
  });
});

test('a segment of no connection is answered with RST, and RST is not', () => {
  const world = new World();
  world.sendSegment(SERVER, { flags: ACK, acknowledgement: 99 });
  world.sendSegment(SERVER, { flags: FIN, sequence: 5, data: text('abc') });
  world.sendSegment(SERVER, { flags: RST });
  expect(world.segments()).toMatchObject([
    { flags: RST, sequence: 99 },
    { flags: RST | ACK, acknowledgement: 9 },
  ]);
});

describe('data', () => {
  test('goes both ways, with one acknowledgement for all of a turn', async () => {
    const client = new Client();
    client.write(text('GET '));
    client.write(text('/'));
    expect(client.socket.bytes.toString()).toBe('GET /');
    await endTurn();
    expect(client.read()).toMatchObject([{ flags: ACK, acknowledgement: FIRST + 6 }]);
    client.socket.events.received(text('hello'));
    expect(client.read()).toMatchObject([{ flags: ACK | PSH }]);
    expect(client.received.toString()).toBe('hello');
  });

  test('is cut into segments that the guest can take', () => {
    const client = new Client();
    const sent = Buffer.alloc(5000, 'abcdefg');
    client.socket.events.received(sent);
    expect(client.read().map(({ data }) => data.length)).toEqual([1460, 1460, 1460, 620]);
    expect(client.received).toEqual(sent);
  });

  test('that comes twice, or overlaps, is passed on once', () => {
    const client = new Client();
    client.send({ flags: ACK, data: text('abcd') });
    client.send({ flags: ACK, data: text('abcd') });
    client.send({ flags: ACK, data: text('abcdef') });
    client.send({ flags: ACK, sequence: FIRST + 3, data: text('cdefgh') });
    expect(client.socket.bytes.toString()).toBe('abcdefgh');
  });

  test('that is ahead, or beyond the window, is not passed on', async () => {
    const client = new Client();
    client.send({ flags: ACK, sequence: FIRST + 2, data: text('later') });
    await endTurn();
    expect(client.read()).toMatchObject([{ flags: ACK, acknowledgement: FIRST + 1 }]);
    client.send({ flags: ACK, data: new Uint8Array(40_000) });
    expect(client.socket.bytes).toHaveLength(32_768);
  });

  test('that was not acknowledged is sent again', async () => {
    const client = new Client();
    client.socket.events.received(text('lost'));
    client.world.segments();
    await vi.advanceTimersByTimeAsync(3500);
    client.read();
    expect(client.received.toString()).toBe('lost');
    client.send({ flags: ACK });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.read()).toEqual([]);
    expect(client.world.nat.stats.resent).toBe(1);
  });

  test('is not sent again while the guest has not taken the frames', async () => {
    const client = new Client();
    client.world.takes = false;
    client.socket.events.received(text('slow'));
    expect(client.world.segments()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(client.world.segments()).toHaveLength(0);
  });

  test('for a guest that never answers is given up', async () => {
    const client = new Client();
    client.socket.events.received(text('?'));
    await vi.advanceTimersByTimeAsync(900_000);
    expect(client.socket.isAborted).toBe(true);
    expect(client.world.nat.stats.connections).toBe(0);
  });

  test('does not fill the rest of a window, unless it stays the same for half a second', async () => {
    const client = new Client();
    client.window = 40_000;
    client.send({ flags: ACK });
    client.socket.events.received(new Uint8Array(60_000));
    for (const { sequence, data } of client.world.segments())
      client.received = Buffer.concat([
        client.received,
        sequence === client.expected ? data : Buffer.alloc(0),
      ]);
    const rest = 40_000 - client.received.length;
    expect(rest).toBeLessThan(1460);
    // The guest acknowledges, but its program reads nothing.
    client.window = rest;
    client.send({ flags: ACK });
    await vi.advanceTimersByTimeAsync(200);
    expect(client.world.segments()).toEqual([]);
    await vi.advanceTimersByTimeAsync(800);
    expect(client.world.segments().map(({ data }) => data.length)).toEqual([rest]);
    expect(client.world.nat.stats.resent).toBe(0);
  });

  test('waits for the guest’s window, which is probed', async () => {
    const client = new Client();
    client.window = 0;
    client.send({ flags: ACK });
    client.socket.events.received(text('abc'));
    expect(client.read()).toEqual([]);
    await vi.advanceTimersByTimeAsync(3500);
    expect(client.world.segments().map(({ data }) => data.length)).toEqual([1]);
    client.window = 1000;
    client.send({ flags: ACK });
    await vi.advanceTimersByTimeAsync(10_000);
    client.read();
    expect(client.received.toString()).toBe('abc');
  });

  test('waits as long as a guest with a closed window answers the probes', async () => {
    const client = new Client();
    client.window = 0;
    client.send({ flags: ACK });
    client.socket.events.received(text('abc'));
    for (let minute = 0; minute < 60; minute++) {
      await vi.advanceTimersByTimeAsync(60_000);
      for (const _ of client.world.segments()) client.send({ flags: ACK });
    }
    expect(client.socket.isAborted).toBe(false);
    client.window = 1000;
    client.send({ flags: ACK });
    client.read();
    await vi.advanceTimersByTimeAsync(60_000);
    client.read();
    expect(client.received.toString()).toBe('abc');
  });

  test('that a guest without memory dropped is sent again when its window opens, without a timeout', () => {
    const client = new Client();
    client.socket.events.received(text('dropped'));
    client.world.segments();
    client.window = 0;
    client.send({ flags: ACK });
    expect(client.read()).toEqual([]);
    client.window = 1000;
    client.send({ flags: ACK });
    client.read();
    expect(client.received.toString()).toBe('dropped');
  });

  test('that was never sent cannot be acknowledged', async () => {
    const client = new Client();
    client.send({ flags: ACK, acknowledgement: client.start + 1, data: text('x') });
    expect(client.socket.written).toEqual([]);
    await endTurn();
    expect(client.read()).toMatchObject([{ flags: ACK }]);
  });
});

describe('flow control', () => {
  test('the window closes while the host cannot send, never moves back, and opens again', async () => {
    const client = new Client();
    client.socket.flows = false;
    let edge = FIRST + 1 + 32_768;
    for (let turn = 0; turn < 200; turn++) {
      const room = ahead(edge, client.next);
      if (room > 0) client.write(new Uint8Array(Math.min(1460, room)));
      await endTurn();
      client.read();
      // The unit of the window is 128 bytes.
      expect(ahead(client.edge, edge)).toBeGreaterThan(-128);
      edge = client.edge;
    }
    expect(ahead(edge, client.next)).toBeLessThan(128);
    expect(client.socket.waiting).toBeGreaterThan(32_768 - 128);
    expect(client.socket.waiting).toBeLessThanOrEqual(512 << 10);
    client.socket.flow();
    await endTurn();
    client.read();
    expect(ahead(client.edge, client.next)).toBeGreaterThanOrEqual(32_768);
  });

  test('a guest that acknowledges nothing stops the host’s socket', () => {
    const client = new Client();
    let size = 0;
    while (!client.socket.isPaused && size < 10 << 20) {
      client.socket.events.received(new Uint8Array(16 << 10));
      size += 16 << 10;
    }
    expect(size).toBeLessThanOrEqual(528 << 10);
    for (let turn = 0; turn < 1000 && client.socket.isPaused; turn++) {
      client.read();
      client.send({ flags: ACK });
    }
    expect(client.socket.isPaused).toBe(false);
  });

  test('a full card stops data, and nothing is lost', () => {
    const client = new Client();
    client.window = 0xffff;
    client.world.takes = false;
    client.world.waiting = 600 << 10;
    client.socket.events.received(text('wait'));
    expect(client.read()).toEqual([]);
    client.world.take();
    client.read();
    expect(client.received.toString()).toBe('wait');
  });

  test('all connections together have a bounded amount waiting', () => {
    const world = new World();
    let taken = 0;
    for (let sourcePort = 1; sourcePort <= 256; sourcePort++) {
      world.sendSegment(SERVER, { flags: SYN, sequence: FIRST, sourcePort, segmentSize: 1460, scale: 14 });
      const socket = world.sockets.at(-1) as FakeSocket;
      socket.events.connected();
      const [{ sequence }] = world.segments() as [Segment];
      const acknowledgement = sequence + 1;
      world.sendSegment(SERVER, { flags: ACK, sequence: FIRST + 1, sourcePort, acknowledgement, window: 0 });
      for (; !socket.isPaused; taken += 8 << 10) socket.events.received(new Uint8Array(8 << 10));
    }
    expect(world.nat.stats.connections).toBe(256);
    expect(taken).toBeLessThan((4 << 20) + 256 * (40 << 10));
  });

  test('what connections borrowed is given back', () => {
    const world = new World();
    for (let round = 0; round < 100; round++) {
      world.sendSegment(SERVER, { flags: SYN, sequence: FIRST, segmentSize: 1460, scale: 14 });
      const socket = world.sockets.at(-1) as FakeSocket;
      socket.events.connected();
      let taken = 0;
      for (; !socket.isPaused; taken += 8 << 10) socket.events.received(new Uint8Array(8 << 10));
      expect(taken).toBe(512 << 10);
      world.sendSegment(SERVER, { flags: RST, sequence: FIRST + 1 });
      world.frames = [];
    }
  });
});

describe('the end of a connection', () => {
  test('by the guest first: the host may still send', async () => {
    const client = new Client();
    client.write(text('last'), FIN | ACK);
    expect(client.socket).toMatchObject({ isEnded: true, isAborted: false });
    await endTurn();
    expect(client.read()).toMatchObject([{ flags: ACK, acknowledgement: FIRST + 6 }]);
    client.socket.events.received(text('answer'));
    client.socket.events.ended();
    client.read();
    expect(client.received.toString()).toBe('answer');
    expect(client.flags & FIN).toBe(FIN);
    client.send({ flags: ACK });
    expect(client.world.nat.stats.connections).toBe(0);
    expect(client.socket.isAborted).toBe(false);
  });

  test('by the host first: the guest may still send', async () => {
    const client = new Client();
    client.socket.events.received(text('bye'));
    client.socket.events.ended();
    client.read();
    client.write(text('more'));
    expect(client.socket.bytes.toString()).toBe('more');
    client.write(new Uint8Array(0), FIN | ACK);
    expect(client.socket.isEnded).toBe(true);
    expect(client.world.segments()).toMatchObject([{ flags: ACK, acknowledgement: FIRST + 6 }]);
    expect(client.world.nat.stats.connections).toBe(0);
  });

  test('a lost FIN is repeated, and acknowledged once', async () => {
    const client = new Client();
    client.socket.events.received(text('x'));
    client.socket.events.ended();
    client.world.segments();
    await vi.advanceTimersByTimeAsync(3500);
    client.read();
    expect([client.received.toString(), client.flags & FIN]).toEqual(['x', FIN]);
    client.send({ flags: ACK });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.read()).toEqual([]);
  });

  test('waits until the host has sent everything', () => {
    const client = new Client();
    client.socket.flows = false;
    client.write(text('slow'), FIN | ACK);
    client.socket.events.ended();
    client.read();
    client.send({ flags: ACK });
    expect(client.world.nat.stats.connections).toBe(1);
    client.socket.flow();
    expect(client.world.nat.stats.connections).toBe(0);
  });

  test.each<[string, (client: Client) => void]>([
    ['the guest has closed', (client) => client.write(text('x'), FIN | ACK)],
    ['the host has closed', (client) => client.socket.events.ended()],
  ])('comes after four minutes without data when %s and the other never does', async (_, close) => {
    const client = new Client();
    close(client);
    await endTurn();
    client.read();
    client.send({ flags: ACK });
    await vi.advanceTimersByTimeAsync(3 * 60_000);
    client.read();
    expect(client.world.nat.stats.connections).toBe(1);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    expect(client.socket.isAborted).toBe(true);
    expect(client.read()).toMatchObject([{ flags: RST | ACK, sequence: client.expected }]);
    expect([client.world.nat.stats.connections, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('does not come while a half-closed connection has data that the guest or the host does not take', async () => {
    const [guest, host] = [new Client(), new Client()];
    guest.write(text('x'), FIN | ACK);
    guest.window = 0;
    guest.send({ flags: ACK });
    guest.socket.events.received(text('slow'));
    host.socket.flows = false;
    host.write(text('slow'), FIN | ACK);
    for (let minute = 0; minute < 20; minute++) {
      await vi.advanceTimersByTimeAsync(60_000);
      for (const _ of guest.world.segments()) guest.send({ flags: ACK });
      host.read();
    }
    expect([guest.socket.isAborted, host.socket.isAborted]).toEqual([false, false]);
  });

  test('comes after two hours and four minutes without data', async () => {
    const client = new Client();
    await vi.advanceTimersByTimeAsync(123 * 60_000);
    expect(client.socket.isAborted).toBe(false);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    expect(client.socket.isAborted).toBe(true);
  });

  test('by a failure of the host is RST for the guest', () => {
    const client = new Client();
    client.socket.events.failed('reset');
    expect(client.read()).toMatchObject([{ flags: RST | ACK, sequence: client.start }]);
    expect(client.world.nat.stats.connections).toBe(0);
  });

  test('by RST of the guest ends the host’s socket, unless it is outside the window', () => {
    const client = new Client();
    client.send({ flags: RST, sequence: FIRST - 100 });
    client.send({ flags: RST, sequence: FIRST + 100_000 });
    expect(client.socket.isAborted).toBe(false);
    client.send({ flags: RST });
    expect(client.socket.isAborted).toBe(true);
  });

  test('forgotten by the guest: a new SYN is answered, so that it resets the old one', async () => {
    const client = new Client();
    client.send({ flags: SYN, sequence: 5 });
    await endTurn();
    expect(client.read()).toMatchObject([{ flags: ACK, acknowledgement: FIRST + 1 }]);
  });

  test('of the network ends all sockets and timers', () => {
    const client = new Client();
    client.socket.events.received(text('x'));
    client.world.nat.close();
    expect(client.socket.isAborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a hostile guest', () => {
  /** Opens all connections that a session may have. The guest's windows are of any size. */
  function openAll(world: World): { socket: FakeSocket; segment: Partial<Segment> }[] {
    for (let sourcePort = 1; sourcePort <= SESSION_LIMITS.connections; sourcePort++)
      world.sendSegment(SERVER, { flags: SYN, sequence: FIRST, sourcePort, segmentSize: 1460, scale: 14 });
    vi.advanceTimersByTime(10_000);
    world.sockets.forEach(({ events }) => {
      events.connected();
    });
    const answers = world.segments();
    return world.sockets.map((socket, index) => {
      const acknowledgement = ((answers[index]?.sequence ?? 0) + 1) >>> 0;
      const segment = { flags: ACK, sourcePort: index + 1, sequence: FIRST + 1, acknowledgement };
      world.sendSegment(SERVER, segment);
      return { socket, segment };
    });
  }

  test('that acknowledges nothing has at most 4 MiB waiting, and as many sockets as allowed', () => {
    const world = new World({ limits: SESSION_LIMITS });
    let taken = 0;
    for (const { socket } of openAll(world))
      for (; !socket.isPaused; taken += 1 << 10) socket.events.received(new Uint8Array(1 << 10));
    world.sendSegment(SERVER, { flags: SYN, sourcePort: 999 });
    expect(world.sockets).toHaveLength(128);
    expect(taken).toBeLessThanOrEqual((2 << 20) + (128 << 10));
    expect(taken).toBeGreaterThanOrEqual(2 << 20);
    expect(world.nat.stats.refused).toEqual({ connections: 1 });
  });

  test('that sends to hosts which take nothing has at most 2 MiB waiting', async () => {
    const world = new World({ limits: SESSION_LIMITS });
    const connections = openAll(world);
    for (const { socket } of connections) socket.flows = false;
    for (let round = 0; round < 40; round++) {
      for (const { socket, segment } of connections) {
        const sequence = (FIRST + 1 + socket.waiting) >>> 0;
        world.sendSegment(SERVER, { ...segment, sequence, data: new Uint8Array(60_000) });
      }
      await endTurn();
      world.frames = [];
    }
    const waiting = connections.reduce((sum, { socket }) => sum + socket.waiting, 0);
    expect(waiting).toBeGreaterThan(1 << 20);
    expect(waiting).toBeLessThanOrEqual(2 << 20);
  });

  const wild = fc.record({
    flags: fc.oneof(fc.constantFrom(ACK, ACK | PSH, FIN | ACK), fc.nat(63)),
    offset: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 })),
    acknowledged: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.nat(0xffff_ffff)),
    window: fc.nat(0xffff),
    length: fc.oneof(fc.nat(60), fc.nat(70_000)),
  });
  const event = fc.oneof(
    wild.map((segment) => ({ segment })),
    fc.record({ received: fc.nat(20_000) }),
    fc.constant({ ended: true }),
    fc.record({ wait: fc.nat(3000) }),
  );

  test('sends any segments: no exception, and only bytes of its own stream, in order, are passed on', async () => {
    const stream = Buffer.from(
      Array.from({ length: 200_000 }, (_, index) => (index * 7 + (index >>> 8)) & 0xff),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const client = new Client();
        for (const each of events) {
          if ('segment' in each) {
            const { flags, offset, acknowledged, window, length } = each.segment;
            // Near what has been passed on; its bytes are those of the stream there.
            const at = client.socket.bytes.length + offset;
            const data = at < 0 || at > 100_000 ? new Uint8Array(0) : stream.subarray(at, at + length);
            client.send({
              flags,
              sequence: (FIRST + 1 + at) >>> 0,
              acknowledgement: (client.expected + acknowledged) >>> 0,
              window,
              data,
            });
          } else if ('received' in each) {
            if (!client.socket.isPaused) client.socket.events.received(new Uint8Array(each.received));
          } else if ('ended' in each) {
            client.socket.events.ended();
          } else {
            await vi.advanceTimersByTimeAsync(each.wait);
          }
          client.read();
          const passed = client.socket.bytes;
          expect(passed.equals(stream.subarray(0, passed.length))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

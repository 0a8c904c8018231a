import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAX_FRAME } from './ethernet.ts';
import { parsePacket } from './ip.ts';
import type { NetworkStatus } from './network.ts';
import { loadNat } from './offline-network.ts';
import { RelayNetwork } from './relay-network.ts';
import {
  type ClientMessage,
  formatMessage,
  formatTokenAnswer,
  parseClientMessage,
  RELAY_WINDOW,
  type RelayMessage,
} from './relay-protocol.ts';
import { ACK, parseSegment, RST, SYN } from './tcp-segment.ts';
import { FakeCard, OUTSIDE, queryFrame, resultOf, tcpFrame } from './testing/guest-frames.ts';

const BASE = 'https://run.example/some/folder/';
const CONFIG: RelayMessage = {
  type: 'config',
  mtu: 65_520,
  offloads: true,
  rate: 20 << 20,
  connections: 256,
};
const SERVER_FAILURE = 2;

/** A WebSocket whose other end is the test. */
class FakeSocket {
  static opened: FakeSocket[] = [];
  readonly OPEN = 1;
  readyState = 0;
  bufferedAmount = 0;
  readonly frames: Uint8Array[] = [];
  readonly messages: ClientMessage[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly url: URL;
  readonly protocols: string[];

  constructor(url: URL, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.opened.push(this);
  }

  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.messages.push(parseClientMessage(data));
    else this.frames.push(data);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The relay accepts. */
  accept(config: RelayMessage = CONFIG): void {
    this.readyState = 1;
    this.say(config);
  }

  say(message: RelayMessage): void {
    this.onmessage?.({ data: formatMessage(message) });
  }

  pass(frame: Uint8Array): void {
    this.onmessage?.({ data: Uint8Array.from(frame).buffer });
  }

  get acknowledged(): number {
    return this.messages.reduce((sum, message) => sum + (message.type === 'ack' ? message.bytes : 0), 0);
  }
}

let card: FakeCard;
let network: RelayNetwork;
let status: NetworkStatus;
/** The server's answers to requests for tokens; the last one repeats. */
let answers: string[];
let requests: string[];

const settle = () => vi.advanceTimersByTimeAsync(0);
const lastSocket = () => FakeSocket.opened.at(-1) as FakeSocket;
const frame = (length = 60) => new Uint8Array(length);

// An import takes real time.
beforeAll(async () => {
  await loadNat();
});

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.opened = [];
  card = new FakeCard();
  requests = [];
  answers = [formatTokenAnswer({ token: 'secret' })];
  vi.stubGlobal('fetch', async (url: URL, { method }: RequestInit) => {
    requests.push(`${method} ${url}`);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined) throw new TypeError('fetch failed');
    return new Response(answer);
  });
  network = new RelayNetwork(
    {
      base: BASE,
      openSocket: async (url, protocols) => new FakeSocket(url, protocols) as unknown as WebSocket,
    },
    card,
    {
      status: (now) => {
        status = now;
      },
      configure: () => {},
    },
  );
});

afterEach(() => {
  network.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function connect(): Promise<FakeSocket> {
  network.receive(frame());
  await settle();
  lastSocket().accept();
  return lastSocket();
}

test('asks for a session with the first frame, which waits for it', async () => {
  await settle();
  expect([requests, status.state]).toEqual([[], 'idle']);
  network.receive(frame(61));
  expect([status.state, card.isHeld]).toEqual(['connecting', true]);
  await settle();
  const { url, protocols } = lastSocket();
  expect(requests).toEqual([`POST ${BASE}relay/token`]);
  expect([url.href, protocols]).toEqual([
    'wss://run.example/some/folder/relay',
    ['linuxrun.relay.1', 'token.secret'],
  ]);
  lastSocket().accept();
  expect(status).toMatchObject({ state: 'up', rate: 20 << 20 });
  expect(lastSocket().frames.map(({ length }) => length)).toEqual([61]);
  expect(card.isHeld).toBe(false);
});

/** As the guest's kernel sends it when the link is up. */
function solicitation(): Uint8Array {
  const bytes = frame(70);
  bytes.set([0x33, 0x33, 0, 0, 0, 2]);
  bytes.set([0x86, 0xdd], 12);
  return bytes;
}

test('solicitations for a router are no reason to connect, and each session gets the last one', async () => {
  network.receive(solicitation());
  await settle();
  expect([status.state, requests, card.isHeld]).toEqual(['idle', [], false]);
  (await connect()).onclose?.();
  await vi.advanceTimersByTimeAsync(1000);
  lastSocket().accept();
  expect(FakeSocket.opened.map(({ frames }) => frames.map(({ length }) => length))).toEqual([[70, 60], [70]]);
});

test('passes frames on and reports their number once a second', async () => {
  const socket = await connect();
  socket.pass(frame(100));
  network.receive(frame(70));
  expect([card.frames.length, socket.frames.length, status.received]).toEqual([1, 2, 0]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(status).toMatchObject({ received: 100, sent: 130 });
});

describe('a guest that takes nothing', () => {
  test('acknowledges nothing, and then what it has taken', async () => {
    const socket = await connect();
    card.takes = false;
    for (let sent = 0; sent < RELAY_WINDOW; sent += 1 << 15) socket.pass(frame(1 << 15));
    await vi.advanceTimersByTimeAsync(1000);
    expect(socket.acknowledged).toBe(0);
    card.waiting -= 3 << 15;
    network.resume();
    await vi.advanceTimersByTimeAsync(1000);
    expect(socket.acknowledged).toBe(3 << 15);
  });

  test('has at most a window and a frame of memory, whatever the relay sends', async () => {
    const socket = await connect();
    card.takes = false;
    for (let sent = 0; sent < 100 << 20; sent += 60_000) socket.pass(frame(60_000));
    expect(card.waiting).toBeLessThanOrEqual(RELAY_WINDOW + 2 * MAX_FRAME);
    expect([socket.readyState, status.state]).toEqual([3, 'off']);
    expect(status.reason).toMatch(/reload/);
  });
});

describe('the guest is held', () => {
  test('while the socket has not sent a mebibyte', async () => {
    const socket = await connect();
    socket.bufferedAmount = (1 << 20) + 1;
    network.receive(frame());
    await vi.advanceTimersByTimeAsync(1000);
    expect(card.isHeld).toBe(true);
    socket.bufferedAmount = 0;
    await vi.advanceTimersByTimeAsync(100);
    expect(card.isHeld).toBe(false);
  });

  test('while the relay has not acknowledged a window', async () => {
    const socket = await connect();
    for (let sent = 0; sent < RELAY_WINDOW; sent += 1 << 16) network.receive(frame(1 << 16));
    expect(card.isHeld).toBe(true);
    socket.say({ type: 'ack', bytes: 1 << 16 });
    expect(card.isHeld).toBe(false);
  });
});

describe('a session that is lost', () => {
  /** A connection that has got 10 bytes and waits for more. */
  async function download(): Promise<FakeSocket> {
    const socket = await connect();
    const send = (frame: Uint8Array) => {
      card.connections.see(frame, false);
      network.receive(frame);
    };
    send(tcpFrame(OUTSIDE, { flags: SYN, sequence: 99 }));
    socket.pass(tcpFrame(OUTSIDE, { flags: SYN | ACK, sequence: 499 }, false));
    socket.pass(tcpFrame(OUTSIDE, { flags: ACK, sequence: 500, data: new Uint8Array(10) }, false));
    socket.pass(tcpFrame(OUTSIDE, { flags: ACK, sequence: 500, data: new Uint8Array(5) }, false));
    send(tcpFrame(OUTSIDE, { flags: ACK, sequence: 100, acknowledgement: 510 }));
    return socket;
  }

  test('takes the link down, and resets the connections of the guest', async () => {
    (await download()).onclose?.();
    expect([status.state, card.isUp, card.isHeld]).toEqual(['down', false, true]);
    expect(status.reason).toMatch(/gone/);
    const packet = parsePacket(card.frames.at(-1) as Uint8Array);
    expect(parseSegment(packet?.payload as Uint8Array)).toMatchObject({
      ...{ sourcePort: 80, destinationPort: 4000, flags: RST | ACK },
      ...{ sequence: 510, acknowledgement: 100 },
    });
  });

  test('is tried again until it is back, at least every 5 seconds', async () => {
    const socket = await connect();
    answers = [];
    socket.onclose?.();
    await vi.advanceTimersByTimeAsync(20_000);
    const attempts = requests.length;
    await vi.advanceTimersByTimeAsync(5000);
    expect(requests.length).toBeGreaterThan(attempts);
    answers = [formatTokenAnswer({ token: 'again' })];
    await vi.advanceTimersByTimeAsync(5000);
    lastSocket().accept();
    expect([status.state, card.isUp, card.isHeld]).toEqual(['up', true, false]);
    expect(FakeSocket.opened).toHaveLength(2);
  });

  test('for a minute lets everything fail at once, and is asked for when the guest sends', async () => {
    const socket = await connect();
    answers = [];
    socket.onclose?.();
    await vi.advanceTimersByTimeAsync(90_000);
    expect([status.state, card.isUp, card.isHeld]).toEqual(['off', true, false]);
    answers = [formatTokenAnswer({ token: 'again' })];
    network.receive(frame());
    await settle();
    lastSocket().accept();
    expect(status).toMatchObject({ state: 'up', reason: undefined });
  });

  test('is noticed within 30 seconds although the socket stays open', async () => {
    const socket = await connect();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket.messages).toContainEqual({ type: 'ping' });
    socket.say({ type: 'pong' });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(status.state).toBe('up');
    await vi.advanceTimersByTimeAsync(15_000);
    expect(status.state).toBe('down');
  });
});

test('a session that ends because it is idle comes back with the next frame', async () => {
  const socket = await connect();
  socket.say({ type: 'error', reason: 'idle' });
  expect([status.state, card.isUp, card.isHeld, requests.length]).toEqual(['idle', true, false, 1]);
  await connect();
  expect([status.state, requests.length]).toEqual(['up', 2]);
});

describe('without a relay', () => {
  const page = '<!doctype html><title>Not found</title>';

  test('names fail at once, and the page hears why and what to do', async () => {
    answers = [page];
    network.receive(queryFrame());
    await settle();
    expect(resultOf(card.frames[0] as Uint8Array)).toBe(SERVER_FAILURE);
    expect(status).toMatchObject({ state: 'off', isMissed: true });
    expect(status.reason).toMatch(/wss:.*npm start/);
    expect(card).toMatchObject({ isUp: true, isHeld: false });
  });

  test('connections fail at once', async () => {
    answers = [page];
    network.receive(tcpFrame(OUTSIDE, { flags: SYN, sequence: 1 }));
    await settle();
    // Destination unreachable.
    expect(parsePacket(card.frames[0] as Uint8Array)?.payload[0]).toBe(3);
    expect(status.isMissed).toBe(true);
  });

  test('the server is not asked again', async () => {
    answers = [page];
    for (let second = 0; second < 20; second++) {
      network.receive(queryFrame());
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect([requests.length, card.frames.length]).toEqual([1, 20]);
  });
});

test('a relay without room says so, and is asked again when the guest sends later', async () => {
  answers = [formatTokenAnswer({ refused: 'sessions', message: 'you have two sessions already' })];
  network.receive(queryFrame());
  await settle();
  expect(status).toMatchObject({ state: 'off', reason: 'you have two sessions already', isMissed: true });
  network.receive(queryFrame());
  await vi.advanceTimersByTimeAsync(6000);
  expect(requests).toHaveLength(1);
  answers = [formatTokenAnswer({ token: 'free' })];
  await connect();
  expect([status.state, status.isMissed]).toEqual(['up', undefined]);
});

test('frames wait 8 seconds for a relay that does not answer', async () => {
  network.receive(queryFrame());
  await vi.advanceTimersByTimeAsync(7000);
  expect([status.state, card.isHeld]).toEqual(['connecting', true]);
  await vi.advanceTimersByTimeAsync(2000);
  expect([status.state, card.isHeld, lastSocket().readyState]).toEqual(['off', false, 3]);
  expect(resultOf(card.frames[0] as Uint8Array)).toBe(SERVER_FAILURE);
});

test('refusals and limits are reported', async () => {
  const socket = await connect();
  socket.say({ type: 'refused', destination: '10.0.0.1:80', reason: 'address' });
  socket.say({ type: 'limit', active: ['rate'], refused: 3 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(status).toMatchObject({
    ...{ limits: ['rate'], refused: 3 },
    refusal: { destination: '10.0.0.1:80', reason: 'address' },
  });
});

test.each([
  ['a message that is none', (socket: FakeSocket) => socket.onmessage?.({ data: '{' })],
  ['a frame that is too short', (socket: FakeSocket) => socket.pass(frame(13))],
  ['a frame that is too long', (socket: FakeSocket) => socket.pass(frame(MAX_FRAME + 1))],
  ['more acknowledged than was sent', (socket: FakeSocket) => socket.say({ type: 'ack', bytes: 1 << 20 })],
  ['another configuration', (socket: FakeSocket) => socket.say(CONFIG)],
])('%s ends the network', async (_, act) => {
  const socket = await connect();
  act(socket);
  expect([socket.readyState, status.state]).toEqual([3, 'off']);
});

test('a relay that needs another card is not used', async () => {
  network.receive(frame());
  await settle();
  lastSocket().accept({ ...CONFIG, mtu: 1500 } as RelayMessage);
  expect([lastSocket().readyState, status.state]).toEqual([3, 'off']);
});

test('closes its socket, and hears nothing more', async () => {
  const socket = await connect();
  network.close();
  expect(socket.readyState).toBe(3);
  socket.say({ type: 'error', reason: 'idle' });
  expect(status.state).toBe('up');
});

test('closes a socket that it gets after its own end', async () => {
  network.receive(frame());
  network.close();
  await settle();
  expect(FakeSocket.opened.map(({ readyState }) => readyState)).toEqual([3]);
});

import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatAddress, parseAddress } from '../../network/address.ts';
import { Nat } from '../../network/nat.ts';
import { PROTOCOL_ICMP, PROTOCOL_UDP } from '../../network/packet.ts';
import { PLAN } from '../../network/plan.ts';
import { formatMessage, offerProtocols, RELAY_WINDOW } from '../../network/relay-protocol.ts';
import { SYN } from '../../network/tcp-segment.ts';
import { listen as listenOn, type TestServer } from '../../network/testing/test-server.ts';
import { patchHeader, SERVER } from '../../network/testing/world.ts';
import { UDP_HEADER, writeDatagram } from '../../network/udp-datagram.ts';
import type { RelayOptions } from './options.ts';
import { type RelayClient, RelayServer } from './testing/relay-server.ts';
import { TcpClient, until } from './testing/tcp-client.ts';

let relay: RelayServer;
const toClose: (() => unknown)[] = [];

const start = async (options: RelayOptions = {}) => {
  await relay?.close();
  relay = await RelayServer.start({
    trustProxy: true,
    aliases: { [formatAddress(SERVER)]: '127.0.0.1' },
    ...options,
  });
};

beforeEach(() => start());
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
  await relay.close();
});

async function listen(server: Server): Promise<TestServer> {
  const running = await listenOn(server);
  toClose.push(() => running[Symbol.asyncDispose]());
  return running;
}

/** A server whose answer is the body. */
const listenWith = (body: Uint8Array) => listen(createServer((socket) => socket.end(body)));

/** A server whose connections stay open. */
const listenForGood = () => listen(createServer((socket) => socket.resume()));

const echoRequest = (id: number) => Uint8Array.of(8, 0, 0, 0, 0, id, 0, 0);

function ping(client: RelayClient, id = 1): void {
  client.send(PLAN.gateway, PROTOCOL_ICMP, echoRequest(id));
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a client of ours', () => {
  test('hears of the configuration first, and its frames are answered and acknowledged', async () => {
    const client = await relay.connect();
    ping(client);
    await until(() => client.frames.length === 1 && client.heard('ack').length === 1);
    expect(client.messages).toEqual([
      { type: 'config', mtu: 65_520, offloads: true, rate: 20 << 20, connections: 128 },
      { type: 'ack', bytes: 42 },
    ]);
    client.socket.send(formatMessage({ type: 'ping' }));
    await until(() => client.heard('pong').length === 1);
  });

  test('hears what is refused, and how much', async () => {
    const client = await relay.connect();
    for (let port = 0; port < 100; port++)
      client.sendSegment(parseAddress('10.0.0.1'), { flags: SYN, destinationPort: 1000 + port });
    const limit = await until(() => client.heard('limit').at(-1));
    expect(limit).toEqual({ type: 'limit', active: [], refused: 100 });
    const refused = client.heard('refused');
    expect(refused[0]).toEqual({ type: 'refused', destination: '10.0.0.1:1000', reason: 'address' });
    expect(refused.length).toBeLessThanOrEqual(10);
    expect(client.segments()).toHaveLength(100);
    client.socket.close();
    expect(await until(() => relay.lines[0])).toMatch(
      /left after \d+ s, 6200 bytes up, 5400 bytes down, 100 refused$/,
    );
  });

  test('is told of the connections that it may not have', async () => {
    const client = await relay.connect();
    const { port } = await listenForGood();
    for (let sourcePort = 5000; sourcePort < 5129; sourcePort++)
      client.sendSegment(SERVER, { flags: SYN, destinationPort: port, sourcePort });
    const limit = await until(() => client.heard('limit').find(({ active }) => active.length > 0));
    expect(limit).toMatchObject({ active: ['connections'], refused: 1 });
  });

  test('downloads whole, and the relay holds no more than the window', async () => {
    const body = randomBytes(6 << 20);
    const { port } = await listenWith(body);
    const client = await relay.connect();
    const connection = await TcpClient.connect(client, { address: SERVER, port });
    expect(sha256(await connection.readAll())).toBe(sha256(body));
  });

  test.each<[string, (client: RelayClient) => void]>([
    ['text that is no message', (client) => client.socket.send('hello')],
    ['a message of a relay', (client) => client.socket.send('{"type":"error","reason":"idle"}')],
    [
      'an acknowledgement of nothing',
      (client) => client.socket.send(formatMessage({ type: 'ack', bytes: 1 })),
    ],
    ['an empty frame', (client) => client.transmit(new Uint8Array(0))],
    ['a short frame', (client) => client.transmit(new Uint8Array(13))],
    ['a long frame', (client) => client.transmit(new Uint8Array(65_550))],
    ['many pings', (client) => Array.from({ length: 3000 }, () => client.socket.ping())],
  ])('%s ends the session', async (_, misbehave) => {
    const client = await relay.connect();
    misbehave(client);
    expect(await client.closed).toBe(1008);
    expect(client.heard('error')).toEqual([{ type: 'error', reason: 'protocol' }]);
    await until(() => relay.relay.sessions === 0);
    expect(relay.lines).toEqual([expect.stringContaining(': protocol after')]);
  });

  test('a message that is larger than any frame ends the session', async () => {
    const client = await relay.connect();
    client.transmit(new Uint8Array((128 << 10) + 1));
    expect(await client.closed).toBe(1009);
  });

  test.each<[string, (client: RelayClient) => void]>([
    ['sends text', (client) => client.socket.send('hello')],
    ['breaks the protocol of WebSockets', (client) => client.transmit(new Uint8Array((128 << 10) + 1))],
  ])('a client that %s and does not close its end is gone soon', async (_, misbehave) => {
    const client = await relay.connect();
    misbehave(client);
    client.socket.pause();
    const begin = performance.now();
    await until(() => relay.lines.length === 1 && relay.relay.sessions === 0);
    // `ws` waits for half a minute.
    expect(performance.now() - begin).toBeLessThan(15_000);
    client.socket.terminate();
  });

  test('frames beyond the window end the session', async () => {
    await start({ limits: { bytesPerSecond: 1024 } });
    const client = await relay.connect();
    for (let sent = 0; sent < 2 * RELAY_WINDOW; sent += 60_000) client.transmit(new Uint8Array(60_000));
    expect(await client.closed).toBe(1008);
  });
});

describe('limits', () => {
  test('the rate delays frames, and loses none', async () => {
    // A small frame counts as 512 bytes.
    await start({ limits: { bytesPerSecond: 400 * 512 } });
    const client = await relay.connect();
    const begin = performance.now();
    for (let id = 0; id < 500; id++) ping(client, id & 0xff);
    await until(() => client.frames.length === 500);
    expect(performance.now() - begin).toBeGreaterThan(900);
    expect(client.packets().map(({ payload }) => payload[5])).toEqual(
      Array.from({ length: 500 }, (_, id) => id & 0xff),
    );
    await until(() => client.heard('limit').some(({ active }) => active.includes('rate')));
    await until(() => client.heard('limit').at(-1)?.active.length === 0);
  });

  test('a client that takes nothing gets the window and no more, and everything later', async () => {
    const body = randomBytes(8 << 20);
    const { port } = await listenWith(body);
    const client = await relay.connect();
    client.acknowledges = false;
    const connection = await TcpClient.connect(client, { address: SERVER, port });
    // The guest's ends of TCP take all, but the client does not say so.
    const all = connection.readAll();
    const received = () => client.received;
    await until(() => received() > 256 << 10);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(received()).toBeLessThan(RELAY_WINDOW + (64 << 10));
    client.acknowledges = true;
    client.acknowledge(received());
    expect(sha256(await all)).toBe(sha256(body));
  });

  test('an idle session ends', async () => {
    await start({ limits: { idle: 1000 } });
    const client = await relay.connect();
    expect(await client.closed).toBe(1000);
    expect(client.heard('error')).toEqual([{ type: 'error', reason: 'idle' }]);
  });

  test('a long session ends, however busy it is', async () => {
    await start({ limits: { lifetime: 2000 } });
    const client = await relay.connect();
    const timer = setInterval(() => ping(client), 50);
    toClose.push(() => clearInterval(timer));
    await client.closed;
    expect(client.heard('error')).toEqual([{ type: 'error', reason: 'lifetime' }]);
  });

  test('a peer that is gone without a word is noticed', async () => {
    await start({ limits: { ping: 500, silence: 2500 } });
    const live = await relay.connect({ headers: relay.page('192.0.2.9') });
    const protocols = offerProtocols(await relay.token()).join(', ');
    const headers = { ...relay.page(), 'Sec-WebSocket-Protocol': protocols, 'Sec-WebSocket-Version': '13' };
    const dead = connect(relay.port, 'localhost');
    toClose.push(() => dead.destroy());
    dead.write(
      `GET /relay HTTP/1.1\r\nHost: localhost:${relay.port}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
        `${Object.entries(headers)
          .map((header) => `${header.join(': ')}\r\n`)
          .join('')}\r\n`,
    );
    await until(() => relay.relay.sessions === 2);
    await until(() => relay.relay.sessions === 1);
    expect(relay.lines).toEqual([expect.stringMatching(/^relay: 192\.0\.2\.1: dead after/)]);
    expect(live.socket.readyState).toBe(live.socket.OPEN);
  });

  test('nothing is left when a page is closed', async () => {
    const { port, sockets } = await listenForGood();
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    toClose.push(() => udp.close());
    const udpSockets = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('UDP')).length;
    const before = udpSockets();
    const client = await relay.connect();
    for (let sourcePort = 5000; sourcePort < 5040; sourcePort++) {
      client.sendSegment(SERVER, { flags: SYN, destinationPort: port, sourcePort });
      client.sendUdp(SERVER, udp.address().port, Uint8Array.of(1), sourcePort);
    }
    await until(() => sockets.size === 40 && udpSockets() === before + 40);
    const begin = performance.now();
    client.socket.terminate();
    await until(() => sockets.size === 0 && udpSockets() === before);
    expect(performance.now() - begin).toBeLessThan(10_000);
    await until(() => relay.relay.sessions === 0);
  });
});

test('sessions are apart, also with the same ports', async () => {
  const udp = createSocket('udp4');
  udp.on('message', (data, { port }) => udp.send(`answer for ${data}`, port, '127.0.0.1'));
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  toClose.push(() => udp.close());
  const clients = await Promise.all(
    ['192.0.2.1', '192.0.2.2'].map((client) => relay.connect({ headers: relay.page(client) })),
  );
  for (const [index, client] of clients.entries())
    client.sendUdp(SERVER, udp.address().port, Buffer.from(`client ${index}`), 5000);
  await until(() => clients.every(({ frames }) => frames.length > 0));
  for (const client of clients) ping(client);
  await until(() => clients.every(({ frames }) => frames.length === 2));
  const texts = clients.map((client) => client.datagrams().map(({ data }) => Buffer.from(data).toString()));
  expect(texts).toEqual([['answer for client 0'], ['answer for client 1']]);
});

test('a fault in one session leaves the others alone', async () => {
  const [one, two] = await Promise.all(
    ['192.0.2.1', '192.0.2.2'].map((client) => relay.connect({ headers: relay.page(client) })),
  );
  const report = vi.spyOn(console, 'error').mockImplementation(() => {});
  const receive = vi.spyOn(Nat.prototype, 'receive').mockImplementationOnce(() => {
    throw new Error('a fault');
  });
  toClose.push(() => vi.restoreAllMocks());
  ping(one as RelayClient);
  expect(await one?.closed).toBe(1008);
  expect(report).toHaveBeenCalledWith(new Error('a fault'));
  ping(two as RelayClient);
  await until(() => two?.frames.length === 1);
  expect(receive).toHaveBeenCalledTimes(2);
});

describe('a plain client', () => {
  /** As a client without an address sends it. */
  function sendDhcp(client: RelayClient, type: number, options: number[] = []): void {
    const message = new Uint8Array(240 + 3 + options.length + 1);
    message.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
    message.set(PLAN.guestMac, 28);
    message.set([0x63, 0x82, 0x53, 0x63, 53, 1, type, ...options, 255], 236);
    const everyone = parseAddress('255.255.255.255');
    const nobody = parseAddress('0.0.0.0');
    const bytes = new Uint8Array(UDP_HEADER + message.length);
    writeDatagram(bytes, nobody, everyone, { sourcePort: 68, destinationPort: 67, data: message });
    client.send(everyone, PROTOCOL_UDP, bytes, (frame) => {
      frame.fill(0xff, 0, 6);
      patchHeader(frame, (header) => header.set(nobody, 12));
    });
  }

  async function dhcpAnswer(client: RelayClient): Promise<{ type?: number; address: string; mtu: number }> {
    const data = (await until(() => client.datagrams()[0])).data;
    const options = new Map<number, Uint8Array>();
    for (let at = 240; data[at] !== 255; at += 2 + (data[at + 1] as number))
      options.set(data[at] as number, data.subarray(at + 2, at + 2 + (data[at + 1] as number)));
    const [high = 0, low = 0] = options.get(26) ?? [];
    const type = options.get(53)?.[0];
    return {
      ...(type !== undefined && { type }),
      address: formatAddress(data.slice(16, 20)),
      mtu: (high << 8) | low,
    };
  }

  test('gets an address and a page, in frames that fit its card', async () => {
    const body = randomBytes(1 << 20);
    const { port } = await listen(createHttpServer((_, response) => void response.end(body)));
    const client = await relay.connectPlainly();
    sendDhcp(client, 1);
    expect(await dhcpAnswer(client)).toEqual({ type: 2, address: '10.0.2.15', mtu: 1500 });
    sendDhcp(client, 3, [50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2]);
    expect(await dhcpAnswer(client)).toEqual({ type: 5, address: '10.0.2.15', mtu: 1500 });
    const connection = await TcpClient.connect(client, { address: SERVER, port, segmentSize: 1460 });
    connection.write(Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n'));
    const answer = await connection.readAll();
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(sha256(answer.subarray(answer.indexOf('\r\n\r\n') + 4))).toBe(sha256(body));
    expect([client.largest, client.messages]).toEqual([1514, []]);
  });

  test('is slowed by reading nothing of it', async () => {
    await start({ limits: { bytesPerSecond: 1 << 20 } });
    const client = await relay.connectPlainly();
    const size = 1 << 20;
    for (let sent = 0; sent < 24 * size; sent += 60_000) client.transmit(new Uint8Array(60_000));
    ping(client);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    // The sockets of the system hold some of it, too.
    expect(client.socket.bufferedAmount).toBeGreaterThan(8 * size);
    expect([client.frames.length, client.socket.readyState]).toEqual([0, client.socket.OPEN]);
  });

  test('may send text, which means nothing', async () => {
    const client = await relay.connectPlainly();
    client.socket.send('{"type":"ack","bytes":100}');
    ping(client);
    await until(() => client.frames.length === 1);
  });
});

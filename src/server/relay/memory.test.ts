/** Measures the memory that hostile clients cost a server, which runs in a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatAddress } from '../../network/address.ts';
import { PROTOCOL_ICMP } from '../../network/packet.ts';
import { PLAN } from '../../network/plan.ts';
import { RELAY_WINDOW } from '../../network/relay-protocol.ts';
import { ACK, type Segment, SYN } from '../../network/tcp-segment.ts';
import { listenRaw, type TestServer } from '../../network/testing/test-server.ts';
import { SERVER } from '../../network/testing/world.ts';
import { ChildRelay } from './testing/child-relay.ts';
import type { RelayClient } from './testing/relay-server.ts';
import { until } from './testing/tcp-client.ts';

const MIB = 1 << 20;
const MOST = 16 * MIB;
const CONNECTIONS = 128;
const SESSIONS = 4;
/** Opening all connections takes two seconds of a session's rate, and more on a busy machine. */
const TIMEOUT = 180_000;
const PLENTY = new Uint8Array(2 * MIB);

let relay: ChildRelay;
/** The memory without a session. */
let before: number;
/** A server in this process that sends each client more than a session takes, and reads nothing. */
let peer: TestServer;

beforeAll(async () => {
  peer = await listenRaw((socket) => socket.write(PLENTY));
  const aliases = { [formatAddress(SERVER)]: '127.0.0.1' };
  relay = await ChildRelay.start({ trustProxy: true, aliases });
  const warmUp = await HostileGuest.connect('192.0.2.1');
  warmUp.client.socket.terminate();
  await until(() => peer.sockets.size === 0);
  before = await relay.ask('memory');
}, TIMEOUT);

afterAll(async () => {
  await relay.kill();
  await peer[Symbol.asyncDispose]();
});

/** A guest that has opened all connections that a session may have, with windows as large as can be. */
class HostileGuest {
  readonly client: RelayClient;
  readonly #port = peer.port;
  /** The next numbers of each connection, by its port. */
  readonly #connections = new Map<number, { readonly acknowledgement: number; sequence: number }>();

  private constructor(client: RelayClient) {
    this.client = client;
    client.acknowledges = false;
  }

  static async connect(address: string): Promise<HostileGuest> {
    const it = new HostileGuest(await relay.connect({ headers: relay.page(address) }));
    for (let sourcePort = 5000; sourcePort < 5000 + CONNECTIONS; sourcePort++)
      it.#send({ flags: SYN, sourcePort, sequence: 0, segmentSize: 65_480, scale: 14 });
    await until(() => {
      for (const segment of it.client.segments()) it.#establish(segment);
      return it.#connections.size === CONNECTIONS;
    });
    return it;
  }

  /** Sends large segments on all connections in turn, whether or not anybody takes them. */
  async flood(bytes: number): Promise<void> {
    const data = new Uint8Array(60_000);
    const all = [...this.#connections];
    for (let sent = 0, turn = 0; sent < bytes; sent += data.length, turn++) {
      const [sourcePort, connection] = all[turn % CONNECTIONS] as (typeof all)[number];
      this.#send({ flags: ACK, sourcePort, ...connection, data });
      connection.sequence += data.length;
      if (this.client.unacknowledged > RELAY_WINDOW / 2)
        await until(() => this.client.unacknowledged < RELAY_WINDOW / 4);
    }
  }

  #establish({ flags, sequence, destinationPort: sourcePort }: Segment): void {
    if ((flags & SYN) === 0) return;
    const connection = { acknowledgement: (sequence + 1) >>> 0, sequence: 1 };
    this.#connections.set(sourcePort, connection);
    this.#send({ flags: ACK, sourcePort, ...connection });
  }

  #send(segment: Partial<Segment>): void {
    this.client.sendSegment(SERVER, { destinationPort: this.#port, window: 0xffff, ...segment });
  }
}

function ping(client: RelayClient, bytes: number): void {
  const request = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0);
  for (let sent = 0; sent < bytes; sent += 42) client.send(PLAN.gateway, PROTOCOL_ICMP, request);
}

async function costOfEach(): Promise<number> {
  await sleep(1000);
  return ((await relay.ask('memory')) - before) / SESSIONS;
}

/** What guests do that have acknowledged nothing so far. */
const ACTS: readonly [string, (guest: HostileGuest) => Promise<void>][] = [
  [
    'send to a peer that reads nothing',
    async (guest) => {
      guest.client.acknowledges = true;
      await guest.flood(20 * MIB);
    },
  ],
  [
    'ask in small frames and take no answers',
    async ({ client }) => {
      client.socket.pause();
      ping(client, RELAY_WINDOW);
    },
  ],
];

test.each(ACTS)(
  'clients that acknowledge nothing cost little, also if they %s',
  async (_, act) => {
    const guests = await Promise.all(
      Array.from({ length: SESSIONS }, (__, index) => HostileGuest.connect(`192.0.2.${10 + index}`)),
    );
    await until(() => peer.sockets.size === SESSIONS * CONNECTIONS);
    expect(await costOfEach()).toBeLessThan(MOST);
    await Promise.all(guests.map(act));
    expect(await costOfEach()).toBeLessThan(MOST);
    // None was sent away.
    const states = guests.map(({ client }) => client.socket.readyState);
    expect(states).toEqual(guests.map(({ client }) => client.socket.OPEN));
    for (const { client } of guests) client.socket.terminate();
    await until(() => peer.sockets.size === 0);
  },
  TIMEOUT,
);

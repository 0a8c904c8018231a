import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { formatAddress } from './address.ts';
import { arpReply, frameType, randomMac, TYPE_IPV6 } from './ethernet.ts';
import type { Lease, ManagedCard, NetworkEvents, NetworkStatus } from './network.ts';
import { openNodeNetwork } from './node.ts';
import { PLAN } from './plan.ts';
import { FakeCard, queryFrame, resultOf } from './testing/guest-frames.ts';
import { PlainRelay } from './testing/plain-relay.ts';

const SERVER_FAILURE = 2;

let relay: PlainRelay;
let card: FakeCard;
let leases: Lease[];
let states: NetworkStatus[];
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  // Nobody listens at that port, so queries fail at once.
  relay = await PlainRelay.start({ nameServers: ['127.0.0.1:1'] });
  card = new FakeCard();
  leases = [];
  states = [];
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await relay.stop();
});

function open(url = relay.url) {
  const events: NetworkEvents = {
    status: (status) => void states.push(status),
    configure: (lease) => void leases.push(lease),
  };
  const network = openNodeNetwork({ relay: { kind: 'foreign', url } }, card as ManagedCard, events);
  closing.push(() => network.close());
  return network;
}

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 20_000, interval: 10 });
const state = () => states.at(-1)?.state;
/** The guest's, without advertisements of the router. */
const frames = () => card.frames.filter((frame) => frameType(frame) !== TYPE_IPV6);

test('the guest has no link until a server has told how it is reached', async () => {
  open();
  expect([card.isUp, state()]).toEqual([false, 'connecting']);
  await until(() => card.isUp);
  const [lease] = leases as [Lease];
  expect(lease.prefix).toBe(24);
  expect([lease.guest, lease.gateway, lease.nameServer].map(formatAddress)).toEqual([
    '10.0.2.15',
    '10.0.2.2',
    '10.0.2.3',
  ]);
  expect(state()).toBe('up');
  // None of the frames about the lease was for the guest.
  expect(frames()).toEqual([]);
});

test('frames pass in both directions, and are counted', async () => {
  const network = open();
  await until(() => card.isUp);
  network.receive(queryFrame());
  await until(() => frames().length > 0);
  expect(resultOf(frames()[0] as Uint8Array)).toBe(SERVER_FAILURE);
  await until(() => (states.at(-1)?.received ?? 0) > 0);
  expect(states.at(-1)?.sent).toBe(queryFrame().length);
});

test('a relay that goes away takes the link with it until it is back', async () => {
  open();
  await until(() => card.isUp);
  const { port } = relay;
  await relay.stop();
  await until(() => !card.isUp);
  expect(states.at(-1)).toMatchObject({ state: 'down', reason: expect.stringContaining('127.0.0.1') });
  relay = await PlainRelay.start({}, port);
  await until(() => card.isUp);
  expect(state()).toBe('up');
  expect(leases).toHaveLength(2);
  // For the guest, which does not know that this may be another link.
  await until(() => relay.solicitations === 1);
});

test('a guest that takes nothing loses frames beyond 4 MiB', async () => {
  open();
  await until(() => card.isUp);
  card.takes = false;
  const [client] = relay.clients;
  for (let sent = 0; sent < 16 << 20; sent += 1500) client?.send(new Uint8Array(1500));
  await until(() => card.waiting > 4 << 20);
  // Messages arrive in order, so this one comes last.
  client?.send(new Uint8Array(1500));
  await until(() => client?.bufferedAmount === 0);
  expect(card.waiting).toBeLessThan((4 << 20) + 1501);
});

test('what is no frame does not reach the guest', async () => {
  open();
  await until(() => card.isUp);
  const [client] = relay.clients;
  for (const bytes of [new Uint8Array(13), new Uint8Array(70_000)]) client?.send(bytes);
  client?.send('text');
  const frame = arpReply({ senderMac: card.mac, sender: PLAN.guest, target: PLAN.gateway }, randomMac());
  client?.send(frame);
  await until(() => frames().length > 0);
  expect(frames().map(({ length }) => length)).toEqual([frame.length]);
});

test('a relay whose messages are larger than any frame is left', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  closing.push(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  open(`ws://127.0.0.1:${port}/`);
  const [socket] = (await once(server, 'connection')) as [WebSocket];
  socket.send(new Uint8Array(1 << 20));
  expect((await once(socket, 'close'))[0]).toBe(1009);
});

test('nothing is left of a network that is closed', async () => {
  const network = open();
  await until(() => card.isUp);
  network.close();
  await until(() => relay.clients.length === 0);
});

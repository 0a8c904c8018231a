import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';
import { write32 } from './bytes.ts';
import { DhcpClient } from './dhcp-client.ts';
import { ACK, DISCOVER, NAK, OFFER, REQUEST } from './dhcp-message.ts';
import { packetFrame, parsePacket } from './ip.ts';
import type { Lease } from './network.ts';
import { PROTOCOL_UDP } from './packet.ts';
import { PLAN } from './plan.ts';
import { parseDatagram, UDP_HEADER, writeDatagram } from './udp-datagram.ts';

const MAC = Uint8Array.of(0x52, 0x54, 0, 1, 2, 3);
const SERVER = parseAddress('192.168.86.1');
const CLIENT = parseAddress('192.168.86.100');
const MASK = 1;
const ROUTER = 3;
const DNS = 6;
const REQUESTED = 50;
const TIME = 51;
const TYPE = 53;
const SERVER_ID = 54;

type Options = Record<number, readonly number[] | Uint8Array>;

const USUAL: Options = {
  [MASK]: [255, 255, 255, 0],
  [ROUTER]: SERVER,
  [DNS]: [8, 8, 8, 8, 8, 8, 4, 4],
  [TIME]: [0, 0, 0x0e, 0x10],
  [SERVER_ID]: SERVER,
};

let sent: Uint8Array[];
let leases: Lease[];
let lost: number;
let client: DhcpClient;

beforeEach(() => {
  vi.useFakeTimers();
  [sent, leases, lost] = [[], [], 0];
  client = new DhcpClient(MAC, {
    send: (frame) => void sent.push(frame),
    leased: (lease) => void leases.push(lease),
    lost: () => {
      lost++;
    },
  });
  client.start();
});
afterEach(() => {
  client.close();
  vi.useRealTimers();
});

function lastMessage(): Uint8Array {
  const packet = parsePacket(sent.at(-1) as Uint8Array);
  expect(formatAddress(packet?.destination as Uint8Array)).toBe('255.255.255.255');
  return parseDatagram(packet?.payload as Uint8Array)?.data as Uint8Array;
}

function option(message: Uint8Array, kind: number): number[] | undefined {
  for (let at = 240; message[at] !== 255 && at < message.length; at += 2 + (message[at + 1] as number))
    if (message[at] === kind) return [...message.subarray(at + 2, at + 2 + (message[at + 1] as number))];
  return undefined;
}
const lastType = () => option(lastMessage(), TYPE)?.[0];

interface Answer {
  readonly address?: Uint8Array;
  readonly change?: (message: Uint8Array) => void;
}

/** Answers the last message. @returns whether the client took it */
function answer(type: number, options: Options = USUAL, { address = CLIENT, change }: Answer = {}): boolean {
  const request = lastMessage();
  const encoded = Object.entries({ ...options, [TYPE]: [type] }).flatMap(([kind, value]) => [
    Number(kind),
    value.length,
    ...value,
  ]);
  const data = new Uint8Array(240 + encoded.length + 1);
  data.set([2, 1, 6]);
  data.set(request.subarray(4, 8), 4);
  data.set(address, 16);
  data.set(request.subarray(28, 34), 28);
  write32(data, 236, 0x6382_5363);
  data.set([...encoded, 255], 240);
  change?.(data);
  const macs = { source: PLAN.gatewayMac, destination: MAC };
  const header = { source: SERVER, destination: CLIENT, protocol: PROTOCOL_UDP };
  const frame = packetFrame(macs, header, UDP_HEADER + data.length, (payload) =>
    writeDatagram(payload, SERVER, CLIENT, { sourcePort: 67, destinationPort: 68, data }),
  );
  return client.receive(frame);
}

test('takes the first offer', () => {
  expect(lastType()).toBe(DISCOVER);
  answer(OFFER);
  expect(lastType()).toBe(REQUEST);
  expect(option(lastMessage(), REQUESTED)).toEqual([...CLIENT]);
  expect(option(lastMessage(), SERVER_ID)).toEqual([...SERVER]);
  answer(ACK);
  expect(leases).toEqual([
    { guest: CLIENT, prefix: 24, gateway: SERVER, nameServer: parseAddress('8.8.8.8') },
  ]);
});

test('repeats messages that are not answered, and begins anew when an offer is forgotten', async () => {
  await vi.advanceTimersByTimeAsync(3500);
  expect(sent).toHaveLength(3);
  answer(OFFER);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lastType()).toBe(DISCOVER);
});

test('renews the lease in time, and keeps it if nobody answers', async () => {
  answer(OFFER);
  answer(ACK);
  const before = sent.length;
  await vi.advanceTimersByTimeAsync(1799_000);
  expect(sent).toHaveLength(before);
  await vi.advanceTimersByTimeAsync(1000);
  expect([lastType(), [...lastMessage().subarray(12, 16)]]).toEqual([REQUEST, [...CLIENT]]);
  answer(ACK);
  expect([leases.length, lost]).toEqual([2, 0]);
  await vi.advanceTimersByTimeAsync(1860_000);
  expect(lost).toBe(0);
  expect(option(lastMessage(), REQUESTED)).toEqual([...CLIENT]);
});

test('asks for another address when the server takes it back', async () => {
  answer(OFFER);
  answer(ACK);
  await vi.advanceTimersByTimeAsync(1800_000);
  answer(NAK);
  expect([lost, lastType(), option(lastMessage(), REQUESTED)]).toEqual([1, DISCOVER, undefined]);
});

test('a lease without end is renewed all the same, and one without time not all the time', async () => {
  answer(OFFER);
  answer(ACK, { ...USUAL, [TIME]: [255, 255, 255, 255] });
  const before = sent.length;
  await vi.advanceTimersByTimeAsync(86_400_000 / 2);
  expect(sent).toHaveLength(before + 1);
  answer(ACK, { ...USUAL, [TIME]: [0, 0, 0, 0] });
  await vi.advanceTimersByTimeAsync(29_000);
  expect(sent).toHaveLength(before + 1);
});

test('the gateway is the name server if there is no other, and networks have 24 bits', () => {
  answer(OFFER);
  answer(ACK, { [ROUTER]: SERVER, [SERVER_ID]: SERVER });
  expect(leases).toMatchObject([{ prefix: 24, nameServer: SERVER }]);
});

describe('ignores', () => {
  test.each<[string, Options, Answer]>([
    ['an address that no machine has', USUAL, { address: parseAddress('0.0.0.0') }],
    ['an address of many', USUAL, { address: parseAddress('224.0.0.1') }],
    ['an address of this machine', USUAL, { address: parseAddress('127.0.0.1') }],
    ['a mask with holes', { ...USUAL, [MASK]: [255, 0, 255, 0] }, {}],
    ['a mask of nothing', { ...USUAL, [MASK]: [0, 0, 0, 0] }, {}],
    ['a network without a router', { [MASK]: [255, 255, 255, 0] }, {}],
    ['a router of three bytes', { ...USUAL, [ROUTER]: [1, 2, 3] }, {}],
  ])('%s', (_, options, how) => {
    answer(OFFER);
    expect(answer(ACK, options, how)).toBe(true);
    expect(leases).toEqual([]);
  });

  test.each<[string, (message: Uint8Array) => void]>([
    ['another transaction', (message) => message.fill(0, 4, 8)],
    ['another client', (message) => message.fill(0, 28, 34)],
    ['a request', (message) => message.fill(1, 0, 1)],
    ['no DHCP', (message) => message.fill(0, 236, 240)],
  ])('%s, which the guest gets', (_, change) => {
    expect(answer(OFFER, USUAL, { change })).toBe(false);
    expect(lastType()).toBe(DISCOVER);
  });
});

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { read16, read32, write16 } from './bytes.ts';
import { checksum, pseudoHeaderSum } from './checksum.ts';
import { ETHERNET_HEADER } from './ethernet.ts';
import { IPV6_HEADER } from './ipv6.ts';
import { type Packet, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from './packet.ts';
import { PLAN } from './plan.ts';
import { ACK, RST, SYN } from './tcp-segment.ts';
import { GUEST6, SERVER, SERVER6, World, type WorldOptions } from './testing/world.ts';

const HOST6 = '2600:1f18::7';
const ALL_NODES = parseAddress('ff02::1');
const ALL_ROUTERS = parseAddress('ff02::2');
const LINK_LOCAL = parseAddress('fe80::5054:ff:fe12:3456');
const UNSPECIFIED = parseAddress('::');
const { gateway, nameServer, router } = PLAN.ipv6;
const TEN_MINUTES = 600_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const bytes = (...values: number[]) => Uint8Array.of(...values);
const turn = () => vi.advanceTimersByTimeAsync(0);

const solicitRouter = (world: World, source = LINK_LOCAL) =>
  world.send(ALL_ROUTERS, PROTOCOL_ICMPV6, bytes(133, 0, 0, 0, 0, 0, 0, 0), undefined, source);

/** A host in the internet of IPv6, whose guest has its address. */
function worldWithIpv6(options: WorldOptions = {}): World {
  const world = new World({ own: [HOST6], ...options });
  solicitRouter(world);
  world.packets();
  return world;
}

describe('neighbour discovery', () => {
  function solicit(target: Address, source = GUEST6, change?: (frame: Uint8Array) => void): Packet[] {
    const world = worldWithIpv6();
    const group = parseAddress('ff02::1:ff00:0');
    group.set(target.subarray(13), 13);
    world.send(group, PROTOCOL_ICMPV6, bytes(135, 0, 0, 0, 0, 0, 0, 0, ...target), change, source);
    return world.packets();
  }

  test.each([gateway, nameServer, router])('%s is there', (target) => {
    const [answer] = solicit(target) as [Packet];
    expect([formatAddress(answer.source), formatAddress(answer.destination)]).toEqual(
      [target, GUEST6].map(formatAddress),
    );
    // From a router, solicited, overriding; then the option with the hardware address.
    expect([...answer.payload.subarray(4)]).toEqual([0xe0, 0, 0, 0, ...target, 2, 1, ...PLAN.gatewayMac]);
    expect(answer.bytes[7]).toBe(255);
    expectChecksum(answer);
  });

  test('nobody else is there, least of all one with the guest’s address', () => {
    const others = ['fd4c:696e:7578::4', 'fe80::1', '2606:2800:220:1::1'].map(parseAddress);
    for (const target of others) expect(solicit(target)).toEqual([]);
    for (const target of [GUEST6, LINK_LOCAL]) expect(solicit(target, UNSPECIFIED)).toEqual([]);
  });

  test('a guest that wants the gateway’s address hears that it is taken', () => {
    const [answer] = solicit(gateway, UNSPECIFIED);
    expect(formatAddress(answer?.destination ?? bytes())).toBe('ff02::1');
    expect(answer?.payload[4]).toBe(0xa0);
  });

  test('solicitations from elsewhere, or that are too short, are not answered', () => {
    expect(solicit(gateway, GUEST6, (frame) => frame.set([64], ETHERNET_HEADER + 7))).toEqual([]);
    expect(solicit(gateway, GUEST6, (frame) => frame.set([0, 23], ETHERNET_HEADER + 4))).toEqual([]);
  });
});

describe('the router', () => {
  /** Lifetimes of the route, of the prefix and of the name server, in seconds. */
  function lifetimes(world: World): number[][] {
    return world
      .packets()
      .filter(({ payload }) => payload[0] === 134)
      .map(({ payload }) => [read16(payload, 6), read32(payload, 36), read32(payload, 68)]);
  }

  test('tells prefix, MTU, name server and itself', () => {
    const world = new World({ own: [HOST6], mtu: 1500 });
    solicitRouter(world, UNSPECIFIED);
    const advertisement = world.packets().at(-1) as Packet;
    expect(formatAddress(advertisement.source)).toBe('fe80::2');
    expect(formatAddress(advertisement.destination)).toBe('ff02::1');
    const forever = [0xff, 0xff, 0xff, 0xff];
    expect([...advertisement.payload.subarray(4)]).toEqual([
      ...[0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[1, 1, ...PLAN.gatewayMac],
      ...[5, 1, 0, 0, 0, 0, 0x05, 0xdc],
      ...[3, 4, 64, 0x40, ...forever, ...forever, 0, 0, 0, 0, ...PLAN.ipv6.prefix],
      ...[25, 3, 0, 0, ...forever, ...nameServer],
    ]);
    expectChecksum(advertisement);
  });

  test.each<[string, WorldOptions]>([
    ['no IPv6 address', { own: ['9.9.9.9'] }],
    ['only private ones', { own: ['::1', 'fe80::1', 'fd00::2', '2001:db8::1'] }],
  ])('leads nowhere where the host has %s', (_, options) => {
    const world = new World(options);
    solicitRouter(world);
    expect(new Set(lifetimes(world).map(String))).toEqual(new Set(['0,0,0']));
  });

  test('also says so when the host’s internet comes and goes', async () => {
    const own: string[] = [];
    const world = new World({ own });
    solicitRouter(world);
    world.packets();
    own.push(HOST6);
    await vi.advanceTimersByTimeAsync(TEN_MINUTES);
    expect(lifetimes(world)).toEqual([[0xffff, 0xffff_ffff, 0xffff_ffff]]);
    own.pop();
    await vi.advanceTimersByTimeAsync(TEN_MINUTES);
    expect(lifetimes(world)).toEqual([[0, 0, 0]]);
    world.nat.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('makes itself known to a guest that does not ask', () => {
    const world = new World({ own: [HOST6] });
    world.sendUdp(SERVER6, 9, bytes(1));
    expect(lifetimes(world)).toHaveLength(1);
    world.sendUdp(SERVER6, 9, bytes(1));
    expect(lifetimes(world)).toHaveLength(0);
  });

  test('is silent towards a guest without IPv6, and one that takes nothing', async () => {
    const world = new World({ own: [HOST6] });
    world.sendUdp(SERVER, 9, bytes(1));
    expect(world.frames).toEqual([]);
    solicitRouter(world);
    world.takes = false;
    world.waiting = 1 << 20;
    world.frames = [];
    await vi.advanceTimersByTimeAsync(TEN_MINUTES);
    expect(world.frames).toEqual([]);
  });
});

describe('connections', () => {
  test('carry bytes both ways', () => {
    const world = worldWithIpv6();
    world.sendSegment(SERVER6, { flags: SYN, sequence: 7, segmentSize: 65_460, scale: 0 });
    expect(world.sockets).toMatchObject([{ address: formatAddress(SERVER6), port: 80 }]);
    world.sockets[0]?.events.connected();
    const [answer] = world.packets() as [Packet];
    expectChecksum(answer);
    const acknowledgement = (read32(answer.payload, 4) + 1) >>> 0;
    expect(read16(answer.payload, 22)).toBe(PLAN.mtu - 60);
    world.sendSegment(SERVER6, { flags: ACK, sequence: 8, acknowledgement, data: bytes(1, 2, 3) });
    expect([...(world.sockets[0]?.bytes ?? [])]).toEqual([1, 2, 3]);
    world.sockets[0]?.events.received(new Uint8Array(100_000).fill(9));
    const packets = world.packets();
    for (const packet of packets) {
      expect(formatAddress(packet.destination)).toBe(formatAddress(GUEST6));
      expectChecksum(packet);
    }
    expect(packets.at(0)?.bytes.length).toBe(PLAN.mtu);
  });

  test('of IPv4 and IPv6, and of two addresses of the guest, are apart', () => {
    const world = worldWithIpv6();
    const syn = bytes(0, 80, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 0, 0, 0, 0, 0, 0);
    world.send(SERVER, PROTOCOL_TCP, syn);
    for (const source of [GUEST6, parseAddress('fd4c:696e:7578::99')])
      world.send(SERVER6, PROTOCOL_TCP, syn, undefined, source);
    expect(world.sockets).toHaveLength(3);
    world.sockets[2]?.events.failed('refused');
    expect(world.packets().map(({ destination }) => formatAddress(destination))).toEqual([
      'fd4c:696e:7578::99',
    ]);
  });

  test('are refused at once: where nobody listens, and where no way leads', () => {
    const world = worldWithIpv6();
    for (const sourcePort of [1, 2]) world.sendSegment(SERVER6, { flags: SYN, sequence: 7, sourcePort });
    world.sockets[0]?.events.failed('refused');
    expect(world.segments()).toMatchObject([{ flags: RST | ACK, acknowledgement: 8 }]);
    world.sockets[1]?.events.failed('unreachable');
    const [error] = world.packets() as [Packet];
    expect([error.payload[0], error.payload[1]]).toEqual([1, 3]);
    // It quotes the whole packet.
    expect(error.payload.length).toBe(8 + IPV6_HEADER + 28);
    expectChecksum(error);
  });
});

describe('datagrams', () => {
  test('are exchanged, with a checksum', () => {
    const world = worldWithIpv6();
    world.sendUdp(SERVER6, 123, bytes(1, 2, 3));
    const [socket] = world.udpSockets;
    expect(socket).toMatchObject({ address: formatAddress(SERVER6), port: 123, sent: [bytes(1, 2, 3)] });
    socket?.events.received(bytes(9));
    const [answer] = world.packets() as [Packet];
    expect(formatAddress(answer.source)).toBe(formatAddress(SERVER6));
    expect(read16(answer.payload, 6)).not.toBe(0);
    expectChecksum(answer);
    socket?.events.refused();
    expect(world.icmp()).toEqual(['1/4']);
  });

  test('whose sum is zero say so with ones', () => {
    const world = worldWithIpv6();
    world.sendUdp(SERVER6, 123, bytes());
    world.udpSockets[0]?.events.received(bytes(0, 0));
    const [plain] = world.packets() as [Packet];
    const sum = read16(plain.payload, 6);
    world.udpSockets[0]?.events.received(bytes(sum >>> 8, sum & 0xff));
    expect(read16((world.packets()[0] as Packet).payload, 6)).toBe(0xffff);
  });
});

describe('echo requests', () => {
  const echo = bytes(128, 0, 0, 0, 1, 2, 3, 4, 5, 6);

  test.each([gateway, nameServer])('%s answers with the same bytes', (target) => {
    const world = worldWithIpv6();
    world.send(target, PROTOCOL_ICMPV6, echo);
    const [reply] = world.packets() as [Packet];
    expect([reply.payload[0], ...reply.payload.subarray(4)]).toEqual([129, ...echo.subarray(4)]);
    expectChecksum(reply);
  });

  test('the router answers on the link', () => {
    const world = worldWithIpv6();
    world.send(router, PROTOCOL_ICMPV6, echo, undefined, LINK_LOCAL);
    expect(world.icmp()).toEqual(['129/0']);
  });

  test.each([
    ['answered', async () => true, ['129/0']],
    ['not answered', async () => false, []],
    ['not possible', undefined, ['1/1']],
  ])('beyond it they are %s as for the host', async (_, answer, replies) => {
    const world = worldWithIpv6(answer ? { echo: answer } : {});
    world.send(SERVER6, PROTOCOL_ICMPV6, echo);
    await turn();
    expect(world.echoes).toEqual([formatAddress(SERVER6)]);
    expect(world.icmp()).toEqual(replies);
  });
});

describe('the policy', () => {
  const FORBIDDEN = [
    ...['::', '::1', '::7f00:1', '::ffff:7f00:1', '::ffff:5db8:d822', '64:ff9b::5db8:d822', '64:ff9b:1::1'],
    ...['100::1', '2001::1', '2001:2::1', '2001:db8::1', '2002:7f00:1::', '3fff::1', '4000::1', '5f00::1'],
    ...['fc00::1', 'fd00:ec2::254', 'fd4c:696e:7578::4', 'fe80::1', 'fec0::1', HOST6],
  ];

  async function tryAll(it: World, to: Address): Promise<void> {
    it.sendSegment(to, { flags: SYN, sequence: 5 });
    expect(it.segments()).toMatchObject([{ flags: RST | ACK, acknowledgement: 6 }]);
    it.sendUdp(to, 9, bytes(1));
    it.send(to, PROTOCOL_ICMPV6, bytes(128, 0, 0, 0, 0, 0, 0, 0));
    await turn();
    expect(it.icmp()).toEqual(['1/1', '1/1']);
    expect([it.sockets, it.udpSockets, it.echoes]).toEqual([[], [], []]);
  }

  test.each(FORBIDDEN)('nothing leaves for %s', async (text) => {
    await tryAll(worldWithIpv6(), parseAddress(text));
  });

  test('nothing leaves where the host has no IPv6', async () => {
    await tryAll(worldWithIpv6({ own: ['fd00::2'] }), SERVER6);
  });

  test('what is refused is reported', () => {
    const world = worldWithIpv6();
    world.sendSegment(SERVER6, { flags: SYN, destinationPort: 25 });
    world.sendSegment(parseAddress('fd00::1'), { flags: SYN, destinationPort: 443 });
    expect(world.refusals).toEqual([
      { destination: `[${formatAddress(SERVER6)}]:25`, reason: 'port' },
      { destination: '[fd00::1]:443', reason: 'address' },
    ]);
    expect(world.sockets).toEqual([]);
  });

  test('gateway and name server have no other services', () => {
    const world = worldWithIpv6();
    for (const to of [gateway, nameServer, router]) {
      world.sendSegment(to, { flags: SYN, destinationPort: 80 });
      expect(world.segments()).toMatchObject([{ flags: RST | ACK }]);
      world.sendUdp(to, 67, bytes(1));
      expect(world.icmp()).toEqual(['1/4']);
    }
  });

  test('packets to several receivers are ignored, with reports of memberships', () => {
    const world = worldWithIpv6();
    const membership = bytes(58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 0);
    for (const source of [LINK_LOCAL, UNSPECIFIED])
      world.send(parseAddress('ff02::16'), 0, membership, undefined, source);
    world.sendUdp(parseAddress('ff02::fb'), 5353, bytes(1));
    world.sendSegment(ALL_NODES, { flags: SYN });
    expect([world.frames, world.refusals, world.nat.stats.refused]).toEqual([[], [], {}]);
  });

  test.each<[string, number, number[], string[]]>([
    ['hop-by-hop options', 0, [PROTOCOL_TCP, 0, 5, 2, 0, 0, 1, 0], ['1/1']],
    ['a routing header', 43, [PROTOCOL_TCP, 0, 0, 1, 0, 0, 0, 0], ['1/1']],
    ['options for the destination', 60, [PROTOCOL_TCP, 0, 1, 4, 0, 0, 0, 0], ['1/1']],
    ['a first fragment', 44, [PROTOCOL_TCP, 0, 0, 1, 0, 0, 0, 7], ['1/1']],
    ['a later fragment', 44, [PROTOCOL_TCP, 0, 0, 8, 0, 0, 0, 7], []],
    ['another protocol', 47, [0, 0, 0, 0], ['4/1']],
  ])('%s goes nowhere', (_, protocol, header, answers) => {
    const world = worldWithIpv6();
    const syn = bytes(0, 80, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 0, 0, 0, 0, 0, 0);
    world.send(SERVER6, protocol, bytes(...header, ...syn));
    expect(world.icmp()).toEqual(answers);
    expect([world.sockets, world.nat.stats.refused]).toEqual([[], { packet: 1 }]);
  });

  test.each([
    ['of somebody else', parseAddress('2606:2800:220:1::2')],
    ['of the gateway', gateway],
    ['of the router', router],
    ['without an address', UNSPECIFIED],
    ['of IPv4, mapped', parseAddress('::ffff:a00:20f')],
  ])('packets %s go nowhere', (_, source) => {
    const world = worldWithIpv6();
    world.send(SERVER6, PROTOCOL_UDP, bytes(0, 9, 0, 9, 0, 9, 0, 0, 1), undefined, source);
    world.send(SERVER6, PROTOCOL_TCP, new Uint8Array(20).fill(0x50), undefined, source);
    expect([world.udpSockets, world.sockets, world.frames]).toEqual([[], [], []]);
  });

  test('an alias leads to another address, also where the host has no IPv6', () => {
    const world = worldWithIpv6({ own: [], aliases: { '2001:db8::1': '127.0.0.1' } });
    world.sendSegment(parseAddress('2001:db8::1'), { flags: SYN });
    expect(world.sockets).toMatchObject([{ address: '127.0.0.1' }]);
  });
});

test('any packet is survived, and no connection leads to a private address', () => {
  const addresses = [
    SERVER6,
    gateway,
    nameServer,
    router,
    ALL_NODES,
    LINK_LOCAL,
    GUEST6,
    parseAddress('::1'),
  ];
  const packet = fc.record({
    destination: fc.constantFrom(...addresses),
    source: fc.constantFrom(GUEST6, LINK_LOCAL, UNSPECIFIED, SERVER6),
    protocol: fc.oneof(fc.constantFrom(0, 6, 17, 43, 44, 58, 60), fc.nat(255)),
    type: fc.constantFrom(0, 128, 133, 135, 143),
    payload: fc.uint8Array({ maxLength: 80 }),
    length: fc.option(fc.nat(0xffff), { freq: 9 }),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 20 }), (packets) => {
      const world = worldWithIpv6();
      for (const { destination, source, protocol, type, payload, length } of packets) {
        const spoil = (frame: Uint8Array) => length !== null && write16(frame, ETHERNET_HEADER + 4, length);
        if (protocol === PROTOCOL_ICMPV6) payload.set([type, 0].slice(0, payload.length));
        world.send(destination, protocol, payload, (frame) => void spoil(frame), source);
      }
      const reached = [...world.sockets, ...world.udpSockets].map(({ address }) => address);
      expect(reached.every((address) => address === formatAddress(SERVER6))).toBe(true);
      expect(world.frames.length).toBeLessThanOrEqual(packets.length);
      world.nat.close();
    }),
  );
});

/** Of a packet's TCP, UDP or ICMP: with the pseudo-header, everything adds up to zero. */
function expectChecksum({ source, destination, protocol, payload }: Packet): void {
  const sum = pseudoHeaderSum(source, destination, protocol, payload.length);
  expect(checksum(payload, 0, payload.length, sum)).toBe(0);
}

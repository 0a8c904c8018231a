import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isInternal } from '../oci/address.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { read16, write16, write32 } from './bytes.ts';
import { DnsForwarder } from './dns-forwarder.ts';
import { arpReply, ETHERNET_HEADER, frameType, newFrame, TYPE_ARP, TYPE_IPV4 } from './ethernet.ts';
import { LIMITS, SESSION_LIMITS } from './limits.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from './packet.ts';
import { PLAN } from './plan.ts';
import { Policy } from './policy.ts';
import { ACK, RST, type Segment, SYN } from './tcp-segment.ts';
import { type FakeUdpSocket, patchHeader, SERVER, SERVER6, World } from './testing/world.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const bytes = (...values: number[]) => Uint8Array.of(...values);
const turn = () => vi.advanceTimersByTimeAsync(0);

function arpRequest(target: Address): Uint8Array {
  const frame = arpReply(
    { senderMac: new Uint8Array(6).fill(0xff), sender: target, target: PLAN.guest },
    PLAN.guestMac,
  );
  write16(frame, ETHERNET_HEADER + 6, 1);
  return frame;
}

describe('ARP', () => {
  test('is answered for gateway and name server, and for nobody else', () => {
    const world = new World();
    for (const text of ['10.0.2.2', '10.0.2.3', '10.0.2.15', '10.0.2.4', '93.184.216.34'])
      world.nat.receive(arpRequest(parseAddress(text)));
    const answers = world.frames.map((frame) =>
      formatAddress(frame.subarray(ETHERNET_HEADER + 14, ETHERNET_HEADER + 18)),
    );
    expect(answers).toEqual(['10.0.2.2', '10.0.2.3']);
    expect(world.frames.map(frameType)).toEqual([TYPE_ARP, TYPE_ARP]);
  });
});

describe('ICMP', () => {
  const echo = bytes(8, 0, 0, 0, 1, 2, 3, 4, 5, 6);

  test('the gateway answers an echo with the same bytes', () => {
    const world = new World();
    world.send(PLAN.gateway, PROTOCOL_ICMP, echo);
    const [reply] = world.packets();
    expect(reply).toMatchObject({ source: PLAN.gateway, destination: PLAN.guest });
    expect(reply?.payload[0]).toBe(0);
    expect(reply?.payload.subarray(4)).toEqual(echo.subarray(4));
  });

  test.each([
    ['answered', true, ['0/0']],
    ['not answered', false, []],
  ])('an echo request that is %s for the host is so for the guest', async (_, isAnswered, replies) => {
    const world = new World({ echo: async () => isAnswered });
    world.send(SERVER, PROTOCOL_ICMP, echo);
    await turn();
    expect(world.echoes).toEqual(['93.184.216.34']);
    expect(world.icmp()).toEqual(replies);
  });

  test('no answer is invented where the host cannot ask', async () => {
    const world = new World();
    world.send(SERVER, PROTOCOL_ICMP, echo);
    await turn();
    expect(world.icmp()).toEqual(['3/13']);
  });

  test('a host that fails to ask is one that cannot', async () => {
    const world = new World({ echo: () => Promise.reject(new Error('no more processes')) });
    world.send(SERVER, PROTOCOL_ICMP, echo);
    await turn();
    expect(world.icmp()).toEqual(['3/13']);
  });

  test('only so many echo requests are under way, and the others are refused', async () => {
    const world = new World({ echo: () => new Promise(() => {}) });
    for (let i = 0; i < 9; i++) world.send(SERVER, PROTOCOL_ICMP, echo);
    await turn();
    expect(world.echoes).toHaveLength(4);
    expect(world.icmp()).toEqual(Array(5).fill('3/13'));
    expect(world.refusals[0]).toEqual({ destination: '93.184.216.34', reason: 'echo' });
  });

  test('echo requests beyond the rate wait', async () => {
    const world = new World({ limits: SESSION_LIMITS, echo: async () => true });
    for (let i = 0; i < 4; i++) world.send(SERVER, PROTOCOL_ICMP, echo);
    await turn();
    for (let i = 0; i < 3; i++) world.send(SERVER, PROTOCOL_ICMP, echo);
    await turn();
    expect(world.icmp()).toEqual(Array(4).fill('0/0'));
    await vi.advanceTimersByTimeAsync(2000);
    expect(world.icmp()).toEqual(Array(3).fill('0/0'));
  });
});

describe('UDP', () => {
  const ask = (world: World, port = 5000) => world.sendUdp(SERVER, 123, bytes(1, 2, 3), port);

  test('has a socket for each pair of port and address, whose answers come from there', () => {
    const world = new World();
    ask(world);
    ask(world);
    ask(world, 5001);
    const [first] = world.udpSockets as [FakeUdpSocket];
    expect(world.udpSockets).toHaveLength(2);
    expect(first).toMatchObject({ address: '93.184.216.34', port: 123 });
    expect(first.sent).toEqual([bytes(1, 2, 3), bytes(1, 2, 3)]);
    first.events.received(bytes(9));
    expect(world.datagrams()).toEqual([{ sourcePort: 123, destinationPort: 5000, data: bytes(9) }]);
  });

  test('closes sockets that are idle for a minute', async () => {
    const world = new World();
    ask(world);
    await vi.advanceTimersByTimeAsync(50_000);
    ask(world);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(world.udpSockets[0]?.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(world.udpSockets[0]?.isClosed).toBe(true);
    expect([world.nat.stats.connections, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('closes sockets to name servers after five seconds', async () => {
    const world = new World();
    world.sendUdp(SERVER, 53, bytes(1));
    await vi.advanceTimersByTimeAsync(11_000);
    expect(world.udpSockets[0]?.isClosed).toBe(true);
  });

  test('opens so many sockets a second, and refuses more', async () => {
    const world = new World({ limits: { newFlows: { perSecond: 1, burst: 2 } } });
    for (const port of [1, 2, 3, 1]) ask(world, port);
    expect(world.udpSockets).toHaveLength(2);
    expect(world.icmp()).toEqual(['3/13']);
    expect(world.refusals).toEqual([{ destination: '93.184.216.34:123', reason: 'sockets' }]);
    await vi.advanceTimersByTimeAsync(1000);
    ask(world, 3);
    expect(world.udpSockets).toHaveLength(3);
  });

  test('has a bounded number of sockets: the one idle longest gives way', () => {
    const world = new World({ limits: { flows: 2 } });
    for (const port of [1, 2, 1, 3]) ask(world, port);
    expect(world.udpSockets.map(({ isClosed }) => isClosed)).toEqual([false, true, false]);
  });

  test('tells the guest that nobody listens', () => {
    const world = new World();
    ask(world);
    world.udpSockets[0]?.events.refused();
    expect(world.icmp()).toEqual(['3/3']);
    expect(world.udpSockets[0]?.isClosed).toBe(true);
  });

  test('datagrams for a guest that takes nothing are lost, so they take no memory', () => {
    const world = new World();
    ask(world);
    world.takes = false;
    for (let i = 0; i < 1000; i++) world.udpSockets[0]?.events.received(new Uint8Array(60_000));
    expect(world.waiting).toBeLessThan(600 << 10);
  });
});

test('no packet is larger than the MTU', () => {
  const world = new World({ mtu: 1500 });
  world.sendUdp(SERVER, 53, bytes(1));
  for (const size of [1472, 1473]) world.udpSockets[0]?.events.received(new Uint8Array(size));
  expect(world.datagrams().map(({ data }) => data.length)).toEqual([1472]);
  world.sendSegment(SERVER, { flags: SYN, segmentSize: 65_480 });
  world.sockets[0]?.events.connected();
  const [synAck] = world.segments();
  expect(synAck?.segmentSize).toBe(1460);
  const acknowledgement = ((synAck?.sequence ?? 0) + 1) >>> 0;
  world.sendSegment(SERVER, { flags: ACK, sequence: 1, acknowledgement, window: 0xffff });
  world.sockets[0]?.events.received(new Uint8Array(10_000));
  expect(world.frames.map((frame) => frame.length)).toContain(1514);
  expect(Math.max(...world.frames.map((frame) => frame.length))).toBe(1514);
});

describe('DHCP', () => {
  /** @param options after the type */
  function dhcp(type: number, options: number[] = [], mac: Uint8Array = PLAN.guestMac): Uint8Array {
    const message = new Uint8Array(240 + 3 + options.length + 1);
    message.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
    message.set(mac, 28);
    write32(message, 236, 0x63825363);
    message.set([53, 1, type, ...options, 255], 240);
    return message;
  }

  function answersTo(
    message: Uint8Array,
  ): { type: number; address: string; options: Map<number, number[]> }[] {
    const world = new World();
    world.sendUdp(parseAddress('255.255.255.255'), 67, message, 68);
    return world.datagrams().map(({ data }) => {
      const options = new Map<number, number[]>();
      for (let at = 240; data[at] !== 255 && at < data.length; at += 2 + (data[at + 1] as number))
        options.set(data[at] as number, [...data.subarray(at + 2, at + 2 + (data[at + 1] as number))]);
      expect([...data.subarray(4, 8)]).toEqual([0xde, 0xad, 0xbe, 0xef]);
      return { type: options.get(53)?.[0] ?? 0, address: formatAddress(data.subarray(16, 20)), options };
    });
  }

  test('offers the guest’s address, with mask, gateway, name server, MTU, time and server', () => {
    const [offer] = answersTo(dhcp(1));
    expect(offer).toMatchObject({ type: 2, address: '10.0.2.15' });
    expect(Object.fromEntries(offer?.options ?? [])).toEqual({
      ...{ 1: [255, 255, 255, 0], 3: [10, 0, 2, 2], 6: [10, 0, 2, 3], 26: [0xff, 0xf0] },
      ...{ 51: [0, 1, 0x51, 0x80], 53: [2], 54: [10, 0, 2, 2] },
    });
  });

  test.each([
    ['confirms it', dhcp(3, [50, 4, 10, 0, 2, 15]), 5],
    ['refuses another one', dhcp(3, [50, 4, 192, 168, 0, 7]), 6],
    ['informs', dhcp(8), 5],
  ])('%s', (_, message, type) => {
    expect(answersTo(message)).toMatchObject([{ type }]);
  });

  test.each([
    ['of another card', dhcp(1, [], bytes(2, 0, 0, 0, 0, 7))],
    ['for another server', dhcp(3, [54, 4, 1, 2, 3, 4])],
    ['of an unknown type', dhcp(7)],
    ['that is too short', dhcp(1).subarray(0, 200)],
    ['with an option beyond its end', dhcp(1, [50, 200])],
    ['without its cookie', dhcp(1).fill(0, 236, 240)],
  ])('ignores, or survives, a message %s', (name, message) => {
    expect(answersTo(message)).toHaveLength(name === 'with an option beyond its end' ? 1 : 0);
  });
});

describe('DNS', () => {
  const NAME = [3, 0x77, 0x77, 0x77, 2, 0x64, 0x65, 0];

  function query(type = 1, { id = 7, edns = 0 } = {}): Uint8Array {
    const option = edns ? [0, 0, 41, edns >>> 8, edns & 0xff, 0, 0, 0, 0, 0, 0] : [];
    return bytes(
      0,
      id,
      1,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      edns ? 1 : 0,
      ...NAME,
      type >>> 8,
      type & 0xff,
      0,
      1,
      ...option,
    );
  }

  /** The answer of a server to a query: records of type and data, named by a pointer. */
  function answer(message: Uint8Array, records: [type: number, data: number[]][]): Uint8Array {
    const end = 12 + NAME.length + 4;
    const body = records.map(([type, data]) => [
      0xc0,
      12,
      0,
      type,
      0,
      1,
      0,
      0,
      0,
      60,
      0,
      data.length,
      ...data,
    ]);
    const all = bytes(...message.subarray(0, end), ...body.flat());
    write16(all, 2, 0x8180);
    write16(all, 6, records.length);
    write16(all, 10, 0);
    return all;
  }

  async function resolve(
    message: Uint8Array,
    serve: (message: Uint8Array) => Uint8Array,
    own: string[] = [],
  ) {
    const asked: Uint8Array[] = [];
    const world = new World({
      own,
      query: async (upstream) => {
        asked.push(upstream);
        return serve(upstream);
      },
    });
    world.sendUdp(PLAN.nameServer, 53, message);
    await turn();
    const [datagram] = world.datagrams();
    const data = datagram?.data ?? new Uint8Array(12);
    const code = read16(data, 2) & 15;
    return { asked, data, id: read16(data, 0), code, answers: read16(data, 6), refusals: world.refusals };
  }

  test('passes a query on with an identifier of its own, and the answer with the client’s', async () => {
    const result = await resolve(query(1), (message) => answer(message, [[1, [93, 184, 216, 34]]]));
    expect(result).toMatchObject({ id: 7, code: 0, answers: 1 });
    expect([...result.data.subarray(-4)]).toEqual([93, 184, 216, 34]);
    expect(result.asked[0]?.subarray(2)).toEqual(query(1).subarray(2));
  });

  test.each([
    ['10.0.0.1', [10, 0, 0, 1]],
    ['127.0.0.1', [127, 0, 0, 1]],
    ['169.254.169.254', [169, 254, 169, 254]],
    ['an address of the host itself', [9, 9, 9, 9]],
  ])('a name with the address %s does not exist', async (_, address) => {
    const records: [number, number[]][] = [
      [1, [93, 184, 216, 34]],
      [1, address],
    ];
    const result = await resolve(query(1), (message) => answer(message, records), ['9.9.9.9']);
    expect(result).toMatchObject({ code: 3, answers: 0 });
    expect(result.refusals).toEqual([{ destination: 'www.de', reason: 'address' }]);
  });

  test('an internal IPv6 address in an answer counts, too', async () => {
    const result = await resolve(query(255), (message) => answer(message, [[28, Array(16).fill(0)]]));
    expect(result).toMatchObject({ code: 3, answers: 0 });
  });

  test.each([
    ['is passed on', SERVER6, 1],
    ['is left out if it is private: the name may have others', parseAddress('64:ff9b::5db8:d822'), 0],
    ['is left out if it is the host’s own', parseAddress('2600:1f18::7'), 0],
  ])('where the host has IPv6, an IPv6 address %s', async (_, address, answers) => {
    const serve = (message: Uint8Array) => answer(message, [[28, [...address]]]);
    const result = await resolve(query(28), serve, ['2600:1f18::7']);
    expect(result).toMatchObject({ code: 0, answers });
  });

  test('queries by IPv6 are answered', async () => {
    const world = new World({ own: ['2600:1f18::7'], query: async (message) => answer(message, []) });
    world.sendUdp(PLAN.ipv6.nameServer, 53, query(28));
    world.sendSegment(PLAN.ipv6.nameServer, { flags: SYN, destinationPort: 53 });
    await turn();
    const [, segment, datagram] = world.packets();
    expect(segment?.payload[13]).toBe(SYN | ACK);
    expect(datagram?.source).toEqual(PLAN.ipv6.nameServer);
    expect(read16(datagram?.payload ?? bytes(), 0)).toBe(53);
  });

  test('IPv6 addresses are not asked for where the host has none, and no zone is copied', async () => {
    const never = () => {
      throw new Error('asked');
    };
    expect(await resolve(query(28), never)).toMatchObject({ code: 0, answers: 0, asked: [] });
    expect(await resolve(query(252), never)).toMatchObject({ code: 5, asked: [] });
  });

  test.each([
    ['1.0.0.10.in-addr.arpa', false],
    ['254.169.254.169.IN-ADDR.ARPA', false],
    ['34.216.184.93.in-addr.arpa', true],
    ['0.10.in-addr.arpa', true],
    ['a.0.0.10.in-addr.arpa', true],
    ['d.f.ip6.arpa', true],
    [`${'0.'.repeat(30)}d.f.ip6.arpa`, false],
  ])('the name of the address in %s is asked for: %s', async (name, isAsked) => {
    const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
    const message = bytes(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 12, 0, 1);
    const result = await resolve(message, () => {
      throw new Error('no answer');
    });
    expect([result.asked.length > 0, result.code, result.refusals]).toEqual([isAsked, isAsked ? 2 : 3, []]);
  });

  test.each([
    ['with another identifier', (good: Uint8Array) => good.fill(good[0] === 0 ? 1 : 0, 0, 1)],
    ['to another question', (good: Uint8Array) => good.fill(0x78, 13, 14)],
    ['that is cut off', (good: Uint8Array) => good.subarray(0, -1)],
    ['with a name without end', (good: Uint8Array) => good.fill(63, 24, 25)],
    ['that is a query', (good: Uint8Array) => good.fill(0, 2, 3)],
    ['without anything', () => new Uint8Array(0)],
  ])('an answer %s is a failure of the server', async (_, spoil) => {
    const result = await resolve(query(1), (message) => spoil(answer(message, [[1, [93, 184, 216, 34]]])));
    expect(result).toMatchObject({ id: 7, code: 2, answers: 0 });
  });

  test('without a name server, the failure comes at once', async () => {
    const world = new World();
    world.sendUdp(PLAN.nameServer, 53, query(1));
    await turn();
    expect((world.datagrams()[0]?.data[3] ?? 0) & 15).toBe(2);
  });

  test('malformed queries are answered with an error, and answers are not answered', async () => {
    const world = new World();
    const two = query(1);
    write16(two, 4, 2);
    world.sendUdp(PLAN.nameServer, 53, two);
    world.sendUdp(PLAN.nameServer, 53, query(1).fill(0x28, 2, 3));
    world.sendUdp(PLAN.nameServer, 53, query(1).fill(0x80, 2, 3));
    world.sendUdp(PLAN.nameServer, 53, bytes(1, 2));
    await turn();
    expect(world.datagrams().map(({ data }) => (data[3] ?? 0) & 15)).toEqual([1, 4]);
  });

  test('only so many queries are under way', async () => {
    const world = new World({ limits: { queries: 2 }, query: () => new Promise(() => {}) });
    for (let id = 0; id < 3; id++) world.sendUdp(PLAN.nameServer, 53, query(1, { id }));
    await turn();
    expect(world.datagrams().map(({ data }) => [data[1], (data[3] ?? 0) & 15])).toEqual([[2, 2]]);
    expect(world.nat.stats.refused).toEqual({ names: 1 });
  });

  test('queries beyond the rate wait, and all are answered', async () => {
    const asked: Uint8Array[] = [];
    const world = new World({
      limits: { newQueries: { perSecond: 50, burst: 10 } },
      query: async (message) => {
        asked.push(message);
        return answer(message, [[1, [93, 184, 216, 34]]]);
      },
    });
    for (let id = 0; id < 60; id++) world.sendUdp(PLAN.nameServer, 53, query(1, { id }));
    await turn();
    expect(asked).toHaveLength(10);
    await vi.advanceTimersByTimeAsync(1100);
    expect(new Set(world.datagrams().map(({ data }) => data[1])).size).toBe(60);
  });

  test('an answer too long for the client’s datagrams is cut, and whole over TCP', async () => {
    const records = Array.from({ length: 60 }, (_, i): [number, number[]] => [1, [93, 184, 216, i]]);
    const serve = (message: Uint8Array) => answer(message, records);
    expect(read16((await resolve(query(1), serve)).data, 2) & 0x0200).toBe(0x0200);
    expect((await resolve(query(1, { edns: 1232 }), serve)).answers).toBe(60);

    const world = new World({ query: async (message) => serve(message) });
    world.sendSegment(PLAN.nameServer, { flags: SYN, destinationPort: 53, sequence: 1, segmentSize: 1460 });
    await turn();
    const [{ sequence }] = world.segments() as [Segment];
    const framed = bytes(0, query(1).length, ...query(1));
    const segment = { flags: ACK, destinationPort: 53, acknowledgement: sequence + 1 };
    // In two pieces, the first without the whole length.
    world.sendSegment(PLAN.nameServer, { ...segment, sequence: 2, data: framed.subarray(0, 1) });
    world.sendSegment(PLAN.nameServer, { ...segment, sequence: 3, data: framed.subarray(1) });
    await turn();
    const data = Buffer.concat(world.segments().map((each) => each.data));
    expect(data.readUInt16BE(0)).toBe(data.length - 2);
    expect(data.readUInt16BE(2 + 6)).toBe(60);
  });

  test('a stream of many small queries, in single bytes, costs little', async () => {
    let [answers, hasEnded] = [0, false];
    const services = { host: new World(), policy: new Policy({ ownAddresses: () => [] }), limits: LIMITS };
    const stream = new DnsForwarder(services).accept({
      connected: () => {},
      received: () => {
        answers++;
      },
      sent: () => {},
      ended: () => {
        hasEnded = true;
      },
      failed: () => {},
    });
    const before = process.cpuUsage();
    stream.pause();
    const unknown = bytes(0, 12, 0, 7, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const count = 10_000;
    for (let i = 0; i < count; i++) for (const byte of unknown) stream.write(bytes(byte));
    // Queries of no bytes have no answer.
    stream.write(new Uint8Array(1 << 20));
    stream.end();
    await turn();
    expect([answers, hasEnded]).toEqual([0, false]);
    stream.resume();
    await turn();
    expect([answers, hasEnded, stream.waiting]).toEqual([count, true, 0]);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(10);
  });
});

describe('the policy', () => {
  const FORBIDDEN = [
    ...[
      '0.0.0.0',
      '0.1.2.3',
      '10.0.0.1',
      '10.0.2.4',
      '10.255.255.255',
      '100.64.0.1',
      '127.0.0.1',
      '127.8.8.8',
    ],
    ...['168.63.129.16', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1'],
    ...['192.88.99.1', '192.168.0.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.251'],
    ...['239.255.255.250', '240.0.0.1', '255.255.255.255', '8.8.4.4'],
  ];
  const world = () => new World({ own: ['8.8.4.4'] });
  const syn = bytes(0, 80, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 0, 0, 0, 0, 0, 0);

  test.each(FORBIDDEN)('no connection and no datagram leave for %s', async (text) => {
    const to = parseAddress(text);
    const it = world();
    it.sendSegment(to, { flags: SYN, sequence: 5 });
    expect(it.segments()).toMatchObject([{ flags: RST | ACK, acknowledgement: 6 }]);
    it.sendUdp(to, 9, bytes(1));
    it.send(to, PROTOCOL_ICMP, bytes(8, 0, 0, 0, 0, 0, 0, 0));
    await turn();
    // Errors about packets to several receivers are forbidden (RFC 1122, section 3.2.2).
    expect(it.icmp()).toEqual((to[0] as number) >= 224 ? [] : ['3/13', '3/13']);
    expect([it.sockets, it.udpSockets, it.echoes]).toEqual([[], [], []]);
  });

  test('what is refused is counted by its reason', () => {
    const it = world();
    for (let i = 0; i < 1000; i++) it.sendSegment(parseAddress('10.0.0.1'), { flags: SYN, sourcePort: i });
    it.sendUdp(parseAddress('8.8.4.4'), 9, bytes(1));
    it.send(SERVER, 47, bytes(1));
    it.nat.receive(new Uint8Array(13));
    expect(it.nat.stats.refused).toEqual({ address: 1001, packet: 2 });
  });

  test('frames are counted by their bytes, in each direction', () => {
    const it = world();
    it.send(PLAN.gateway, PROTOCOL_ICMP, bytes(8, 0, 0, 0, 0, 0, 0, 0, 1, 2));
    expect(it.nat.stats).toEqual({ received: 44, sent: 44, connections: 0, resent: 0, refused: {} });
  });

  test.each([0, 25])('nothing goes to port %i', (port) => {
    const it = world();
    it.sendSegment(SERVER, { flags: SYN, destinationPort: port });
    expect(it.segments()).toMatchObject([{ flags: RST | ACK }]);
    it.sendUdp(SERVER, port, bytes(1));
    expect(it.icmp()).toEqual(['3/13']);
    expect([it.sockets, it.udpSockets]).toEqual([[], []]);
  });

  test('gateway and name server have no other services', () => {
    const it = world();
    const isSent = (port: number) => port <= 1024 || port % 61 === 0;
    const ports = Array.from({ length: 0x1_0000 }, (_, port) => port).filter(isSent);
    for (const port of ports) {
      it.sendSegment(PLAN.gateway, { flags: SYN, destinationPort: port });
      if (port !== 53) it.sendSegment(PLAN.nameServer, { flags: SYN, destinationPort: port });
      if (port !== 67) it.sendUdp(PLAN.gateway, port, bytes(1));
    }
    expect(new Set(it.segments().map(({ flags }) => flags))).toEqual(new Set([RST | ACK]));
    expect([it.sockets, it.udpSockets]).toEqual([[], []]);
  });

  test.each<[string, (frame: Uint8Array) => void]>([
    ['another hardware address', (frame) => frame.set([2], 6)],
    ['another receiver', (frame) => frame.set([2], 0)],
    ['another source', (frame) => patchHeader(frame, (header) => header.set([9, 9, 9, 9], 12))],
    ['a later fragment', (frame) => patchHeader(frame, (header) => header.set([0, 9], 6))],
    ['a length beyond the frame', (frame) => patchHeader(frame, (header) => header.set([0xff, 0xff], 2))],
    ['a wrong checksum', (frame) => frame.set([0xff], ETHERNET_HEADER + 10)],
    ['another protocol', (frame) => patchHeader(frame, (header) => header.set([47], 9))],
    ['another type', (frame) => frame.set([0x86, 0xdd], 12)],
  ])('a packet with %s goes nowhere', (_, spoil) => {
    const it = world();
    it.nat.receive(arpRequest(PLAN.gateway));
    it.send(SERVER, PROTOCOL_TCP, syn, spoil);
    it.send(SERVER, PROTOCOL_UDP, bytes(0, 9, 0, 9, 0, 9, 0, 0, 1), spoil);
    expect([it.sockets, it.udpSockets]).toEqual([[], []]);
    it.send(SERVER, PROTOCOL_TCP, syn);
    expect(it.sockets).toHaveLength(1);
  });

  test.each<[string, (frame: Uint8Array) => void]>([
    ['a fragment', (frame) => patchHeader(frame, (header) => header.set([0x20, 0], 6))],
    ['a source route', (frame) => patchHeader(frame, (header) => header.set([0x48], 0), 32)],
  ])('%s goes nowhere, and the guest hears of it at once', (_, spoil) => {
    const it = world();
    for (const protocol of [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP]) it.send(SERVER, protocol, syn, spoil);
    const answers = it.packets().map(({ payload }) => [payload[0], payload[1], payload.length]);
    const headerSize = _ === 'a fragment' ? 20 : 32;
    expect(answers).toEqual(Array(3).fill([3, 13, 8 + headerSize + 8]));
    expect([it.sockets, it.udpSockets, it.echoes]).toEqual([[], [], []]);
    expect(it.nat.stats.refused).toEqual({ packet: 3 });
  });

  test('frames of any length are survived', () => {
    const it = world();
    for (const length of [0, 1, 13, 14, 20, 33, 34, 42, 65_549, 65_550, 100_000]) {
      const frame = newFrame(PLAN.gatewayMac, PLAN.guestMac, TYPE_IPV4, Math.max(0, length - 14));
      it.nat.receive(frame.subarray(0, length));
    }
    expect([it.sockets, it.udpSockets, it.frames]).toEqual([[], [], []]);
  });

  test('says what it refuses, and why', async () => {
    const it = new World({ limits: { connections: 1 }, isDenied: (address) => address === '8.8.8.8' });
    const denied = parseAddress('8.8.8.8');
    it.sendSegment(parseAddress('10.0.0.1'), { flags: SYN, destinationPort: 80 });
    it.sendUdp(parseAddress('169.254.169.254'), 53, bytes(1));
    it.sendSegment(SERVER, { flags: SYN, destinationPort: 25 });
    it.sendSegment(denied, { flags: SYN, destinationPort: 443 });
    it.sendSegment(SERVER, { flags: SYN, sourcePort: 4001 });
    it.sendSegment(SERVER, { flags: SYN, sourcePort: 4002 });
    for (const to of [denied, SERVER]) it.send(to, PROTOCOL_ICMP, bytes(8, 0, 0, 0, 0, 0, 0, 0));
    await turn();
    expect(it.refusals).toEqual([
      { destination: '10.0.0.1:80', reason: 'address' },
      { destination: '169.254.169.254:53', reason: 'address' },
      { destination: '93.184.216.34:25', reason: 'port' },
      { destination: '8.8.8.8:443', reason: 'denied' },
      { destination: '93.184.216.34:80', reason: 'connections' },
      { destination: '8.8.8.8', reason: 'denied' },
      { destination: '93.184.216.34', reason: 'echo' },
    ]);
    expect([it.sockets, it.udpSockets]).toMatchObject([[{ address: '93.184.216.34' }], []]);
  });

  test('any frames are survived: nothing leaves for an address that is not public, and memory is bounded', async () => {
    const addresses = [...FORBIDDEN, '93.184.216.34', '1.1.1.1', '10.0.2.2', '10.0.2.3'].map(parseAddress);
    const change = fc.oneof(
      fc.record({ at: fc.nat(80), byte: fc.nat(255) }),
      fc.record({ length: fc.nat(100) }),
      // With a right checksum of the header, so that more of it is looked at.
      fc.record({ field: fc.nat(19), byte: fc.nat(255) }),
    );
    const frame = fc.record({
      to: fc.constantFrom(...addresses),
      protocol: fc.constantFrom(PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP),
      payload: fc.uint8Array({ maxLength: 60 }),
      flags: fc.nat(63),
      changes: fc.array(change, { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 100 }), async (frames) => {
        const it = new World({ own: ['8.8.4.4'], limits: SESSION_LIMITS });
        it.nat.receive(arpRequest(PLAN.gateway));
        for (const { to, protocol, payload, flags, changes } of frames) {
          const segment = Uint8Array.from([...payload.subarray(0, 12), 0x50, flags, ...payload.subarray(14)]);
          it.send(to, protocol, protocol === PROTOCOL_TCP ? segment : payload, (whole) => {
            for (const each of changes) {
              if ('at' in each) whole.fill(each.byte, each.at, each.at + 1);
              else if ('field' in each)
                patchHeader(whole, (header) => header.fill(each.byte, each.field, each.field + 1));
            }
            const cut = changes.find((each) => 'length' in each);
            if (cut && 'length' in cut) it.nat.receive(whole.slice(0, cut.length));
          });
        }
        await turn();
        for (const address of [...it.sockets, ...it.udpSockets].map((socket) => socket.address))
          expect(isInternal(address.includes(':') ? `[${address}]` : address), address).toBe(false);
        expect(it.sockets.some(({ address }) => address === '8.8.4.4')).toBe(false);
        expect(it.nat.stats.connections).toBeLessThanOrEqual(128 + 64);
        expect(it.frames.length).toBeLessThanOrEqual(2 * frames.length + 1);
        it.nat.close();
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('an alias leads to another address', () => {
    const it = new World({ aliases: { '192.0.2.1': '127.0.0.1' } });
    it.sendSegment(parseAddress('192.0.2.1'), { flags: SYN });
    it.sendUdp(parseAddress('192.0.2.1'), 9, bytes(1));
    expect([it.sockets[0]?.address, it.udpSockets[0]?.address]).toEqual(['127.0.0.1', '127.0.0.1']);
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';
import { checksum } from './checksum.ts';
import { parseQuery } from './dns-message.ts';
import {
  arpReply,
  ETHERNET_HEADER,
  newFrame,
  parseArpRequest,
  TYPE_ARP,
  TYPE_IPV4,
  TYPE_IPV6,
} from './ethernet.ts';
import { packetFrame, parsePacket } from './ip.ts';
import { parseSolicitation } from './ndp.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from './packet.ts';
import { ACK, parseSegment, SYN, writeSegmentHeader } from './tcp-segment.ts';
import { parseDatagram, UDP_HEADER, writeDatagram } from './udp-datagram.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** Two addresses of one family. */
const addresses = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6));
const MACS = { source: new Uint8Array(6), destination: new Uint8Array(6) };

/** RFC 1071, section 4.1, in the simplest form. */
function plainChecksum(data: Uint8Array): number {
  let sum = 0;
  data.forEach((byte, index) => {
    sum += index % 2 === 0 ? byte * 256 : byte;
  });
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return 0xffff - sum;
}

test('the checksum is the same at every alignment', () => {
  fc.assert(
    fc.property(bytes, fc.nat(7), (data, shift) => {
      const all = new Uint8Array(shift + data.length);
      all.set(data, shift);
      expect(checksum(all, shift, all.length)).toBe(plainChecksum(data));
    }),
  );
  const most = new Uint8Array(0x1_0000).fill(0xff);
  expect(checksum(most, 0, most.length)).toBe(0);
});

test('the example of RFC 1071 has its checksum', () => {
  const data = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  expect(checksum(data, 0, 8)).toBe(0xffff - 0xddf2);
});

test('addresses are written as they are read', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (address) => {
      expect(parseAddress(formatAddress(address))).toEqual(address);
    }),
  );
  for (const text of ['255.0.2.15', '::', '::1', '2606:2800:220:1::', 'fe80::1:0:0:2', '1:2:3:4:5:6:7:8'])
    expect(formatAddress(parseAddress(text))).toBe(text);
});

test('packets and datagrams are read as they were written', () => {
  fc.assert(
    fc.property(addresses, u16, u16, bytes, ([source, destination], sourcePort, destinationPort, data) => {
      const datagram = { sourcePort, destinationPort, data };
      const header = { source, destination, protocol: PROTOCOL_UDP };
      const frame = packetFrame(MACS, header, UDP_HEADER + data.length, (payload) =>
        writeDatagram(payload, source, destination, datagram),
      );
      const packet = parsePacket(frame);
      expect(packet).toMatchObject({ source, destination, protocol: PROTOCOL_UDP });
      expect(parseDatagram(packet?.payload ?? data)).toEqual(datagram);
    }),
  );
});

test('segments are read as they were written, with a right checksum', () => {
  const segment = fc.record({
    ...{ sourcePort: u16, destinationPort: u16, sequence: u32, acknowledgement: u32, window: u16 },
    flags: fc.constantFrom(SYN, SYN | ACK),
    segmentSize: u16,
    scale: fc.option(fc.nat(14), { nil: undefined }),
  });
  fc.assert(
    fc.property(segment, addresses, (fields, [source, destination]) => {
      const written = new Uint8Array(28);
      writeSegmentHeader(written, source, destination, fields);
      expect(parseSegment(written)).toEqual({ ...fields, data: new Uint8Array(0) });
      const pseudo = [...source, ...destination, 0, PROTOCOL_TCP, 0, written.length];
      expect(plainChecksum(Uint8Array.of(...pseudo, ...written))).toBe(0);
    }),
  );
});

test('an ARP request is answered with the address that it asks for', () => {
  const sender = Uint8Array.of(2, 0, 0, 0, 0, 9);
  const gateway = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const reply = arpReply(
    { senderMac: sender, sender: Uint8Array.of(0, 0, 0, 7), target: Uint8Array.of(0, 0, 0, 5) },
    gateway,
  );
  expect(parseArpRequest(reply)).toBeUndefined();
  expect([...reply.subarray(0, 14)]).toEqual([...sender, ...gateway, 8, 6]);
  expect([...reply.subarray(14)]).toEqual(
    [0, 1, 8, 0, 6, 4, 0, 2].concat([...gateway], [0, 0, 0, 5], [...sender], [0, 0, 0, 7]),
  );
  const request = reply.slice();
  request[21] = 1;
  expect(parseArpRequest(request)).toEqual({
    senderMac: gateway,
    sender: Uint8Array.of(0, 0, 0, 5),
    target: Uint8Array.of(0, 0, 0, 7),
  });
  expect(parseArpRequest(newFrame(sender, sender, TYPE_ARP, 27))).toBeUndefined();
});

test('arbitrary bytes are never an exception', () => {
  fc.assert(
    fc.property(bytes, (data) => {
      for (const type of [TYPE_IPV4, TYPE_IPV6]) {
        const frame = newFrame(MACS.destination, MACS.source, type, data.length);
        frame.set(data, ETHERNET_HEADER);
        const packet = parsePacket(frame);
        if (packet) parseSolicitation(packet);
      }
      parseDatagram(data);
      parseSegment(data);
      parseArpRequest(data);
      parseQuery(data);
    }),
  );
});

test.each([
  ['a version other than 4', (packet: Uint8Array) => packet.set([0x65], 0)],
  ['a length beyond the frame', (packet: Uint8Array) => packet.set([0, 41], 2)],
  ['a length below its header', (packet: Uint8Array) => packet.set([0, 19], 2)],
  ['a wrong checksum', (packet: Uint8Array) => packet.set([1], 1)],
])('a packet with %s is none', (_, spoil) => {
  const header = { source: parseAddress('1.2.3.4'), destination: parseAddress('5.6.7.8'), protocol: 3 };
  const frame = packetFrame(MACS, header, 20, () => {});
  expect(parsePacket(frame)).toBeDefined();
  spoil(frame.subarray(14));
  expect(parsePacket(frame)).toBeUndefined();
});

test.each<[string, (packet: Uint8Array) => void]>([
  ['a version other than 6', (packet) => packet.set([0x40], 0)],
  ['a length beyond the frame', (packet) => packet.set([0, 21], 4)],
])('an IPv6 packet with %s is none', (_, spoil) => {
  const header = { source: parseAddress('::1'), destination: parseAddress('::2'), protocol: 3 };
  const frame = packetFrame(MACS, header, 20, () => {});
  expect(parsePacket(frame)).toBeDefined();
  spoil(frame.subarray(ETHERNET_HEADER));
  expect(parsePacket(frame)).toBeUndefined();
});

import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { GuestConnections } from './guest-connections.ts';
import { packetFrame, parsePacket } from './ip.ts';
import { PROTOCOL_TCP } from './packet.ts';
import { ACK, FIN, parseSegment, RST, SYN, writeSegmentHeader } from './tcp-segment.ts';
import { FakeCard, OUTSIDE, tcpFrame, udpFrame } from './testing/guest-frames.ts';

/** The resets that a guest gets. */
function resets(connections: GuestConnections) {
  const card = new FakeCard();
  connections.reset(card);
  return card.frames.map((frame) => {
    const packet = parsePacket(frame);
    const segment = parseSegment(packet?.payload ?? new Uint8Array());
    if (!packet || !segment) throw new Error('no segment');
    const { flags, sequence, acknowledgement, destinationPort } = segment;
    expect(flags).toBe(RST | ACK);
    return { source: packet.source, sequence, acknowledgement, destinationPort };
  });
}

test('a connection that is being made is reset as one that is refused', () => {
  const connections = new GuestConnections();
  connections.see(tcpFrame(OUTSIDE, { flags: SYN, sequence: 0xffff_ffff }), false);
  expect(resets(connections)).toMatchObject([{ sequence: 0, acknowledgement: 0 }]);
});

test('a reset follows the last byte, and what is sent again does not move it', () => {
  const connections = new GuestConnections();
  const data = new Uint8Array(100);
  for (const sequence of [0xffff_fff0, 84, 0xffff_fff0])
    connections.see(tcpFrame(OUTSIDE, { flags: ACK, sequence, data }, false), true);
  connections.see(tcpFrame(OUTSIDE, { flags: ACK | FIN, sequence: 7 }), false);
  expect(resets(connections)).toMatchObject([{ source: OUTSIDE, sequence: 184, acknowledgement: 8 }]);
});

test('there is nothing to reset after a reset, by either side or this one', () => {
  const connections = new GuestConnections();
  for (const isForGuest of [true, false]) {
    connections.see(tcpFrame(OUTSIDE, { flags: SYN }), false);
    connections.see(tcpFrame(OUTSIDE, { flags: RST }, !isForGuest), isForGuest);
  }
  expect(resets(connections)).toEqual([]);
  connections.see(tcpFrame(OUTSIDE, { flags: SYN }), false);
  expect(resets(connections)).toHaveLength(1);
  expect(resets(connections)).toEqual([]);
});

test('512 connections are known, those used last', () => {
  const connections = new GuestConnections();
  for (let sourcePort = 1; sourcePort <= 600; sourcePort++)
    connections.see(tcpFrame(OUTSIDE, { flags: SYN, sourcePort }), false);
  const ports = resets(connections).map(({ destinationPort }) => destinationPort);
  expect([ports.length, ports[0], ports.at(-1)]).toEqual([512, 89, 600]);
});

test('connections by IPv6 are known, too, and other frames are not looked at', () => {
  const connections = new GuestConnections();
  const [guest, other] = [parseAddress('fd4c::f'), parseAddress('2600::1')];
  const card = new FakeCard();
  const macs = { source: card.mac, destination: card.mac };
  const header = { source: guest, destination: other, protocol: PROTOCOL_TCP };
  const frame = packetFrame(macs, header, 28, (payload) =>
    writeSegmentHeader(payload, guest, other, {
      ...{ sourcePort: 4000, destinationPort: 80, sequence: 5, acknowledgement: 0, window: 0, flags: SYN },
      ...{ segmentSize: undefined, scale: undefined },
    }),
  );
  for (const bytes of [frame, udpFrame(OUTSIDE, 53, new Uint8Array(9)), frame.subarray(0, 40)])
    connections.see(bytes, false);
  expect(resets(connections)).toMatchObject([{ source: other, acknowledgement: 6 }]);
});

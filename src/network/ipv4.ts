/** IPv4 packets (RFC 791). */
import { read16, write16 } from './bytes.ts';
import { checksum } from './checksum.ts';
import type { Packet, PacketHeader } from './packet.ts';

export const IPV4_HEADER = 20;

const VERSION_AND_LENGTH = 0x45;
const DONT_FRAGMENT = 0x4000;
/** More fragments, and the offset of this one. */
const FRAGMENT = 0x3fff;
const FRAGMENT_OFFSET = 0x1fff;
const TTL = 64;

/** The size of the header with its options. */
export const ipv4HeaderSize = (packet: Uint8Array): number => ((packet[0] as number) & 0xf) * 4;

/** The packet that the bytes begin with; undefined if it is malformed. */
export function parseIpv4(packet: Uint8Array): Packet | undefined {
  if (packet.length < IPV4_HEADER || (packet[0] as number) >>> 4 !== 4) return undefined;
  const headerSize = ipv4HeaderSize(packet);
  const length = read16(packet, 2);
  if (headerSize < IPV4_HEADER || length < headerSize || length > packet.length) return undefined;
  if (checksum(packet, 0, headerSize) !== 0) return undefined;
  return {
    source: packet.subarray(12, 16),
    destination: packet.subarray(16, 20),
    protocol: packet[9] as number,
    isPlain: headerSize === IPV4_HEADER && (read16(packet, 6) & FRAGMENT) === 0,
    isLaterFragment: (read16(packet, 6) & FRAGMENT_OFFSET) !== 0,
    payload: packet.subarray(headerSize, length),
    bytes: packet.subarray(0, length),
  };
}

/** Fills in the header of a packet; the payload is the rest of the bytes. */
export function writeIpv4Header(packet: Uint8Array, { source, destination, protocol }: PacketHeader): void {
  packet[0] = VERSION_AND_LENGTH;
  write16(packet, 2, packet.length);
  write16(packet, 6, DONT_FRAGMENT);
  packet[8] = TTL;
  packet[9] = protocol;
  packet.set(source, 12);
  packet.set(destination, 16);
  write16(packet, 10, checksum(packet, 0, IPV4_HEADER));
}

/** IPv6 packets (RFC 8200). */
import { read16, write16 } from './bytes.ts';
import type { Packet, PacketHeader } from './packet.ts';

export const IPV6_HEADER = 40;

const VERSION = 6;
/** Neighbour discovery takes no other (RFC 4861, section 7.1). */
const HOP_LIMIT = 255;
/** Hop-by-hop options, routing, fragment, authentication, destination options. */
const EXTENSIONS = [0, 43, 44, 51, 60];

/**
 * The packet that the bytes begin with; undefined if it is malformed or has extension headers, which carry
 * fragments, routes and options.
 */
export function parseIpv6(packet: Uint8Array): Packet | undefined {
  if (packet.length < IPV6_HEADER || (packet[0] as number) >>> 4 !== VERSION) return undefined;
  const end = IPV6_HEADER + read16(packet, 4);
  const protocol = packet[6] as number;
  if (end > packet.length || EXTENSIONS.includes(protocol)) return undefined;
  return {
    source: packet.subarray(8, 24),
    destination: packet.subarray(24, 40),
    protocol,
    isPlain: true,
    isLaterFragment: false,
    payload: packet.subarray(IPV6_HEADER, end),
    bytes: packet.subarray(0, end),
  };
}

/** Fills in the header of a packet; the payload is the rest of the bytes. */
export function writeIpv6Header(packet: Uint8Array, { source, destination, protocol }: PacketHeader): void {
  packet[0] = VERSION << 4;
  write16(packet, 4, packet.length - IPV6_HEADER);
  packet[6] = protocol;
  packet[7] = HOP_LIMIT;
  packet.set(source, 8);
  packet.set(destination, 24);
}

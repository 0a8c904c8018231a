/** IPv6 packets (RFC 8200). */
import { read16, write16 } from './bytes.ts';
import type { Packet, PacketHeader } from './packet.ts';

export const IPV6_HEADER = 40;

const VERSION = 6;
/** Neighbour discovery takes no other (RFC 4861, section 7.1). */
const HOP_LIMIT = 255;
const FRAGMENT = 44;
const FRAGMENT_SIZE = 8;
const FRAGMENT_OFFSET = 0xfff8;
/** Headers that carry hop-by-hop options, routes, fragments, signatures, and options for the destination. */
const EXTENSIONS = [0, 43, FRAGMENT, 51, 60];

/** The packet that the bytes begin with; undefined if it is malformed. */
export function parseIpv6(packet: Uint8Array): Packet | undefined {
  if (packet.length < IPV6_HEADER || (packet[0] as number) >>> 4 !== VERSION) return undefined;
  const end = IPV6_HEADER + read16(packet, 4);
  const protocol = packet[6] as number;
  if (end > packet.length) return undefined;
  const payload = packet.subarray(IPV6_HEADER, end);
  return {
    source: packet.subarray(8, 24),
    destination: packet.subarray(24, 40),
    protocol,
    isPlain: !EXTENSIONS.includes(protocol),
    isLaterFragment: protocol === FRAGMENT && isLater(payload),
    payload,
    bytes: packet.subarray(0, end),
  };
}

function isLater(fragment: Uint8Array): boolean {
  return fragment.length < FRAGMENT_SIZE || (read16(fragment, 2) & FRAGMENT_OFFSET) !== 0;
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

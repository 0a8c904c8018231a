/** ICMP messages (RFC 792, RFC 4443), whose checksum is left to `icmpFrame`. */
import { type Address, isIpv6 } from './address.ts';
import { write16, write32 } from './bytes.ts';
import { checksum, pseudoHeaderSum } from './checksum.ts';
import { type FrameEnds, packetFrame } from './ip.ts';
import { ipv4HeaderSize } from './ipv4.ts';
import { IPV6_HEADER } from './ipv6.ts';
import { type Packet, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from './packet.ts';

const HEADER = 8;

/** An error quotes its packet: of IPv4 the header and 8 bytes, of IPv6 what fits in the smallest MTU. */
const QUOTED_PAYLOAD = 8;
const QUOTED_V6 = 1280 - IPV6_HEADER - HEADER;

/** Types of IPv4 and IPv6. */
const ECHO_REQUEST = [8, 128] as const;
const ECHO_REPLY = [0, 129] as const;

/** Why a packet cannot be delivered: type and code in IPv4 and IPv6. */
const ERRORS = {
  unreachable: [3, 1, 1, 3],
  'unknown protocol': [3, 2, 4, 1],
  'closed port': [3, 3, 1, 4],
  prohibited: [3, 13, 1, 1],
} as const;

export type DeliveryError = keyof typeof ERRORS;

/** The place of the protocol in an IPv6 header, to which the error about it points. */
const AT_PROTOCOL = 6;

/** What an error needs of its packet. */
export type Undelivered = Pick<Packet, 'source' | 'destination' | 'bytes'>;

export const isIcmp = ({ protocol, destination }: Packet): boolean =>
  protocol === (isIpv6(destination) ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP);

/** A frame with a message, whose checksum it fills in. */
export function icmpFrame(
  macs: FrameEnds,
  source: Address,
  destination: Address,
  message: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const protocol = isIpv6(destination) ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
  const { length } = message;
  const sum = isIpv6(destination) ? pseudoHeaderSum(source, destination, protocol, length) : 0;
  write16(message, 2, checksum(message, 0, length, sum));
  return packetFrame(macs, { source, destination, protocol }, length, (payload) => payload.set(message));
}

/** @param packet one of ICMP */
export function isEchoRequest({ destination, payload }: Packet): boolean {
  const type = ECHO_REQUEST[isIpv6(destination) ? 1 : 0];
  return payload.length >= HEADER && payload[0] === type && payload[1] === 0;
}

export function echoReply({ destination, payload }: Packet): Uint8Array {
  const reply = payload.slice();
  reply[0] = ECHO_REPLY[isIpv6(destination) ? 1 : 0];
  write16(reply, 2, 0);
  return reply;
}

/** Keeps what an error needs of a packet, without the rest of its frame. */
export function undelivered({ source, destination, bytes }: Packet): Undelivered {
  return { source: source.slice(), destination: destination.slice(), bytes: bytes.slice(0, QUOTED_V6) };
}

/** Tells the sender that its packet cannot be delivered. */
export function deliveryError(error: DeliveryError, { destination, bytes }: Undelivered): Uint8Array {
  const isVersion6 = isIpv6(destination);
  const quoted = bytes.subarray(0, isVersion6 ? QUOTED_V6 : ipv4HeaderSize(bytes) + QUOTED_PAYLOAD);
  const message = new Uint8Array(HEADER + quoted.length);
  message.set(ERRORS[error].slice(isVersion6 ? 2 : 0, isVersion6 ? 4 : 2));
  if (isVersion6 && error === 'unknown protocol') write32(message, 4, AT_PROTOCOL);
  message.set(quoted, HEADER);
  return message;
}

/** IPv4 packets (RFC 791) and ICMP messages (RFC 792). */
import { read16, read32, write16, write32 } from './bytes.ts';
import { checksum } from './checksum.ts';
import { ETHERNET_HEADER } from './ethernet.ts';

export const IPV4_HEADER = 20;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

const VERSION_AND_LENGTH = 0x45;
const DONT_FRAGMENT = 0x4000;
/** More fragments, and the offset of this one. */
const FRAGMENT = 0x3fff;
const TTL = 64;

export interface Packet {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** Header and payload. */
  readonly bytes: Uint8Array;
}

/**
 * The packet in a frame; undefined if it is malformed, a fragment, or has options, which only carry source
 * routes nowadays.
 */
export function parsePacket(frame: Uint8Array): Packet | undefined {
  if (frame.length < ETHERNET_HEADER + IPV4_HEADER || frame[ETHERNET_HEADER] !== VERSION_AND_LENGTH)
    return undefined;
  const length = read16(frame, ETHERNET_HEADER + 2);
  if (length < IPV4_HEADER || length > frame.length - ETHERNET_HEADER) return undefined;
  const bytes = frame.subarray(ETHERNET_HEADER, ETHERNET_HEADER + length);
  if ((read16(bytes, 6) & FRAGMENT) !== 0 || checksum(bytes, 0, IPV4_HEADER) !== 0) return undefined;
  return {
    source: read32(bytes, 12),
    destination: read32(bytes, 16),
    protocol: bytes[9] as number,
    payload: bytes.subarray(IPV4_HEADER),
    bytes,
  };
}

/** Fills in the header of the packet in a frame, whose payload is the rest of the frame. */
export function writePacketHeader(
  frame: Uint8Array,
  source: number,
  destination: number,
  protocol: number,
): void {
  const at = ETHERNET_HEADER;
  frame[at] = VERSION_AND_LENGTH;
  write16(frame, at + 2, frame.length - at);
  write16(frame, at + 6, DONT_FRAGMENT);
  frame[at + 8] = TTL;
  frame[at + 9] = protocol;
  write32(frame, at + 12, source);
  write32(frame, at + 16, destination);
  write16(frame, at + 10, checksum(frame, at, at + IPV4_HEADER));
}

/** An address as text. */
export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');

/** @param text dotted decimal */
export const parseAddress = (text: string): number =>
  text.split('.').reduce((value, part) => value * 256 + Number(part), 0);

/** Whether packets to an address may have several receivers; they are never answered with an error. */
export const isMulticast = (address: number): boolean => address >>> 28 >= 14;

const ECHO_REQUEST = 8;
const UNREACHABLE = 3;
const ICMP_HEADER = 8;
/** An error quotes the header of its packet and the first 8 bytes after it. */
const QUOTED = IPV4_HEADER + 8;

export const UNREACHABLE_HOST = 1;
export const UNREACHABLE_PROTOCOL = 2;
export const UNREACHABLE_PORT = 3;
export const UNREACHABLE_PROHIBITED = 13;

export function isEchoRequest(icmp: Uint8Array): boolean {
  return icmp.length >= ICMP_HEADER && icmp[0] === ECHO_REQUEST && icmp[1] === 0;
}

export function echoReply(request: Uint8Array): Uint8Array {
  const reply = request.slice();
  reply[0] = 0;
  write16(reply, 2, 0);
  write16(reply, 2, checksum(reply, 0, reply.length));
  return reply;
}

/** Tells the sender that its packet cannot be delivered. */
export function unreachable(code: number, packet: Uint8Array): Uint8Array {
  const message = new Uint8Array(ICMP_HEADER + Math.min(QUOTED, packet.length));
  message[0] = UNREACHABLE;
  message[1] = code;
  message.set(packet.subarray(0, QUOTED), ICMP_HEADER);
  write16(message, 2, checksum(message, 0, message.length));
  return message;
}

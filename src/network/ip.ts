/** IP packets of both versions in Ethernet frames. */
import { type Address, isIpv6 } from './address.ts';
import { ETHERNET_HEADER, frameType, type Mac, newFrame, TYPE_IPV4, TYPE_IPV6 } from './ethernet.ts';
import { IPV4_HEADER, parseIpv4, writeIpv4Header } from './ipv4.ts';
import { IPV6_HEADER, parseIpv6, writeIpv6Header } from './ipv6.ts';
import type { Packet, PacketHeader } from './packet.ts';

export const ipHeaderSize = (address: Address): number => (isIpv6(address) ? IPV6_HEADER : IPV4_HEADER);

/** The packet in a frame; undefined if there is none, or it is malformed. */
export function parsePacket(frame: Uint8Array): Packet | undefined {
  const packet = frame.subarray(ETHERNET_HEADER);
  const type = frameType(frame);
  if (type === TYPE_IPV4) return parseIpv4(packet);
  return type === TYPE_IPV6 ? parseIpv6(packet) : undefined;
}

/** The hardware addresses of a frame. */
export interface FrameEnds {
  readonly source: Mac;
  readonly destination: Mac;
}

/**
 * A frame with a packet.
 * @param fill writes the payload
 */
export function packetFrame(
  macs: FrameEnds,
  header: PacketHeader,
  length: number,
  fill: (payload: Uint8Array) => void,
): Uint8Array<ArrayBuffer> {
  const isVersion6 = isIpv6(header.destination);
  const headerSize = ipHeaderSize(header.destination);
  const type = isVersion6 ? TYPE_IPV6 : TYPE_IPV4;
  const frame = newFrame(macs.destination, macs.source, type, headerSize + length);
  const packet = frame.subarray(ETHERNET_HEADER);
  if (isVersion6) writeIpv6Header(packet, header);
  else writeIpv4Header(packet, header);
  fill(packet.subarray(headerSize));
  return frame;
}

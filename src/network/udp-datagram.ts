/** UDP datagrams (RFC 768). */
import type { Address } from './address.ts';
import { read16, write16 } from './bytes.ts';
import { checksum, pseudoHeaderSum } from './checksum.ts';
import { PROTOCOL_UDP } from './packet.ts';

export const UDP_HEADER = 8;

export interface Datagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

/** The checksum is not looked at: the guest leaves it to the network card, and memory needs none. */
export function parseDatagram(bytes: Uint8Array): Datagram | undefined {
  if (bytes.length < UDP_HEADER) return undefined;
  const length = read16(bytes, 4);
  if (length < UDP_HEADER || length > bytes.length) return undefined;
  return {
    sourcePort: read16(bytes, 0),
    destinationPort: read16(bytes, 2),
    data: bytes.subarray(UDP_HEADER, length),
  };
}

/** Fills in the datagram that `into` has exactly room for. */
export function writeDatagram(
  into: Uint8Array,
  source: Address,
  destination: Address,
  datagram: Datagram,
): void {
  const { sourcePort, destinationPort, data } = datagram;
  write16(into, 0, sourcePort);
  write16(into, 2, destinationPort);
  write16(into, 4, into.length);
  into.set(data, UDP_HEADER);
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, into.length);
  // Zero would mean that there is no checksum.
  write16(into, 6, checksum(into, 0, into.length, sum) || 0xffff);
}

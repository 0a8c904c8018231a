import type { Address } from './address.ts';

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;

export interface PacketHeader {
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: number;
}

/** An IP packet. */
export interface Packet extends PacketHeader {
  /** Whether it is neither a fragment nor has options, which only carry source routes nowadays. */
  readonly isPlain: boolean;
  readonly isLaterFragment: boolean;
  readonly payload: Uint8Array;
  /** Header and payload. */
  readonly bytes: Uint8Array;
}

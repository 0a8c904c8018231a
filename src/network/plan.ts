/** The network between a guest and its NAT, which each guest has for itself. The addresses are QEMU's. */
import { type Address, parseAddress } from './address.ts';
import { equalBytes } from './bytes.ts';

const MAC_GUEST = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
const MAC_GATEWAY = [0x52, 0x55, 0x0a, 0x00, 0x02, 0x02];

export const PLAN = {
  guest: parseAddress('10.0.2.15'),
  prefix: 24,
  gateway: parseAddress('10.0.2.2'),
  nameServer: parseAddress('10.0.2.3'),
  guestMac: Uint8Array.from(MAC_GUEST),
  gatewayMac: Uint8Array.from(MAC_GATEWAY),
  /** As large as possible: the cost of a transfer is the number of its frames. */
  mtu: 65520,
} as const;

export const isGuest = (address: Address): boolean => equalBytes(address, PLAN.guest);
export const isGateway = (address: Address): boolean => equalBytes(address, PLAN.gateway);
export const isNameServer = (address: Address): boolean => equalBytes(address, PLAN.nameServer);

/** The gateway as an address of the guest sees it. */
export const gatewayFor = (_guest: Address): Address => PLAN.gateway;

/** The network between a guest and its NAT, which each guest has for itself. IPv4 addresses are QEMU's. */
import { type Address, isIpv6, parseAddress } from './address.ts';
import { equalBytes } from './bytes.ts';

const MAC_GUEST = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
const MAC_GATEWAY = [0x52, 0x55, 0x0a, 0x00, 0x02, 0x02];

export const PLAN = {
  guest: parseAddress('10.0.2.15'),
  prefix: 24,
  gateway: parseAddress('10.0.2.2'),
  nameServer: parseAddress('10.0.2.3'),
  /** Unique local addresses (RFC 4193). The network meets no other, so its number need not be random. */
  ipv6: {
    /** Of 64 bits. */
    prefix: parseAddress('fd4c:696e:7578::'),
    gateway: parseAddress('fd4c:696e:7578::2'),
    nameServer: parseAddress('fd4c:696e:7578::3'),
    /** The gateway as the router of the link. */
    router: parseAddress('fe80::2'),
  },
  guestMac: Uint8Array.from(MAC_GUEST),
  gatewayMac: Uint8Array.from(MAC_GATEWAY),
  /** As large as possible: the cost of a transfer is the number of its frames. */
  mtu: 65520,
} as const;

const GATEWAYS = [PLAN.gateway, PLAN.ipv6.gateway, PLAN.ipv6.router];
const NAME_SERVERS = [PLAN.nameServer, PLAN.ipv6.nameServer];
const HALF = 8;
const GUEST_PREFIXES = [PLAN.ipv6.prefix, PLAN.ipv6.router].map((address) => address.subarray(0, HALF));

const isAmong = (addresses: readonly Address[], address: Address): boolean =>
  addresses.some((each) => equalBytes(each, address));

export const isGateway = (address: Address): boolean => isAmong(GATEWAYS, address);
export const isNameServer = (address: Address): boolean => isAmong(NAME_SERVERS, address);

/** Whether an address may be the guest's. It chooses the second half of its IPv6 addresses. */
export function isGuest(address: Address): boolean {
  if (!isIpv6(address)) return equalBytes(address, PLAN.guest);
  return isAmong(GUEST_PREFIXES, address.subarray(0, HALF)) && !isGateway(address) && !isNameServer(address);
}

/** The gateway as an address of the guest sees it. */
export const gatewayFor = (guest: Address): Address => (isIpv6(guest) ? PLAN.ipv6.gateway : PLAN.gateway);

/** Neighbour discovery (RFC 4861): solicitations of the guest, and advertisements of its router. */
import { type Address, parseAddress } from './address.ts';
import { write16, write32 } from './bytes.ts';
import type { Mac } from './ethernet.ts';
import { icmpFrame } from './icmp-message.ts';
import { type Packet, PROTOCOL_ICMPV6 } from './packet.ts';

const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;

const ROUTER_SOLICITATION_SIZE = 8;
const ROUTER_ADVERTISEMENT_SIZE = 16;
/** With the target's address. */
const NEIGHBOUR_SIZE = 24;
/** A packet that was forwarded has less. */
const HOP_LIMIT = 255;
const AT_HOP_LIMIT = 7;

const OPTION_SOURCE_MAC = 1;
const OPTION_TARGET_MAC = 2;
const OPTION_PREFIX = 3;
const OPTION_MTU = 5;
/** RFC 8106, section 5.1. */
const OPTION_NAME_SERVER = 25;
/** Options have multiples of this size. */
const UNIT = 8;

const FROM_ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

/**
 * Hosts make addresses with the prefix, but it is not that of the link: packets for its other addresses go to
 * the router, which refuses them at once.
 */
const AUTONOMOUS = 0x40;
const PREFIX_LENGTH = 64;
export const UNSPECIFIED = parseAddress('::');
const ALL_ROUTERS = parseAddress('ff02::2');
/** RFC 2464, section 7. */
const ALL_ROUTERS_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 2);
const FOREVER = 0xffff_ffff;
const MAX_ROUTER_LIFETIME = 0xffff;

export type Solicitation =
  | { readonly kind: 'router' }
  /** @param target the address whose hardware address is asked for */
  | { readonly kind: 'neighbour'; readonly target: Address };

/**
 * The solicitation in a packet; undefined for anything else.
 * @param packet of IPv6
 */
export function parseSolicitation({ protocol, payload, bytes }: Packet): Solicitation | undefined {
  if (protocol !== PROTOCOL_ICMPV6 || bytes[AT_HOP_LIMIT] !== HOP_LIMIT) return undefined;
  const [type, code] = payload;
  if (code !== 0) return undefined;
  if (type === ROUTER_SOLICITATION && payload.length >= ROUTER_SOLICITATION_SIZE) return { kind: 'router' };
  return type === NEIGHBOUR_SOLICITATION && payload.length >= NEIGHBOUR_SIZE
    ? { kind: 'neighbour', target: payload.subarray(8, NEIGHBOUR_SIZE) }
    : undefined;
}

/** A host without an address asks the routers of its link for advertisements. */
export function routerSolicitation(mac: Mac): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(ROUTER_SOLICITATION_SIZE);
  message[0] = ROUTER_SOLICITATION;
  return icmpFrame({ source: mac, destination: ALL_ROUTERS_MAC }, UNSPECIFIED, ALL_ROUTERS, message);
}

/**
 * Says which hardware address a router's address has.
 * @param isSolicited whether a host with an address asked for it
 */
export function neighbourAdvertisement(target: Address, mac: Mac, isSolicited: boolean): Uint8Array {
  const message = new Uint8Array(NEIGHBOUR_SIZE + UNIT);
  message[0] = NEIGHBOUR_ADVERTISEMENT;
  message[4] = FROM_ROUTER | OVERRIDE | (isSolicited ? SOLICITED : 0);
  message.set(target, 8);
  message.set(macOption(OPTION_TARGET_MAC, mac), NEIGHBOUR_SIZE);
  return message;
}

export interface Router {
  readonly mac: Mac;
  readonly mtu: number;
  readonly prefix: Address;
  readonly nameServer: Address;
}

/** Gives a host its prefix, route and name server, or takes them back if the router leads nowhere. */
export function routerAdvertisement(router: Router, leadsAnywhere: boolean): Uint8Array {
  const message = new Uint8Array(ROUTER_ADVERTISEMENT_SIZE);
  message[0] = ROUTER_ADVERTISEMENT;
  if (leadsAnywhere) write16(message, 6, MAX_ROUTER_LIFETIME);
  const lifetime = leadsAnywhere ? FOREVER : 0;
  return Uint8Array.of(
    ...message,
    ...macOption(OPTION_SOURCE_MAC, router.mac),
    ...mtuOption(router.mtu),
    ...prefixOption(router.prefix, lifetime),
    ...nameServerOption(router.nameServer, lifetime),
  );
}

function macOption(kind: number, mac: Mac): Uint8Array {
  const option = newOption(kind, 1);
  option.set(mac, 2);
  return option;
}

function mtuOption(mtu: number): Uint8Array {
  const option = newOption(OPTION_MTU, 1);
  write32(option, 4, mtu);
  return option;
}

function prefixOption(prefix: Address, lifetime: number): Uint8Array {
  const option = newOption(OPTION_PREFIX, 4);
  option[2] = PREFIX_LENGTH;
  option[3] = AUTONOMOUS;
  write32(option, 4, lifetime);
  write32(option, 8, lifetime);
  option.set(prefix, 16);
  return option;
}

function nameServerOption(nameServer: Address, lifetime: number): Uint8Array {
  const option = newOption(OPTION_NAME_SERVER, 3);
  write32(option, 4, lifetime);
  option.set(nameServer, 8);
  return option;
}

function newOption(kind: number, units: number): Uint8Array {
  const option = new Uint8Array(UNIT * units);
  option[0] = kind;
  option[1] = units;
  return option;
}

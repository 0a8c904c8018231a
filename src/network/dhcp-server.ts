/** A DHCP server (RFC 2131, RFC 2132) for one guest, whose address is always the same. */
import type { Address } from './address.ts';
import { equalBytes, read32, write32 } from './bytes.ts';
import { PLAN } from './plan.ts';

export const BOOT_REQUEST = 1;
export const BOOT_REPLY = 2;
export const COOKIE = 0x6382_5363;
export const AT_CLIENT_ADDRESS = 12;
export const AT_YOUR_ADDRESS = 16;
export const AT_HARDWARE = 28;
export const AT_COOKIE = 236;
export const AT_OPTIONS = 240;
/** The least that clients of BOOTP expect. */
export const MIN_SIZE = 300;

export const DISCOVER = 1;
export const OFFER = 2;
export const REQUEST = 3;
export const ACK = 5;
export const NAK = 6;
const INFORM = 8;

const OPTION_PAD = 0;
export const OPTION_MASK = 1;
export const OPTION_ROUTER = 3;
export const OPTION_NAME_SERVER = 6;
const OPTION_MTU = 26;
export const OPTION_REQUESTED = 50;
export const OPTION_LEASE_TIME = 51;
export const OPTION_TYPE = 53;
export const OPTION_SERVER = 54;
export const OPTION_END = 255;

const LEASE_SECONDS = 86_400;

/** What a server tells its only client. */
interface Lease {
  /** The hardware address of the guest; requests for others are not answered. */
  readonly mac: Uint8Array;
  /** The largest packet. */
  readonly mtu: number;
}

/**
 * Answers a message of a client.
 * @returns undefined for a message that needs no answer, or is malformed
 */
export function answerDhcp(message: Uint8Array, { mac, mtu }: Lease): Uint8Array | undefined {
  if (message.length < AT_OPTIONS || message[0] !== BOOT_REQUEST || message[1] !== 1 || message[2] !== 6)
    return undefined;
  if (read32(message, AT_COOKIE) !== COOKIE) return undefined;
  if (!equalBytes(message.subarray(AT_HARDWARE, AT_HARDWARE + 6), mac)) return undefined;
  const options = parseOptions(message.subarray(AT_OPTIONS));
  const server = addressOf(options.get(OPTION_SERVER));
  // It has chosen another server.
  if (server && !equalBytes(server, PLAN.gateway)) return undefined;
  switch (options.get(OPTION_TYPE)?.[0]) {
    case DISCOVER:
      return reply(message, mtu, OFFER, PLAN.guest);
    case REQUEST: {
      const wanted =
        addressOf(options.get(OPTION_REQUESTED)) ??
        message.subarray(AT_CLIENT_ADDRESS, AT_CLIENT_ADDRESS + 4);
      return equalBytes(wanted, PLAN.guest) ? reply(message, mtu, ACK, PLAN.guest) : reply(message, mtu, NAK);
    }
    case INFORM:
      return reply(message, mtu, ACK);
    default:
      return undefined;
  }
}

export function parseOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length && bytes[at] !== OPTION_END; ) {
    const kind = bytes[at] as number;
    const length = bytes[at + 1] ?? 0;
    if (kind === OPTION_PAD) {
      at++;
      continue;
    }
    options.set(kind, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

export function addressOf(option: Uint8Array | undefined): Address | undefined {
  return option?.length === 4 ? option : undefined;
}

function reply(request: Uint8Array, mtu: number, type: number, address?: Address): Uint8Array {
  const options = [
    [OPTION_TYPE, 1, type],
    [OPTION_SERVER, 4, ...PLAN.gateway],
  ];
  if (type !== NAK) {
    options.push(
      number32(OPTION_MASK, (-1 << (32 - PLAN.prefix)) >>> 0),
      [OPTION_ROUTER, 4, ...PLAN.gateway],
      [OPTION_NAME_SERVER, 4, ...PLAN.nameServer],
      [OPTION_MTU, 2, mtu >>> 8, mtu & 0xff],
    );
    if (address) options.push(number32(OPTION_LEASE_TIME, LEASE_SECONDS));
  }
  const encoded = [...options.flat(), OPTION_END];
  const message = new Uint8Array(Math.max(MIN_SIZE, AT_OPTIONS + encoded.length));
  message.set([BOOT_REPLY, 1, 6]);
  // Transaction, flags, and for INFORM the client's address.
  message.set(request.subarray(4, 8), 4);
  message.set(request.subarray(10, 16), 10);
  if (type === NAK) write32(message, AT_CLIENT_ADDRESS, 0);
  if (address) message.set(address, AT_YOUR_ADDRESS);
  message.set(request.subarray(AT_HARDWARE, AT_HARDWARE + 16), AT_HARDWARE);
  write32(message, AT_COOKIE, COOKIE);
  message.set(encoded, AT_OPTIONS);
  return message;
}

function number32(kind: number, value: number): number[] {
  return [kind, 4, value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** A DHCP server (RFC 2131, RFC 2132) for one guest, whose address is always the same. */
import type { Address } from './address.ts';
import { equalBytes, write32 } from './bytes.ts';
import {
  ACK,
  AT_CLIENT_ADDRESS,
  AT_HARDWARE,
  AT_YOUR_ADDRESS,
  addressOf,
  BOOT_REPLY,
  BOOT_REQUEST,
  DISCOVER,
  INFORM,
  isMessageOf,
  NAK,
  newMessage,
  OFFER,
  OPTION_LEASE_TIME,
  OPTION_MASK,
  OPTION_MTU,
  OPTION_NAME_SERVER,
  OPTION_REQUESTED,
  OPTION_ROUTER,
  OPTION_SERVER,
  OPTION_TYPE,
  option,
  parseOptions,
  REQUEST,
} from './dhcp-message.ts';
import type { Mac } from './ethernet.ts';
import { PLAN } from './plan.ts';

const LEASE_SECONDS = 86_400;

interface Guest {
  /** Messages of others are not answered. */
  readonly mac: Mac;
  /** The largest packet. */
  readonly mtu: number;
}

/**
 * Answers a message of a client.
 * @returns undefined for a message that needs no answer, or is malformed
 */
export function answerDhcp(message: Uint8Array, { mac, mtu }: Guest): Uint8Array | undefined {
  if (!isMessageOf(mac, BOOT_REQUEST, message)) return undefined;
  const options = parseOptions(message);
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

function reply(request: Uint8Array, mtu: number, type: number, address?: Address): Uint8Array {
  const options = [option(OPTION_TYPE, [type]), option(OPTION_SERVER, PLAN.gateway)];
  if (type !== NAK) {
    options.push(
      number32(OPTION_MASK, (-1 << (32 - PLAN.prefix)) >>> 0),
      option(OPTION_ROUTER, PLAN.gateway),
      option(OPTION_NAME_SERVER, PLAN.nameServer),
      option(OPTION_MTU, [mtu >>> 8, mtu & 0xff]),
    );
    if (address) options.push(number32(OPTION_LEASE_TIME, LEASE_SECONDS));
  }
  const message = newMessage(BOOT_REPLY, options.flat());
  // Transaction, flags, and for INFORM the client's address.
  message.set(request.subarray(4, 8), 4);
  message.set(request.subarray(10, 16), 10);
  if (type === NAK) write32(message, AT_CLIENT_ADDRESS, 0);
  if (address) message.set(address, AT_YOUR_ADDRESS);
  message.set(request.subarray(AT_HARDWARE, AT_HARDWARE + 16), AT_HARDWARE);
  return message;
}

function number32(kind: number, value: number): number[] {
  return option(kind, [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
}

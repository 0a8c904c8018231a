/** The messages of DHCP (RFC 2131, section 2; RFC 2132). */
import type { Address } from './address.ts';
import { equalBytes, read32, write32 } from './bytes.ts';
import type { Mac } from './ethernet.ts';

export const BOOT_REQUEST = 1;
export const BOOT_REPLY = 2;
const COOKIE = 0x6382_5363;
export const AT_CLIENT_ADDRESS = 12;
export const AT_YOUR_ADDRESS = 16;
export const AT_HARDWARE = 28;
const AT_COOKIE = 236;
const AT_OPTIONS = 240;
/** The least that clients of BOOTP expect. */
const MIN_SIZE = 300;

export const DISCOVER = 1;
export const OFFER = 2;
export const REQUEST = 3;
export const ACK = 5;
export const NAK = 6;
export const INFORM = 8;

const OPTION_PAD = 0;
export const OPTION_MASK = 1;
export const OPTION_ROUTER = 3;
export const OPTION_NAME_SERVER = 6;
export const OPTION_MTU = 26;
export const OPTION_REQUESTED = 50;
export const OPTION_LEASE_TIME = 51;
export const OPTION_TYPE = 53;
export const OPTION_SERVER = 54;
const OPTION_END = 255;

/** The hardware's type and the length of its addresses. */
const ETHERNET = 1;
const MAC_LENGTH = 6;

/** Encodes an option. */
export const option = (kind: number, value: Uint8Array | readonly number[]): number[] => [
  ...[kind, value.length],
  ...value,
];

/** @param options encoded, one after the other */
export function newMessage(
  operation: typeof BOOT_REQUEST | typeof BOOT_REPLY,
  options: readonly number[],
): Uint8Array {
  const encoded = [...options, OPTION_END];
  const message = new Uint8Array(Math.max(MIN_SIZE, AT_OPTIONS + encoded.length));
  message.set([operation, ETHERNET, MAC_LENGTH]);
  write32(message, AT_COOKIE, COOKIE);
  message.set(encoded, AT_OPTIONS);
  return message;
}

/** Whether a message is from or to this client. */
export function isMessageOf(client: Mac, operation: number, message: Uint8Array): boolean {
  return (
    message.length >= AT_OPTIONS &&
    equalBytes(message.subarray(0, 3), Uint8Array.of(operation, ETHERNET, MAC_LENGTH)) &&
    read32(message, AT_COOKIE) === COOKIE &&
    equalBytes(message.subarray(AT_HARDWARE, AT_HARDWARE + MAC_LENGTH), client)
  );
}

export type Options = ReadonlyMap<number, Uint8Array>;

export function parseOptions(message: Uint8Array): Options {
  const bytes = message.subarray(AT_OPTIONS);
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

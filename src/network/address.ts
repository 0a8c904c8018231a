import { ipv6Words } from '../oci/address.ts';
import { read16, write16 } from './bytes.ts';

/** An IPv4 or IPv6 address: its 4 or 16 bytes, which do not change. */
export type Address = Uint8Array;

const IPV6_SIZE = 16;

export const isIpv6 = (address: Address): boolean => address.length === IPV6_SIZE;

/** Whether packets to an address may have several receivers; they are never answered with an error. */
export const isMulticast = (address: Address): boolean =>
  (address[0] as number) >= (isIpv6(address) ? 0xff : 224);

/** An address as text: dotted decimal, or as RFC 5952 says. */
export function formatAddress(address: Address): string {
  if (!isIpv6(address)) return address.join('.');
  const words = Array.from({ length: 8 }, (_, index) => read16(address, 2 * index).toString(16));
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

/** @param text dotted decimal, or the eight words of an IPv6 address in hex, perhaps with `::` */
export function parseAddress(text: string): Address {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  const address = new Uint8Array(IPV6_SIZE);
  for (const [index, word] of ipv6Words(text).entries())
    write16(address, 2 * index, Number.parseInt(word, 16));
  return address;
}

import { isIP } from 'node:net';
import { isInternal, isLoopback } from '../../oci/address.ts';

/** Whether an address, in any spelling that the system accepts, is on the public internet. */
export function isPublicAddress(address: string): boolean {
  const hostname = toHostname(address);
  return hostname !== undefined && !isInternal(hostname);
}

export function isLoopbackAddress(address: string): boolean {
  const hostname = toHostname(address);
  return hostname !== undefined && isLoopback(hostname);
}

/**
 * Returns undefined for text that is no address, and for an address with a zone, which is valid on one link
 * only.
 */
function toHostname(address: string): string | undefined {
  if (isIP(address) === 4) return address;
  if (isIP(address) !== 6 || address.includes('%')) return undefined;
  return new URL(`http://[${address}]`).hostname;
}

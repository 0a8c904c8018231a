/** The internet checksum (RFC 1071). */
import type { Address } from './address.ts';

/**
 * The checksum of `bytes[start…end)`.
 * @param initial a sum of 16-bit words in network order, such as a pseudo-header's
 */
export function checksum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  const address = bytes.byteOffset + start;
  const words = address % 4 === 0 ? (end - start) >>> 2 : 0;
  // The sum does not depend on the byte order (section 2 B), so words of the host's order do, swapped.
  const swapped = words > 0 ? swap(fold(sumOfWords(bytes.buffer, address, words))) : 0;
  return ~fold(swapped + initial + sumOfBytes(bytes, start + 4 * words, end)) & 0xffff;
}

/**
 * The sum of the pseudo-header of TCP and UDP (RFC 9293, section 3.1; RFC 768), and in IPv6 of ICMP, too (RFC
 * 8200, section 8.1).
 */
export function pseudoHeaderSum(
  source: Address,
  destination: Address,
  protocol: number,
  length: number,
): number {
  const addresses = sumOfBytes(source, 0, source.length) + sumOfBytes(destination, 0, destination.length);
  return addresses + protocol + length;
}

/** 16384 words of 32 bits, the most that a packet has, add up to less than 2^53. */
function sumOfWords(buffer: ArrayBufferLike, address: number, count: number): number {
  const words = new Uint32Array(buffer, address, count);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += words[i] as number;
  return sum;
}

function sumOfBytes(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  let at = start;
  for (; at + 1 < end; at += 2) sum += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  return at < end ? sum + ((bytes[at] as number) << 8) : sum;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return folded;
}

function swap(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

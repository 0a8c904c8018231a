/** Ethernet frames (IEEE 802.3) and ARP (RFC 826). */
import type { Address } from './address.ts';
import { read16, write16 } from './bytes.ts';

export const ETHERNET_HEADER = 14;
export const TYPE_IPV4 = 0x0800;
export const TYPE_ARP = 0x0806;
export const TYPE_IPV6 = 0x86dd;
/** The greatest frame: a packet of 65535 bytes, as segmentation offload makes them. */
export const MAX_FRAME = ETHERNET_HEADER + 0xffff;

/** The packet in a frame is aligned to 4 bytes, which makes its checksums cheaper. */
const ALIGNMENT = 2;
const ARP_SIZE = 28;
const HARDWARE_ETHERNET = 1;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;

export type Mac = Uint8Array;

/** QEMU's prefix, which is of locally administered addresses, and 24 random bits. */
export const randomMac = (): Mac =>
  Uint8Array.of(0x52, 0x54, 0, ...crypto.getRandomValues(new Uint8Array(3)));

export const BROADCAST: Mac = new Uint8Array(6).fill(0xff);
export const sourceMac = (frame: Uint8Array): Mac => frame.subarray(6, 12);
export const destinationMac = (frame: Uint8Array): Mac => frame.subarray(0, 6);
export const frameType = (frame: Uint8Array): number => read16(frame, 12);

/** A frame with room for a payload. */
export function newFrame(
  destination: Mac,
  source: Mac,
  type: number,
  payload: number,
): Uint8Array<ArrayBuffer> {
  const buffer = new ArrayBuffer(ALIGNMENT + ETHERNET_HEADER + payload);
  const frame = new Uint8Array(buffer, ALIGNMENT);
  frame.set(destination);
  frame.set(source, 6);
  write16(frame, 12, type);
  return frame;
}

export interface ArpRequest {
  readonly senderMac: Mac;
  readonly sender: Address;
  /** The address whose hardware address is asked for. */
  readonly target: Address;
}

/** The request for an IPv4 address in a frame; undefined for anything else. */
export function parseArpRequest(frame: Uint8Array): ArpRequest | undefined {
  if (frame.length < ETHERNET_HEADER + ARP_SIZE) return undefined;
  const arp = frame.subarray(ETHERNET_HEADER);
  const lengths = read16(arp, 4);
  if (read16(arp, 0) !== HARDWARE_ETHERNET || read16(arp, 2) !== TYPE_IPV4 || lengths !== 0x0604)
    return undefined;
  if (read16(arp, 6) !== ARP_REQUEST) return undefined;
  return { senderMac: arp.slice(8, 14), sender: arp.slice(14, 18), target: arp.slice(24, 28) };
}

/** The frame that answers a request with the hardware address of its target. */
export function arpReply({ senderMac, sender, target }: ArpRequest, mac: Mac): Uint8Array<ArrayBuffer> {
  const frame = newFrame(senderMac, mac, TYPE_ARP, ARP_SIZE);
  const arp = frame.subarray(ETHERNET_HEADER);
  write16(arp, 0, HARDWARE_ETHERNET);
  write16(arp, 2, TYPE_IPV4);
  write16(arp, 4, 0x0604);
  write16(arp, 6, ARP_REPLY);
  arp.set(mac, 8);
  arp.set(target, 14);
  arp.set(senderMac, 18);
  arp.set(sender, 24);
  return frame;
}

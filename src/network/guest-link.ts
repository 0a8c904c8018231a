import { ETHERNET_HEADER, type Mac, newFrame, TYPE_IPV4 } from './ethernet.ts';
import { IPV4_HEADER, isMulticast, PROTOCOL_ICMP, unreachable, writePacketHeader } from './ipv4.ts';
import type { Card } from './network.ts';
import { PLAN } from './plan.ts';

/** With more than this waiting, only answers to frames of the guest are sent. */
const FULL = 512 << 10;

/** Sends packets to the guest. */
export class GuestLink {
  readonly #card: Card;
  #guestMac: Mac = PLAN.guestMac;

  constructor(card: Card) {
    this.#card = card;
  }

  set guestMac(mac: Mac) {
    this.#guestMac = mac;
  }

  get isFull(): boolean {
    return this.#card.waiting > FULL;
  }

  /** Whether the guest has taken everything. */
  get isEmpty(): boolean {
    return this.#card.waiting === 0;
  }

  sendFrame(frame: Uint8Array): void {
    this.#card.deliver(frame);
  }

  /** @param fill writes the payload */
  sendPacket(
    source: number,
    protocol: number,
    length: number,
    fill: (payload: Uint8Array) => void,
    destination: number = PLAN.guest,
  ): void {
    const frame = newFrame(this.#guestMac, PLAN.gatewayMac, TYPE_IPV4, IPV4_HEADER + length);
    writePacketHeader(frame, source, destination, protocol);
    fill(frame.subarray(ETHERNET_HEADER + IPV4_HEADER));
    this.sendFrame(frame);
  }

  sendIcmp(source: number, message: Uint8Array): void {
    this.sendPacket(source, PROTOCOL_ICMP, message.length, (payload) => payload.set(message));
  }

  /**
   * Tells the guest that a packet cannot be delivered, except one to several receivers (RFC 1122, section
   * 3.2.2).
   */
  sendUnreachable(destination: number, code: number, packet: Uint8Array): void {
    if (!isMulticast(destination)) this.sendIcmp(PLAN.gateway, unreachable(code, packet));
  }
}

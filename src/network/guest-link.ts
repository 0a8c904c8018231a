import { type Address, isMulticast } from './address.ts';
import type { Mac } from './ethernet.ts';
import { type DeliveryError, deliveryError, icmpFrame, type Undelivered } from './icmp-message.ts';
import { type FrameEnds, packetFrame } from './ip.ts';
import type { Card } from './network.ts';
import type { PacketHeader } from './packet.ts';
import { gatewayFor, PLAN } from './plan.ts';

/** With more than this waiting, only answers to frames of the guest are sent. */
const FULL = 512 << 10;

/** Sends packets to the guest. */
export class GuestLink {
  readonly #card: Card;
  /** The largest packet. */
  readonly mtu: number;
  #guestMac: Mac = PLAN.guestMac;
  /** Bytes of the frames sent. */
  sent = 0;

  constructor(card: Card, mtu: number) {
    this.#card = card;
    this.mtu = mtu;
  }

  set guestMac(mac: Mac) {
    this.#guestMac = mac;
  }

  get #macs(): FrameEnds {
    return { source: PLAN.gatewayMac, destination: this.#guestMac };
  }

  get isFull(): boolean {
    return this.#card.waiting > FULL;
  }

  /** Whether the guest has taken everything. */
  get isEmpty(): boolean {
    return this.#card.waiting === 0;
  }

  sendFrame(frame: Uint8Array): void {
    this.sent += frame.length;
    this.#card.deliver(frame);
  }

  /** @param fill writes the payload */
  sendPacket(header: PacketHeader, length: number, fill: (payload: Uint8Array) => void): void {
    this.sendFrame(packetFrame(this.#macs, header, length, fill));
  }

  /** Sends a message of ICMP after filling in its checksum. */
  sendIcmp(source: Address, destination: Address, message: Uint8Array): void {
    this.sendFrame(icmpFrame(this.#macs, source, destination, message));
  }

  /**
   * Tells the guest that a packet cannot be delivered, except one to several receivers (RFC 1122, section
   * 3.2.2).
   */
  sendError(error: DeliveryError, packet: Undelivered): void {
    const { source, destination } = packet;
    if (!isMulticast(destination)) this.sendIcmp(gatewayFor(source), source, deliveryError(error, packet));
  }
}

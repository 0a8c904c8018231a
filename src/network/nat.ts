import { equalBytes } from './bytes.ts';
import { answerDhcp } from './dhcp.ts';
import { DnsForwarder } from './dns-forwarder.ts';
import {
  arpReply,
  destinationMac,
  ETHERNET_HEADER,
  frameType,
  MAX_FRAME,
  type Mac,
  parseArpRequest,
  sourceMac,
  TYPE_ARP,
  TYPE_IPV4,
} from './ethernet.ts';
import { GuestLink } from './guest-link.ts';
import type { Host } from './host.ts';
import { Icmp } from './icmp.ts';
import { isIcmp } from './icmp-message.ts';
import { parsePacket } from './ip.ts';
import { LIMITS, type Limits } from './limits.ts';
import type { Card, Network } from './network.ts';
import { type Packet, PROTOCOL_TCP, PROTOCOL_UDP } from './packet.ts';
import { isGateway, isGuest, isNameServer, PLAN } from './plan.ts';
import { Policy, type PolicyOptions } from './policy.ts';
import { Tcp } from './tcp.ts';
import { Udp } from './udp.ts';

export interface NatOptions extends Omit<PolicyOptions, 'ownAddresses'> {
  readonly host: Host;
  readonly card: Card;
  readonly limits?: Limits | undefined;
}

/**
 * The network of one guest: a gateway with network address translation, a name server and a DHCP server. It
 * takes and gives Ethernet frames, and makes each connection of the guest with a socket of its host, so it
 * needs no privileges. The guest is hostile: it reaches only what the policy allows.
 */
export class Nat implements Network {
  readonly #link: GuestLink;
  readonly #tcp: Tcp;
  readonly #udp: Udp;
  readonly #icmp: Icmp;
  #guestMac: Mac | undefined;

  constructor({ host, card, limits = LIMITS, ...rules }: NatOptions) {
    const link = new GuestLink(card);
    const policy = new Policy({ ...rules, ownAddresses: () => host.ownAddresses() });
    const dns = new DnsForwarder(host, policy, limits);
    this.#link = link;
    this.#icmp = new Icmp({ link, host, policy });
    this.#tcp = new Tcp({ link, host, policy, limits, serveNames: (events) => dns.accept(events) });
    this.#udp = new Udp({
      ...{ link, host, policy, limits },
      lease: (message) => this.#guestMac && answerDhcp(message, this.#guestMac),
      resolve: (query) => dns.answerDatagram(query),
    });
  }

  /** Open sockets and connections. */
  get size(): number {
    return this.#tcp.size + this.#udp.size;
  }

  receive(frame: Uint8Array): void {
    if (frame.length < ETHERNET_HEADER || frame.length > MAX_FRAME || !this.#isFromGuest(frame)) return;
    const type = frameType(frame);
    if (type === TYPE_ARP) this.#answerArp(frame);
    const packet = type === TYPE_IPV4 && isForGateway(frame) ? parsePacket(frame) : undefined;
    if (packet) this.#route(packet);
  }

  resume(): void {
    this.#tcp.resume();
  }

  close(): void {
    this.#tcp.close();
    this.#udp.close();
  }

  /** The first frame says which address the guest has. */
  #isFromGuest(frame: Uint8Array): boolean {
    if (!this.#guestMac) {
      this.#guestMac = sourceMac(frame).slice();
      this.#link.guestMac = this.#guestMac;
    }
    return equalBytes(this.#guestMac, sourceMac(frame));
  }

  /** Nothing but gateway and name server is there, so the guest's own address never seems to be taken. */
  #answerArp(frame: Uint8Array): void {
    const request = parseArpRequest(frame);
    if (request && (isGateway(request.target) || isNameServer(request.target)))
      this.#link.sendFrame(arpReply(request, PLAN.gatewayMac));
  }

  #route(packet: Packet): void {
    if (packet.protocol === PROTOCOL_UDP) this.#udp.receive(packet);
    else if (!isGuest(packet.source)) return;
    else if (packet.protocol === PROTOCOL_TCP) this.#tcp.receive(packet);
    else if (isIcmp(packet)) this.#icmp.receive(packet);
    else this.#link.sendError('unknown protocol', packet);
  }
}

const BROADCAST = new Uint8Array(6).fill(0xff);

function isForGateway(frame: Uint8Array): boolean {
  const mac = destinationMac(frame);
  return equalBytes(mac, PLAN.gatewayMac) || equalBytes(mac, BROADCAST);
}

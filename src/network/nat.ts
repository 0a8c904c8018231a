import { equalBytes } from './bytes.ts';
import { answerDhcp } from './dhcp-server.ts';
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
  TYPE_IPV6,
} from './ethernet.ts';
import { GuestLink } from './guest-link.ts';
import type { Host } from './host.ts';
import { Icmp } from './icmp.ts';
import { type DeliveryError, isIcmp } from './icmp-message.ts';
import { parsePacket } from './ip.ts';
import { LIMITS, type Limits } from './limits.ts';
import type { Card, Network } from './network.ts';
import { type Packet, PROTOCOL_TCP, PROTOCOL_UDP } from './packet.ts';
import { isGateway, isGuest, isNameServer, PLAN } from './plan.ts';
import { Policy, type PolicyOptions } from './policy.ts';
import type { RefusalReason } from './refusal.ts';
import { Router } from './router.ts';
import { Tcp } from './tcp.ts';
import { Udp } from './udp.ts';

export interface NatOptions extends Omit<PolicyOptions, 'ownAddresses'> {
  readonly host: Host;
  readonly card: Card;
  /** The largest packet for the guest, if it is smaller than that of the plan. */
  readonly mtu?: number | undefined;
  readonly limits?: Limits | undefined;
}

/** What a guest's network has done so far. Plain data. */
export interface NatStats {
  /** Bytes of the frames for the guest, and of those from it. */
  readonly received: number;
  readonly sent: number;
  /** Open TCP connections and UDP sockets. */
  readonly connections: number;
  /** TCP segments with data that had to be sent to the guest again. */
  readonly resent: number;
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
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
  readonly #router: Router;
  readonly #dns: DnsForwarder;
  readonly #policy: Policy;
  #guestMac: Mac | undefined;
  /** Bytes of the guest's frames. */
  #received = 0;

  constructor({ host, card, mtu = PLAN.mtu, limits = LIMITS, ...rules }: NatOptions) {
    const link = new GuestLink(card, mtu);
    const policy = new Policy({ ...rules, ownAddresses: () => host.ownAddresses() });
    const services = { link, host, policy, limits };
    const dns = new DnsForwarder(services);
    this.#link = link;
    this.#dns = dns;
    this.#policy = policy;
    this.#router = new Router(link, policy);
    this.#icmp = new Icmp(services);
    this.#tcp = new Tcp({ ...services, serveNames: (events) => dns.accept(events) });
    this.#udp = new Udp({
      ...services,
      lease: (message) => this.#guestMac && answerDhcp(message, { mac: this.#guestMac, mtu }),
      resolve: (query) => dns.answerDatagram(query),
    });
  }

  get stats(): NatStats {
    return {
      received: this.#link.sent,
      sent: this.#received,
      connections: this.#tcp.size + this.#udp.size,
      resent: this.#tcp.resent,
      refused: this.#policy.counts,
    };
  }

  receive(frame: Uint8Array): void {
    this.#received += frame.length;
    if (frame.length < ETHERNET_HEADER || frame.length > MAX_FRAME || !this.#isFromGuest(frame)) {
      this.#policy.count('packet');
      return;
    }
    const type = frameType(frame);
    if (type === TYPE_ARP) this.#answerArp(frame);
    if (type === TYPE_IPV6) this.#router.meet();
    if ((type === TYPE_IPV4 || type === TYPE_IPV6) && isForGateway(frame)) this.#takePacket(frame);
  }

  resume(): void {
    this.#tcp.resume();
  }

  close(): void {
    this.#tcp.close();
    this.#udp.close();
    this.#router.close();
    this.#icmp.close();
    this.#dns.close();
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

  #takePacket(frame: Uint8Array): void {
    const packet = parsePacket(frame);
    if (packet && this.#router.receive(packet)) return;
    const isLost = packet === undefined || (!isGuest(packet.source) && packet.protocol !== PROTOCOL_UDP);
    if (isLost) this.#policy.count('packet');
    else if (packet.isPlain) this.#route(packet);
    else this.#refuse(packet, 'prohibited');
  }

  #route(packet: Packet): void {
    if (packet.protocol === PROTOCOL_UDP) this.#udp.receive(packet);
    else if (packet.protocol === PROTOCOL_TCP) this.#tcp.receive(packet);
    else if (isIcmp(packet)) this.#icmp.receive(packet);
    else this.#refuse(packet, 'unknown protocol');
  }

  #refuse(packet: Packet, error: DeliveryError): void {
    this.#policy.refuse('packet', packet.destination);
    // Only of the first fragment may be told (RFC 1122, section 3.2.2).
    if (!packet.isLaterFragment) this.#link.sendError(error, packet);
  }
}

/** The first bit on the wire says that a hardware address is that of a group. */
const GROUP = 1;

/** To the gateway or to several receivers. */
function isForGateway(frame: Uint8Array): boolean {
  const mac = destinationMac(frame);
  return equalBytes(mac, PLAN.gatewayMac) || ((mac[0] as number) & GROUP) !== 0;
}

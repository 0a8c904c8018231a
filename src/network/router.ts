import { type Address, isIpv6, isMulticast, parseAddress } from './address.ts';
import { equalBytes } from './bytes.ts';
import type { GuestLink } from './guest-link.ts';
import { neighbourAdvertisement, parseSolicitation, routerAdvertisement, UNSPECIFIED } from './ndp.ts';
import type { Packet } from './packet.ts';
import { isGateway, isNameServer, PLAN } from './plan.ts';
import type { Policy } from './policy.ts';

/** Between unsolicited advertisements, in ms (RFC 4861, section 6.2.1). */
const INTERVAL = 600_000;
const ALL_NODES = parseAddress('ff02::1');

/**
 * The guest's IPv6 router. The guest makes its own address with the advertised prefix, so IPv6 needs no
 * message of the agent, and can come and go while the guest runs.
 */
export class Router {
  readonly #link: GuestLink;
  readonly #policy: Policy;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(link: GuestLink, policy: Policy) {
    this.#link = link;
    this.#policy = policy;
  }

  /**
   * The guest has sent something by IPv6. A guest whose link led to another router before does not ask for
   * the new one.
   */
  meet(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#advertise(), INTERVAL);
    this.#advertise();
  }

  /**
   * Takes what does not leave the link: solicitations, and packets to several receivers, which the guest's
   * kernel sends by itself.
   * @returns whether the packet was such
   */
  receive(packet: Packet): boolean {
    if (!isIpv6(packet.destination)) return false;
    const solicitation = parseSolicitation(packet);
    if (solicitation?.kind === 'router') this.#advertise();
    if (solicitation?.kind === 'neighbour') this.#answer(packet, solicitation.target);
    return solicitation !== undefined || isMulticast(packet.destination);
  }

  /** Nothing but gateway and name server is there, so the guest's own addresses never seem to be taken. */
  #answer(packet: Packet, target: Address): void {
    if (!isGateway(target) && !isNameServer(target)) return;
    const isSolicited = !equalBytes(packet.source, UNSPECIFIED);
    const advertisement = neighbourAdvertisement(target, PLAN.gatewayMac, isSolicited);
    this.#link.sendIcmp(target, isSolicited ? packet.source : ALL_NODES, advertisement);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #advertise(): void {
    if (this.#link.isFull) return;
    const router = { mac: PLAN.gatewayMac, mtu: this.#link.mtu, ...PLAN.ipv6 };
    const advertisement = routerAdvertisement(router, this.#policy.hasIpv6);
    this.#link.sendIcmp(PLAN.ipv6.router, ALL_NODES, advertisement);
  }
}

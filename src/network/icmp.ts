import type { GuestLink } from './guest-link.ts';
import type { Host } from './host.ts';
import { echoReply, isEchoRequest } from './icmp-message.ts';
import type { Packet } from './packet.ts';
import { isGateway, isNameServer } from './plan.ts';
import type { Policy } from './policy.ts';

/** Echo requests on their way at a time: the host runs a program for each. More are lost. */
const MAX_PENDING = 4;

export interface IcmpServices {
  readonly link: GuestLink;
  readonly host: Host;
  readonly policy: Policy;
}

/** Answers the guest's echo requests (RFC 792): never for somebody who has not answered the host. */
export class Icmp {
  readonly #services: IcmpServices;
  #pending = 0;

  constructor(services: IcmpServices) {
    this.#services = services;
  }

  receive(packet: Packet): void {
    if (!isEchoRequest(packet)) return;
    if (isGateway(packet.destination) || isNameServer(packet.destination)) this.#reply(packet);
    else void this.#forward(packet);
  }

  async #forward(packet: Packet): Promise<void> {
    const { link, host, policy } = this.#services;
    if (this.#pending >= MAX_PENDING) {
      policy.refuse('echo', packet.destination);
      return;
    }
    const address = policy.destination(packet.destination);
    this.#pending++;
    const isAnswered = address === undefined ? undefined : await host.echo(address).catch(() => undefined);
    this.#pending--;
    if (isAnswered) this.#reply(packet);
    if (isAnswered !== undefined) return;
    if (address !== undefined) policy.refuse('echo', packet.destination);
    link.sendError('prohibited', packet);
  }

  #reply(packet: Packet): void {
    this.#services.link.sendIcmp(packet.destination, packet.source, echoReply(packet));
  }
}

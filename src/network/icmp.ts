import type { GuestLink } from './guest-link.ts';
import type { Host } from './host.ts';
import { echoReply, isEchoRequest } from './icmp-message.ts';
import type { Limits } from './limits.ts';
import type { Packet } from './packet.ts';
import { isGateway, isNameServer } from './plan.ts';
import type { Policy } from './policy.ts';
import { Tasks } from './rate.ts';
import type { RefusalReason } from './refusal.ts';

export interface IcmpServices {
  readonly link: GuestLink;
  readonly host: Host;
  readonly policy: Policy;
  readonly limits: Limits;
}

/** Answers the guest's echo requests (RFC 792): never for somebody who has not answered the host. */
export class Icmp {
  readonly #services: IcmpServices;
  readonly #echoes: Tasks;

  constructor(services: IcmpServices) {
    this.#services = services;
    this.#echoes = new Tasks(services.limits.echoes, services.limits.newEchoes);
  }

  receive(packet: Packet): void {
    if (!isEchoRequest(packet)) return;
    if (isGateway(packet.destination) || isNameServer(packet.destination)) this.#reply(packet);
    else void this.#forward(packet);
  }

  close(): void {
    this.#echoes.close();
  }

  async #forward(packet: Packet): Promise<void> {
    const { host, policy } = this.#services;
    const address = policy.destination(packet.destination);
    if (address === undefined) {
      this.#prohibit(packet);
      return;
    }
    const isAnswered = await this.#echoes.run(() => host.echo(address))?.catch(() => undefined);
    if (isAnswered === undefined) this.#prohibit(packet, 'echo');
    else if (isAnswered) this.#reply(packet);
  }

  /** @param reason reported, if it was not yet */
  #prohibit(packet: Packet, reason?: RefusalReason): void {
    if (reason) this.#services.policy.refuse(reason, packet.destination);
    this.#services.link.sendError('prohibited', packet);
  }

  #reply(packet: Packet): void {
    this.#services.link.sendIcmp(packet.destination, packet.source, echoReply(packet));
  }
}

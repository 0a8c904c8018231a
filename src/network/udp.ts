import { type Address, parseAddress } from './address.ts';
import { equalBytes } from './bytes.ts';
import type { GuestLink } from './guest-link.ts';
import type { Host, UdpSocket } from './host.ts';
import { type DeliveryError, undelivered } from './icmp-message.ts';
import { ipHeaderSize } from './ip.ts';
import type { Limits } from './limits.ts';
import { type Packet, PROTOCOL_UDP } from './packet.ts';
import { isGateway, isGuest, isNameServer, PLAN } from './plan.ts';
import type { Policy } from './policy.ts';
import { Rate } from './rate.ts';
import type { RefusalReason } from './refusal.ts';
import { type Datagram, parseDatagram, UDP_HEADER, writeDatagram } from './udp-datagram.ts';

const IDLE = 60_000;
/** Of a socket to a name server, which answers each query once. */
const IDLE_NAMES = 5000;
const TICK = 5000;
const DHCP_PORT = 67;
const DNS_PORT = 53;
const BROADCAST = parseAddress('255.255.255.255');

interface Flow {
  readonly socket: UdpSocket;
  /** How long it may be idle, in ms. */
  readonly patience: number;
  usedAt: number;
}

export interface UdpServices {
  readonly link: GuestLink;
  readonly host: Host;
  readonly policy: Policy;
  readonly limits: Limits;
  /** Answers a client of the DHCP server; undefined for no answer. */
  lease(message: Uint8Array): Uint8Array | undefined;
  /** Answers a query to the name server; undefined for no answer. */
  resolve(query: Uint8Array): Promise<Uint8Array | undefined>;
}

/**
 * Datagrams of the guest. Each pair of its port and a remote address has a socket of its own, which nobody
 * else can send to.
 */
export class Udp {
  readonly #services: UdpServices;
  /** The one used longest ago comes first. */
  readonly #flows = new Map<string, Flow>();
  readonly #newFlows: Rate;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(services: UdpServices) {
    this.#services = services;
    this.#newFlows = new Rate(services.limits.newFlows);
  }

  get size(): number {
    return this.#flows.size;
  }

  receive(packet: Packet): void {
    const datagram = parseDatagram(packet.payload);
    if (!datagram) return;
    if (datagram.destinationPort === DHCP_PORT && isDhcpServer(packet.destination)) this.#lease(datagram);
    else if (!isGuest(packet.source)) this.#services.policy.count('packet');
    else if (isNameServer(packet.destination) && datagram.destinationPort === DNS_PORT)
      void this.#resolve(packet, datagram);
    else if (isNameServer(packet.destination) || isGateway(packet.destination))
      this.#refuse(packet, datagram, 'address', 'closed port');
    else this.#forward(packet, datagram);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#flows.values()) socket.close();
    this.#flows.clear();
  }

  #lease({ data }: Datagram): void {
    const reply = this.#services.lease(data);
    // To all, because the client may not have its address yet.
    const ports = { sourcePort: DHCP_PORT, destinationPort: 68 };
    if (reply) this.#send(PLAN.gateway, BROADCAST, { ...ports, data: reply });
  }

  async #resolve({ source, destination }: Packet, { sourcePort, data }: Datagram): Promise<void> {
    const reply = await this.#services.resolve(data);
    const ports = { sourcePort: DNS_PORT, destinationPort: sourcePort };
    if (reply) this.#send(destination, source, { ...ports, data: reply });
  }

  #forward(packet: Packet, datagram: Datagram): void {
    const { source, destination } = packet;
    const key = `${source}:${datagram.sourcePort}:${destination}:${datagram.destinationPort}`;
    const flow = this.#flows.get(key) ?? this.#open(key, packet, datagram);
    if (!flow) return;
    this.#use(key, flow);
    flow.socket.send(datagram.data);
  }

  /** Returns undefined if the guest is refused. */
  #open(key: string, packet: Packet, datagram: Datagram): Flow | undefined {
    const { destinationPort } = datagram;
    const address = this.#services.policy.destination(packet.destination, destinationPort);
    if (address === undefined || !this.#newFlows.tryTake()) {
      this.#refuse(packet, datagram, address === undefined ? undefined : 'sockets');
      return undefined;
    }
    const socket = this.#connect(key, address, packet, datagram);
    return { socket, patience: destinationPort === DNS_PORT ? IDLE_NAMES : IDLE, usedAt: 0 };
  }

  /** @param reason reported, unless the policy has refused the packet, which reports it */
  #refuse(
    packet: Packet,
    { destinationPort }: Datagram,
    reason: RefusalReason | undefined,
    error: DeliveryError = 'prohibited',
  ): void {
    const { link, policy } = this.#services;
    if (reason) policy.refuse(reason, packet.destination, destinationPort);
    link.sendError(error, packet);
  }

  #connect(
    key: string,
    destination: string,
    packet: Packet,
    { sourcePort, destinationPort }: Datagram,
  ): UdpSocket {
    const { link, host, limits } = this.#services;
    const [oldest] = this.#flows.keys();
    if (this.#flows.size >= limits.flows && oldest !== undefined) this.#close(oldest);
    const request = undelivered(packet);
    const maxData = link.mtu - ipHeaderSize(request.source) - UDP_HEADER;
    return host.openUdp(destination, destinationPort, {
      received: (data) => {
        const flow = this.#flows.get(key);
        // UDP is not reliable. A guest that takes nothing loses datagrams, as with any full buffer.
        if (!flow || link.isFull || data.length > maxData) return;
        this.#use(key, flow);
        const ports = { sourcePort: destinationPort, destinationPort: sourcePort };
        this.#send(request.destination, request.source, { ...ports, data });
      },
      refused: () => {
        if (this.#flows.has(key)) link.sendError('closed port', request);
        this.#close(key);
      },
    });
  }

  /** Makes the flow the one that was used last. */
  #use(key: string, flow: Flow): void {
    flow.usedAt = performance.now();
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    this.#timer ??= setInterval(() => this.#closeIdle(), TICK);
  }

  #closeIdle(): void {
    const now = performance.now();
    for (const [key, { usedAt, patience }] of [...this.#flows]) if (now - usedAt > patience) this.#close(key);
    if (this.#flows.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #close(key: string): void {
    this.#flows.get(key)?.socket.close();
    this.#flows.delete(key);
  }

  #send(source: Address, destination: Address, datagram: Datagram): void {
    const header = { source, destination, protocol: PROTOCOL_UDP };
    this.#services.link.sendPacket(header, UDP_HEADER + datagram.data.length, (payload) =>
      writeDatagram(payload, source, destination, datagram),
    );
  }
}

function isDhcpServer(address: Address): boolean {
  return equalBytes(address, BROADCAST) || equalBytes(address, PLAN.gateway);
}

import { type Address, parseAddress } from './address.ts';
import { equalBytes } from './bytes.ts';
import type { GuestLink } from './guest-link.ts';
import type { Host, UdpSocket } from './host.ts';
import { undelivered } from './icmp-message.ts';
import { ipHeaderSize } from './ip.ts';
import type { Limits } from './limits.ts';
import { type Packet, PROTOCOL_UDP } from './packet.ts';
import { isGateway, isGuest, isNameServer, PLAN } from './plan.ts';
import type { Policy } from './policy.ts';
import { type Datagram, parseDatagram, UDP_HEADER, writeDatagram } from './udp-datagram.ts';

const IDLE = 60_000;
const TICK = 5000;
const DHCP_PORT = 67;
const DNS_PORT = 53;
const BROADCAST = parseAddress('255.255.255.255');
const MAX_PACKET = 0xffff;

interface Flow {
  readonly socket: UdpSocket;
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
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(services: UdpServices) {
    this.#services = services;
  }

  get size(): number {
    return this.#flows.size;
  }

  receive(packet: Packet): void {
    const datagram = parseDatagram(packet.payload);
    if (!datagram) return;
    const { link } = this.#services;
    if (datagram.destinationPort === DHCP_PORT && isDhcpServer(packet.destination)) this.#lease(datagram);
    else if (!isGuest(packet.source)) return;
    else if (isNameServer(packet.destination) && datagram.destinationPort === DNS_PORT)
      void this.#resolve(packet, datagram);
    else if (isNameServer(packet.destination) || isGateway(packet.destination))
      link.sendError('closed port', packet);
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

  #forward(packet: Packet, { sourcePort, destinationPort, data }: Datagram): void {
    const key = `${packet.source}:${sourcePort}:${packet.destination}:${destinationPort}`;
    let flow = this.#flows.get(key);
    if (!flow) {
      const destination = this.#services.policy.destination(packet.destination, destinationPort);
      if (destination === undefined) {
        this.#services.link.sendError('prohibited', packet);
        return;
      }
      flow = { socket: this.#open(key, destination, packet, destinationPort, sourcePort), usedAt: 0 };
    }
    this.#use(key, flow);
    flow.socket.send(data);
  }

  #open(key: string, destination: string, packet: Packet, port: number, guestPort: number): UdpSocket {
    const { link, host, limits } = this.#services;
    const [oldest] = this.#flows.keys();
    if (this.#flows.size >= limits.flows && oldest !== undefined) this.#close(oldest);
    const request = undelivered(packet);
    const maxData = MAX_PACKET - ipHeaderSize(request.source) - UDP_HEADER;
    return host.openUdp(destination, port, {
      received: (data) => {
        const flow = this.#flows.get(key);
        // UDP is not reliable. A guest that takes nothing loses datagrams, as with any full buffer.
        if (!flow || link.isFull || data.length > maxData) return;
        this.#use(key, flow);
        const datagram = { sourcePort: port, destinationPort: guestPort, data };
        this.#send(request.destination, request.source, datagram);
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
    for (const [key, { usedAt }] of [...this.#flows]) if (now - usedAt > IDLE) this.#close(key);
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

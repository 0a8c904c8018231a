import type { Address } from './address.ts';
import { random32 } from './bytes.ts';
import type { GuestLink } from './guest-link.ts';
import type { Host, TcpEvents, TcpSocket } from './host.ts';
import { undelivered } from './icmp-message.ts';
import { ipHeaderSize } from './ip.ts';
import { type Limits, Pool } from './limits.ts';
import { type Packet, PROTOCOL_TCP } from './packet.ts';
import { isNameServer } from './plan.ts';
import type { Policy } from './policy.ts';
import { Throttle } from './rate.ts';
import { type Ends, type Outgoing, TcpConnection, type Wire } from './tcp-connection.ts';
import {
  ACK,
  headerSize,
  parseSegment,
  RST,
  type Segment,
  SYN,
  sequenceAfter,
  writeSegmentHeader,
} from './tcp-segment.ts';

const TICK = 250;
const IDLE_TICK = 15_000;
const DNS_PORT = 53;

export interface TcpServices {
  readonly link: GuestLink;
  readonly host: Host;
  readonly policy: Policy;
  readonly limits: Limits;
  /** Makes the other end of a connection to the name server. */
  serveNames(events: TcpEvents): TcpSocket;
}

/** All TCP connections of the guest. */
export class Tcp implements Wire {
  readonly limits: Limits;
  readonly pools: { readonly down: Pool; readonly up: Pool };
  readonly #services: TcpServices;
  readonly #connections = new Map<string, TcpConnection>();
  readonly #toAcknowledge = new Set<TcpConnection>();
  readonly #waiting = new Set<TcpConnection>();
  readonly #opening: Throttle<TcpConnection>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #idleTimer: ReturnType<typeof setInterval> | undefined;
  /** Segments with data that were sent again. */
  resent = 0;

  constructor(services: TcpServices) {
    const { limits } = services;
    this.#services = services;
    this.limits = limits;
    this.pools = { down: new Pool(limits.sharedBytes), up: new Pool(limits.sharedBytes) };
    this.#opening = new Throttle(limits.newConnections, (connection) => connection.open());
  }

  get size(): number {
    return this.#connections.size;
  }

  receive(packet: Packet): void {
    const segment = parseSegment(packet.payload);
    if (!segment) return;
    const { flags } = segment;
    const ends = endsOf(packet, segment);
    const connection = this.#connections.get(keyOf(ends));
    if (connection) connection.receive(segment);
    else if ((flags & (SYN | ACK | RST)) === SYN) this.#open(packet, segment);
    else if ((flags & RST) === 0) this.#reset(ends, segment);
    this.#startTimer();
  }

  /** The card takes frames again. */
  resume(): void {
    for (const connection of [...this.#waiting]) {
      if (this.#services.link.isFull) return;
      this.#waiting.delete(connection);
      connection.resume();
    }
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.abort();
    clearInterval(this.#timer);
    clearInterval(this.#idleTimer);
    this.#opening.close();
  }

  #open(packet: Packet, segment: Segment): void {
    const connect = this.#mayOpen(packet.destination, segment.destinationPort);
    if (!connect) {
      this.#reset(endsOf(packet, segment), segment);
      return;
    }
    const connection = new TcpConnection(this, undelivered(packet), segment, random32(), connect);
    this.#connections.set(keyOf(connection), connection);
    this.#opening.add(connection);
    this.#idleTimer ??= setInterval(() => this.#checkIdle(), IDLE_TICK);
  }

  /** Returns undefined if the guest may not have this connection. */
  #mayOpen(address: Address, port: number): ((events: TcpEvents) => TcpSocket) | undefined {
    if (this.#connections.size < this.limits.connections) return this.#wayTo(address, port);
    this.#services.policy.refuse('connections', address, port);
    return undefined;
  }

  /** Returns undefined for what the guest may not reach. */
  #wayTo(address: Address, port: number): ((events: TcpEvents) => TcpSocket) | undefined {
    const { policy, host, serveNames } = this.#services;
    if (isNameServer(address) && port === DNS_PORT) return serveNames;
    const destination = policy.destination(address, port);
    return destination === undefined ? undefined : (events) => host.connect(destination, port, events);
  }

  /** Refuses a segment of no connection (RFC 9293, section 3.10.7.1). */
  #reset(ends: Ends, segment: Segment): void {
    const isAcknowledging = (segment.flags & ACK) !== 0;
    this.#send(ends, {
      flags: isAcknowledging ? RST : RST | ACK,
      sequence: isAcknowledging ? segment.acknowledgement : 0,
      acknowledgement: isAcknowledging ? 0 : sequenceAfter(segment),
      window: 0,
    });
  }

  #send({ guest, guestPort, address, port }: Ends, segment: Outgoing): void {
    const size = headerSize(segment.flags);
    const { queue, offset = 0, length = 0 } = segment.data ?? {};
    const header = { source: address, destination: guest, protocol: PROTOCOL_TCP };
    this.#services.link.sendPacket(header, size + length, (payload) => {
      queue?.copy(offset, payload.subarray(size));
      writeSegmentHeader(payload, address, guest, {
        ...{ sourcePort: port, destinationPort: guestPort },
        ...{ segmentSize: undefined, scale: undefined },
        ...segment,
      });
    });
  }

  // ---- For connections -----------------------------------------------------------------------

  mustWait(connection: TcpConnection): boolean {
    const { isFull } = this.#services.link;
    if (isFull) this.#waiting.add(connection);
    return isFull;
  }

  get isBehind(): boolean {
    return !this.#services.link.isEmpty;
  }

  segmentSizeFor(address: Address): number {
    return this.#services.link.mtu - ipHeaderSize(address) - headerSize(0);
  }

  send(connection: TcpConnection, segment: Outgoing): void {
    this.#send(connection, segment);
    this.#startTimer();
  }

  acknowledgeSoon(connection: TcpConnection): void {
    if (this.#toAcknowledge.size === 0) queueMicrotask(() => this.#acknowledge());
    this.#toAcknowledge.add(connection);
  }

  sendUnreachable({ request }: TcpConnection): void {
    if (request) this.#services.link.sendError('unreachable', request);
  }

  forget(connection: TcpConnection): void {
    this.#connections.delete(keyOf(connection));
    this.#toAcknowledge.delete(connection);
    this.#waiting.delete(connection);
    this.#opening.delete(connection);
  }

  now(): number {
    return performance.now();
  }

  #acknowledge(): void {
    const connections = [...this.#toAcknowledge];
    this.#toAcknowledge.clear();
    for (const connection of connections) connection.acknowledge();
  }

  #checkIdle(): void {
    for (const connection of [...this.#connections.values()]) connection.checkIdle(this.now());
    if (this.#connections.size > 0) return;
    clearInterval(this.#idleTimer);
    this.#idleTimer = undefined;
  }

  /** Ticks as long as something is to be sent again if the guest does not answer. */
  #startTimer(): void {
    if (this.#connections.size === 0) return;
    this.#timer ??= setInterval(() => {
      let isNeeded = false;
      for (const connection of [...this.#connections.values()])
        isNeeded = connection.checkTime(this.now()) || isNeeded;
      if (isNeeded) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    }, TICK);
  }
}

function endsOf({ source, destination }: Packet, { sourcePort, destinationPort }: Segment): Ends {
  return { guest: source, guestPort: sourcePort, address: destination, port: destinationPort };
}

function keyOf({ guest, guestPort, address, port }: Ends): string {
  return `${guest}:${guestPort}:${address}:${port}`;
}

/** A guest's side of the NAT, and a host without a network. */
import { type Address, isIpv6, parseAddress } from '../address.ts';
import { read16, write16 } from '../bytes.ts';
import { ETHERNET_HEADER } from '../ethernet.ts';
import type { Host, TcpEvents, TcpSocket, UdpEvents, UdpSocket } from '../host.ts';
import { isIcmp } from '../icmp-message.ts';
import { packetFrame, parsePacket } from '../ip.ts';
import { IPV4_HEADER } from '../ipv4.ts';
import { LIMITS, type Limits } from '../limits.ts';
import { Nat } from '../nat.ts';
import type { Card } from '../network.ts';
import { type Packet, PROTOCOL_TCP, PROTOCOL_UDP } from '../packet.ts';
import { PLAN } from '../plan.ts';
import type { Refusal } from '../refusal.ts';
import { headerSize, parseSegment, type Segment, writeSegmentHeader } from '../tcp-segment.ts';
import { type Datagram, parseDatagram, UDP_HEADER, writeDatagram } from '../udp-datagram.ts';

/** Public addresses. */
export const SERVER = parseAddress('93.184.216.34');
export const SERVER6 = parseAddress('2606:2800:220:1:248:1893:25c8:1946');
/** The address that the guest makes with our prefix. */
export const GUEST6 = parseAddress('fd4c:696e:7578:0:5054:ff:fe12:3456');

/** A socket of the fake host, whose other end is the test. */
export class FakeSocket implements TcpSocket {
  readonly address: string;
  readonly port: number;
  readonly events: TcpEvents;
  readonly written: Uint8Array[] = [];
  waiting = 0;
  /** Whether written bytes are sent at once. */
  flows = true;
  isEnded = false;
  isPaused = false;
  isAborted = false;

  constructor(address: string, port: number, events: TcpEvents) {
    this.address = address;
    this.port = port;
    this.events = events;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
    if (!this.flows) this.waiting += bytes.length;
  }

  flow(): void {
    this.flows = true;
    this.waiting = 0;
    this.events.sent();
  }

  end(): void {
    this.isEnded = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  abort(): void {
    this.isAborted = true;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.written);
  }
}

export class FakeUdpSocket implements UdpSocket {
  readonly address: string;
  readonly port: number;
  readonly events: UdpEvents;
  readonly sent: Uint8Array[] = [];
  isClosed = false;

  constructor(address: string, port: number, events: UdpEvents) {
    this.address = address;
    this.port = port;
    this.events = events;
  }

  send(data: Uint8Array): void {
    this.sent.push(data.slice());
  }

  close(): void {
    this.isClosed = true;
  }
}

export interface WorldOptions {
  readonly limits?: Partial<Limits>;
  readonly aliases?: Readonly<Record<string, string>>;
  readonly own?: readonly string[];
  readonly mtu?: number;
  isDenied?(address: string): boolean;
  query?(message: Uint8Array): Promise<Uint8Array>;
  echo?(): Promise<boolean>;
}

/** Writes and reads frames as a guest does. */
export abstract class Guest {
  /** Frames that the guest has not looked at. */
  frames: Uint8Array[] = [];

  protected abstract transmit(frame: Uint8Array): void;

  /** Sends a packet in a frame; `change` spoils the frame. */
  send(
    destination: Address,
    protocol: number,
    payload: Uint8Array,
    change: (frame: Uint8Array) => void = () => {},
    source = guestFor(destination),
  ): void {
    const macs = { source: PLAN.guestMac, destination: PLAN.gatewayMac };
    const header = { source, destination, protocol };
    const frame = packetFrame(macs, header, payload.length, (into) => into.set(payload));
    change(frame);
    this.transmit(frame);
  }

  sendUdp(destination: Address, destinationPort: number, data: Uint8Array, sourcePort = 5000): void {
    const bytes = new Uint8Array(UDP_HEADER + data.length);
    writeDatagram(bytes, guestFor(destination), destination, { sourcePort, destinationPort, data });
    this.send(destination, PROTOCOL_UDP, bytes);
  }

  sendSegment(destination: Address, segment: Partial<Segment>): void {
    const { flags = 0, data = new Uint8Array(0) } = segment;
    const size = headerSize(flags);
    const bytes = new Uint8Array(size + data.length);
    bytes.set(data, size);
    writeSegmentHeader(bytes, guestFor(destination), destination, {
      ...{ sourcePort: 4000, destinationPort: 80, sequence: 0, acknowledgement: 0, window: 0xffff },
      ...{ segmentSize: undefined, scale: undefined },
      ...segment,
      flags,
    });
    this.send(destination, PROTOCOL_TCP, bytes);
  }

  /** The packets that the guest has received since the last call. */
  packets(): Packet[] {
    return this.frames.splice(0).flatMap((frame) => parsePacket(frame) ?? []);
  }

  segments(): Segment[] {
    const tcp = this.packets().filter(({ protocol }) => protocol === PROTOCOL_TCP);
    return tcp.map(({ payload }) => parseSegment(payload) as Segment);
  }

  datagrams(): Datagram[] {
    const udp = this.packets().filter(({ protocol }) => protocol === PROTOCOL_UDP);
    return udp.map(({ payload }) => parseDatagram(payload) as Datagram);
  }

  /** Type and code of ICMP messages, such as `3/13`. */
  icmp(): string[] {
    const icmp = this.packets().filter(isIcmp);
    return icmp.map(({ payload }) => `${payload[0]}/${payload[1]}`);
  }
}

export class World extends Guest implements Card, Host {
  readonly nat: Nat;
  readonly sockets: FakeSocket[] = [];
  readonly udpSockets: FakeUdpSocket[] = [];
  /** Addresses that were asked for an echo. */
  readonly echoes: string[] = [];
  readonly refusals: Refusal[] = [];
  /** Whether the guest takes frames at once. */
  takes = true;
  waiting = 0;
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    super();
    this.#options = options;
    const { aliases, isDenied, mtu } = options;
    const onRefused = (refusal: Refusal) => void this.refusals.push(refusal);
    const limits = { ...LIMITS, ...options.limits };
    this.nat = new Nat({ host: this, card: this, mtu, aliases, isDenied, onRefused, limits });
  }

  // ---- Host ----------------------------------------------------------------------------------

  connect(address: string, port: number, events: TcpEvents): TcpSocket {
    const socket = new FakeSocket(address, port, events);
    this.sockets.push(socket);
    return socket;
  }

  openUdp(address: string, port: number, events: UdpEvents): UdpSocket {
    const socket = new FakeUdpSocket(address, port, events);
    this.udpSockets.push(socket);
    return socket;
  }

  query(message: Uint8Array): Promise<Uint8Array> {
    return this.#options.query?.(message) ?? Promise.reject(new Error('no name server'));
  }

  echo(address: string): Promise<boolean | undefined> {
    this.echoes.push(address);
    return this.#options.echo?.() ?? Promise.resolve(undefined);
  }

  ownAddresses(): readonly string[] {
    return this.#options.own ?? [];
  }

  // ---- Card ----------------------------------------------------------------------------------

  deliver(frame: Uint8Array): void {
    this.frames.push(frame);
    if (!this.takes) this.waiting += frame.length;
  }

  take(): void {
    this.takes = true;
    this.waiting = 0;
    this.nat.resume();
  }

  // ---- Guest ---------------------------------------------------------------------------------

  protected transmit(frame: Uint8Array): void {
    this.nat.receive(frame);
  }
}

const guestFor = (destination: Address): Address => (isIpv6(destination) ? GUEST6 : PLAN.guest);

/** Changes the header of a frame's packet and corrects its checksum. */
export function patchHeader(
  frame: Uint8Array,
  change: (header: Uint8Array) => void,
  headerSize = IPV4_HEADER,
): void {
  const header = frame.subarray(ETHERNET_HEADER, ETHERNET_HEADER + headerSize);
  change(header);
  write16(header, 10, 0);
  let sum = 0;
  for (let at = 0; at < headerSize; at += 2) sum += read16(header, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  write16(header, 10, ~sum & 0xffff);
}

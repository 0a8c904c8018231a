/** A DHCP client (RFC 2131, section 4.4), in place of the guest. */
import { type Address, isMulticast, parseAddress } from './address.ts';
import { Backoff } from './backoff.ts';
import { random32, read32, write32 } from './bytes.ts';
import {
  ACK,
  AT_CLIENT_ADDRESS,
  AT_HARDWARE,
  AT_YOUR_ADDRESS,
  addressOf,
  BOOT_REPLY,
  BOOT_REQUEST,
  DISCOVER,
  isMessageOf,
  NAK,
  newMessage,
  OFFER,
  OPTION_LEASE_TIME,
  OPTION_MASK,
  OPTION_NAME_SERVER,
  OPTION_REQUESTED,
  OPTION_ROUTER,
  OPTION_SERVER,
  OPTION_TYPE,
  type Options,
  option,
  parseOptions,
  REQUEST,
} from './dhcp-message.ts';
import { BROADCAST, type Mac } from './ethernet.ts';
import { packetFrame, parsePacket } from './ip.ts';
import type { Lease } from './network.ts';
import { PROTOCOL_UDP } from './packet.ts';
import { parseDatagram, UDP_HEADER, writeDatagram } from './udp-datagram.ts';

const CLIENT_PORT = 68;
const SERVER_PORT = 67;
const NOBODY = parseAddress('0.0.0.0');
const EVERYBODY = parseAddress('255.255.255.255');
const OPTION_WANTED = 55;
const WANTED = [OPTION_MASK, OPTION_ROUTER, OPTION_NAME_SERVER, OPTION_LEASE_TIME];
/** Pauses before a message is sent again, in ms. */
const PAUSES = [1000, 2000, 4000];
const DEFAULT_PREFIX = 24;
/** Of the times that a lease may have, in s. Timers take no more than 2^31 ms. */
const [SHORTEST, LONGEST] = [60, 86_400];

export interface DhcpEvents {
  send(frame: Uint8Array): void;
  /** There is a lease, perhaps with another address than before. */
  leased(lease: Lease): void;
  /** The server has taken the lease back. */
  lost(): void;
}

export class DhcpClient {
  readonly #mac: Mac;
  readonly #events: DhcpEvents;
  #transaction = 0;
  /** The messages that are awaited; none while there is a lease that is not renewed yet. */
  #awaited: typeof OFFER | typeof ACK | undefined;
  #address: Address | undefined;
  readonly #backoff = new Backoff(PAUSES);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(mac: Mac, events: DhcpEvents) {
    this.#mac = mac;
    this.#events = events;
  }

  /** Asks for a lease, of the same address as before if there was one. */
  start(): void {
    this.#begin(OFFER, DISCOVER, this.#address ? option(OPTION_REQUESTED, this.#address) : []);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#awaited = undefined;
  }

  /** @returns whether the frame is for the client, not for the guest */
  receive(frame: Uint8Array): boolean {
    const message = this.#read(frame);
    if (!message) return false;
    const options = parseOptions(message);
    const type = options.get(OPTION_TYPE)?.[0];
    const address = message.slice(AT_YOUR_ADDRESS, AT_YOUR_ADDRESS + 4);
    if (type === OFFER && this.#awaited === OFFER) this.#choose(address, options);
    else if (type === ACK && this.#awaited === ACK) this.#take(address, options);
    else if (type === NAK && this.#awaited === ACK) this.#startAnew();
    return true;
  }

  #choose(address: Address, options: Options): void {
    const server = addressOf(options.get(OPTION_SERVER));
    if (!server || !isHost(address)) return;
    this.#begin(ACK, REQUEST, [...option(OPTION_REQUESTED, address), ...option(OPTION_SERVER, server)]);
  }

  #take(address: Address, options: Options): void {
    const lease = leaseOf(address, options);
    if (!lease) return;
    this.close();
    this.#address = address;
    const time = addressOf(options.get(OPTION_LEASE_TIME));
    const seconds = time ? read32(time, 0) : LONGEST;
    const renewal = Math.min(LONGEST, Math.max(SHORTEST, seconds)) / 2;
    // Broadcast, as after T2, because the server's hardware address is not known here.
    this.#timer = setTimeout(() => this.#begin(ACK, REQUEST, [], address), renewal * 1000);
    this.#events.leased(lease);
  }

  #startAnew(): void {
    this.#address = undefined;
    this.#events.lost();
    this.start();
  }

  #begin(
    awaited: typeof OFFER | typeof ACK,
    type: number,
    options: readonly number[],
    client: Address = NOBODY,
  ): void {
    this.#awaited = awaited;
    this.#backoff.reset();
    this.#transaction = random32();
    this.#send(type, options, client);
  }

  #send(type: number, options: readonly number[], client: Address): void {
    this.#events.send(this.#frame(this.#message(type, options, client), client));
    const pause = this.#backoff.next();
    clearTimeout(this.#timer);
    // A server that does not answer a request may have forgotten its offer.
    const isGivenUp = this.#awaited === ACK && this.#backoff.isRepeating;
    this.#timer = setTimeout(() => (isGivenUp ? this.start() : this.#send(type, options, client)), pause);
  }

  #message(type: number, options: readonly number[], client: Address): Uint8Array {
    const all = [...option(OPTION_TYPE, [type]), ...options, ...option(OPTION_WANTED, WANTED)];
    const message = newMessage(BOOT_REQUEST, all);
    write32(message, 4, this.#transaction);
    message.set(client, AT_CLIENT_ADDRESS);
    message.set(this.#mac, AT_HARDWARE);
    return message;
  }

  #frame(data: Uint8Array, source: Address): Uint8Array {
    const macs = { source: this.#mac, destination: BROADCAST };
    const header = { source, destination: EVERYBODY, protocol: PROTOCOL_UDP };
    return packetFrame(macs, header, UDP_HEADER + data.length, (payload) =>
      writeDatagram(payload, source, EVERYBODY, {
        sourcePort: CLIENT_PORT,
        destinationPort: SERVER_PORT,
        data,
      }),
    );
  }

  /** The message in a frame, if it answers the last one of this client. */
  #read(frame: Uint8Array): Uint8Array | undefined {
    const packet = parsePacket(frame);
    const datagram = packet?.protocol === PROTOCOL_UDP ? parseDatagram(packet.payload) : undefined;
    if (datagram?.sourcePort !== SERVER_PORT || datagram.destinationPort !== CLIENT_PORT) return undefined;
    const { data } = datagram;
    const isOurs = isMessageOf(this.#mac, BOOT_REPLY, data) && read32(data, 4) === this.#transaction;
    return isOurs ? data : undefined;
  }
}

function leaseOf(guest: Address, options: Options): Lease | undefined {
  const gateway = firstOf(options.get(OPTION_ROUTER));
  const nameServer = firstOf(options.get(OPTION_NAME_SERVER)) ?? gateway;
  const prefix = prefixOf(addressOf(options.get(OPTION_MASK)));
  if (!isHost(guest) || !gateway || !nameServer || prefix === undefined) return undefined;
  return { guest, prefix, gateway, nameServer };
}

const firstOf = (addresses: Uint8Array | undefined): Address | undefined => addressOf(addresses?.slice(0, 4));

/** Undefined for a mask that is none. */
function prefixOf(bytes: Uint8Array | undefined): number | undefined {
  if (!bytes) return DEFAULT_PREFIX;
  const mask = read32(bytes, 0);
  const prefix = Math.clz32(~mask);
  return prefix > 0 && mask === (-1 << (32 - prefix)) >>> 0 ? prefix : undefined;
}

/** Whether a machine can have the address: neither 0, nor the loopback interface's, nor a multicast one. */
const isHost = (address: Address): boolean => address[0] !== 0 && address[0] !== 127 && !isMulticast(address);

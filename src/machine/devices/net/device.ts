import { equalBytes, write16 } from '../../../network/bytes.ts';
import { checksum } from '../../../network/checksum.ts';
import { ETHERNET_HEADER, MAX_FRAME, type Mac } from '../../../network/ethernet.ts';
import {
  type GuestConnection,
  GuestConnections,
  MOST_CONNECTIONS,
} from '../../../network/guest-connections.ts';
import type { ManagedCard, Network } from '../../../network/network.ts';
import type { Plain, StateReader } from '../../state.ts';
import type { Chain } from '../virtio/chain.ts';
import { DriverError, type GuestMemory } from '../virtio/guest-memory.ts';
import { VirtioDevice } from '../virtio/virtio-device.ts';

const F_CSUM = 0;
const F_GUEST_CSUM = 1;
const F_MTU = 3;
const F_MAC = 5;
const F_HOST_TSO4 = 11;
const F_HOST_TSO6 = 12;
const F_MRG_RXBUF = 15;
const F_STATUS = 16;
/** Packets of several buffers keep the guest from providing room for the largest packet in each of them. */
const FEATURES = [F_CSUM, F_MTU, F_MAC, F_MRG_RXBUF, F_STATUS];
/** The guest leaves checksums and segmentation to its network, and verifies no checksums. */
const OFFLOADS = [F_GUEST_CSUM, F_HOST_TSO4, F_HOST_TSO6];

const RECEIVE = 0;
const TRANSMIT = 1;
/** Linux fills the receive queue with buffers of 1.5 to 4 KiB. */
const QUEUE_SIZE = 256;
const LINK_UP = 1;
/** Of the status in the configuration. */
const CONFIG_STATUS = 6;
/** virtio 1.2, section 5.1.6. */
const HEADER = 12;
const HEADER_CSUM_START = 6;
const HEADER_CSUM_OFFSET = 8;
const HEADER_BUFFERS = 10;
const MAC_SIZE = 6;
const ADDRESS_V4 = 4;
const ADDRESS_V6 = 16;
const NEEDS_CSUM = 1;
const DATA_VALID = 2;
/** With more than this waiting for the guest, nothing is taken from it, because it may be answered. */
const MAX_WAITING = 1 << 20;

export interface NetOptions {
  readonly mac: Mac;
  readonly mtu: number;
  /**
   * Whether the network takes segments that are longer than the MTU and incomplete checksums, and sends only
   * packets that it has verified.
   */
  readonly offloads: boolean;
  /** Makes the network that the card is in. */
  openNetwork(card: ManagedCard): Network;
}

/**
 * Network card (virtio 1.2, section 5.1). It drops no frame: those that the guest has no buffers for wait,
 * and the network sees that it should send no more.
 */
export class NetDevice extends VirtioDevice implements ManagedCard {
  #mac: Mac;
  readonly #openNetwork: NetOptions['openNetwork'];
  #network: Network;
  #connections = new GuestConnections();
  /** Whether the other ends of the connections have stayed with another machine. */
  #isResumed = false;
  readonly #offloads: boolean;
  readonly #incoming: Uint8Array[] = [];
  #waiting = 0;
  readonly #header = new Uint8Array(HEADER);
  /** Receive buffers taken for a frame that needs still more. */
  #buffers: Chain[] = [];
  #room = 0;
  #isHeld = false;

  constructor(memory: GuestMemory, slot: number, { mac, mtu, offloads, openNetwork }: NetOptions) {
    super(memory, slot, {
      id: 1,
      features: [...FEATURES, ...(offloads ? OFFLOADS : [])].reduce((bits, bit) => bits | (1 << bit), 0),
      queueSizes: [QUEUE_SIZE, QUEUE_SIZE],
      config: configOf(mac, mtu),
    });
    this.#mac = mac;
    this.#offloads = offloads;
    this.#openNetwork = openNetwork;
    this.#network = openNetwork(this);
  }

  get mac(): Mac {
    return this.#mac;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** A card without a driver receives nothing. */
  deliver(frame: Uint8Array): void {
    if (!this.running) return;
    this.#connections.see(frame, true);
    this.#incoming.push(frame);
    this.#waiting += frame.length;
    this.wake();
  }

  resetConnections(): void {
    this.#connections.reset(this);
  }

  setLink(isUp: boolean): void {
    this.setConfig(CONFIG_STATUS, Uint8Array.of(isUp ? LINK_UP : 0, 0));
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld) this.wake();
  }

  /** Closes its network, which resets connections at their other ends. */
  disconnect(): void {
    this.#network.close();
  }

  protected override service(): void {
    this.#receive();
    this.#transmit();
  }

  protected override stop(): void {
    this.#buffers = [];
    this.#room = 0;
    this.#incoming.length = 0;
    this.#waiting = 0;
    this.#network.resume();
  }

  protected override settle(): Plain {
    for (let chain = this.#buffers.pop(); chain; chain = this.#buffers.pop())
      this.queue(RECEIVE).giveBack(chain);
    this.#room = 0;
    return { mac: this.mac, connections: this.#connections.known.map(stateOf) };
  }

  /** The guest knows the card by its address, and its connections have lost their other ends. */
  protected override restore(state: StateReader): void {
    const mac = state.field('mac').bytes(MAC_SIZE, MAC_SIZE);
    if (!equalBytes(mac, this.#mac)) this.#rename(mac);
    this.#connections = new GuestConnections(
      state.field('connections').list(MOST_CONNECTIONS).map(readConnection),
    );
    this.#isResumed = true;
  }

  #rename(mac: Mac): void {
    this.#mac = mac;
    this.setConfig(0, mac);
    this.#network.close();
    this.#network = this.#openNetwork(this);
  }

  override proceed(): void {
    super.proceed();
    if (this.#isResumed) this.resetConnections();
    this.#isResumed = false;
  }

  #receive(): void {
    const before = this.#waiting;
    for (
      let frame = this.#incoming[0];
      frame && this.#gather(HEADER + frame.length);
      frame = this.#incoming[0]
    ) {
      this.#incoming.shift();
      this.#waiting -= frame.length;
      this.#write(frame);
    }
    if (this.#waiting < before) this.#network.resume();
  }

  /** Takes buffers for this number of bytes. @returns whether there are enough */
  #gather(length: number): boolean {
    while (this.#room < length) {
      const held = this.#buffers.length;
      if (held > 0 && (!this.accepted(F_MRG_RXBUF) || held === this.queue(RECEIVE).size))
        throw new DriverError('receive buffers too short for a frame');
      const chain = this.take(RECEIVE);
      if (chain === undefined) return false;
      this.#buffers.push(chain);
      this.#room += chain.writable.remaining;
    }
    return true;
  }

  #write(frame: Uint8Array): void {
    const buffers = this.#buffers;
    this.#buffers = [];
    this.#room = 0;
    this.#header.fill(0);
    this.#header[0] = this.accepted(F_GUEST_CSUM) ? DATA_VALID : 0;
    this.#header[HEADER_BUFFERS] = buffers.length;
    this.#header[HEADER_BUFFERS + 1] = buffers.length >>> 8;
    buffers[0]?.writable.write(this.#header);
    let at = 0;
    for (const { writable } of buffers) {
      const end = Math.min(frame.length, at + writable.remaining);
      writable.write(frame, at, end);
      at = end;
    }
    this.charge(RECEIVE, frame.length);
    this.queue(RECEIVE).completeAll(buffers);
  }

  #transmit(): void {
    while (!this.#isHeld && this.#waiting < MAX_WAITING) {
      const chain = this.take(TRANSMIT);
      if (chain === undefined) return;
      const frame = this.#read(chain);
      this.queue(TRANSMIT).complete(chain);
      if (frame) this.#network.receive(frame);
    }
  }

  /** Returns undefined for what is no frame. */
  #read({ readable }: Chain): Uint8Array | undefined {
    if (readable.remaining < HEADER) throw new DriverError('packet without its header');
    readable.read(this.#header);
    const length = readable.remaining;
    if (length < ETHERNET_HEADER || length > MAX_FRAME) return undefined;
    const frame = new Uint8Array(length);
    readable.read(frame);
    this.charge(TRANSMIT, length);
    this.#connections.see(frame, false);
    return this.#offloads || completeChecksum(frame, this.#header) ? frame : undefined;
  }
}

function stateOf({ guest, other, toGuest, fromGuest }: GuestConnection): Plain {
  return { guest: { ...guest }, other: { ...other }, toGuest: toGuest ?? null, fromGuest: fromGuest ?? null };
}

function readConnection(state: StateReader): GuestConnection {
  const end = (name: string) => ({
    address: state.field(name).field('address').bytes(ADDRESS_V4, ADDRESS_V6),
    port: state.field(name).field('port').integer(0, 0xffff),
  });
  const sequence = (name: string) =>
    state
      .field(name)
      .optional()
      ?.integer(0, 2 ** 32 - 1);
  const [guest, other] = [end('guest'), end('other')];
  const isSound = [ADDRESS_V4, ADDRESS_V6].includes(guest.address.length);
  if (!isSound || guest.address.length !== other.address.length) state.fail('has wrong addresses');
  return { guest, other, toGuest: sequence('toGuest'), fromGuest: sequence('fromGuest') };
}

/**
 * Completes the checksum that the driver left to the card: the field holds the sum of the pseudo-header
 * (virtio 1.2, section 5.1.6.2).
 * @returns whether the frame has room for it
 */
function completeChecksum(frame: Uint8Array, header: Uint8Array): boolean {
  if (((header[0] as number) & NEEDS_CSUM) === 0) return true;
  const fields = new DataView(header.buffer, header.byteOffset);
  const start = fields.getUint16(HEADER_CSUM_START, true);
  const field = start + fields.getUint16(HEADER_CSUM_OFFSET, true);
  if (field + 2 > frame.length) return false;
  // UDP has no zero, and for TCP both are the same.
  write16(frame, field, checksum(frame, start, frame.length) || 0xffff);
  return true;
}

function configOf(mac: Mac, mtu: number): Uint8Array {
  const config = new Uint8Array(12);
  const view = new DataView(config.buffer);
  config.set(mac);
  view.setUint16(CONFIG_STATUS, LINK_UP, true);
  // The number of pairs of queues, which only drivers with multiqueue read.
  view.setUint16(8, 1, true);
  view.setUint16(10, mtu, true);
  return config;
}

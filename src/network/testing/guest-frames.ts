/** Frames as a guest sends them. */

import { type Address, parseAddress } from '../address.ts';
import { ETHERNET_HEADER } from '../ethernet.ts';
import { GuestConnections } from '../guest-connections.ts';
import { packetFrame } from '../ip.ts';
import type { ManagedCard } from '../network.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../packet.ts';
import { PLAN } from '../plan.ts';
import { headerSize, type Segment, writeSegmentHeader } from '../tcp-segment.ts';
import { UDP_HEADER, writeDatagram } from '../udp-datagram.ts';

const MACS = { source: PLAN.guestMac, destination: PLAN.gatewayMac };
const GUEST_PORT = 4000;

export function udpFrame(destination: Address, destinationPort: number, data: Uint8Array): Uint8Array {
  const header = { source: PLAN.guest, destination, protocol: PROTOCOL_UDP };
  return packetFrame(MACS, header, UDP_HEADER + data.length, (payload) =>
    writeDatagram(payload, PLAN.guest, destination, { sourcePort: GUEST_PORT, destinationPort, data }),
  );
}

/** @param fromGuest its other end, otherwise */
export function tcpFrame(other: Address, segment: Partial<Segment>, fromGuest = true): Uint8Array {
  const { flags = 0, data = new Uint8Array(0) } = segment;
  const [source, destination] = fromGuest ? [PLAN.guest, other] : [other, PLAN.guest];
  const [sourcePort, destinationPort] = fromGuest ? [GUEST_PORT, 80] : [80, GUEST_PORT];
  const header = { source, destination, protocol: PROTOCOL_TCP };
  return packetFrame(MACS, header, headerSize(flags) + data.length, (payload) => {
    payload.set(data, headerSize(flags));
    writeSegmentHeader(payload, source, destination, {
      ...{ sourcePort, destinationPort, sequence: 0, acknowledgement: 0, window: 0xffff, flags },
      ...{ segmentSize: undefined, scale: undefined },
      ...segment,
    });
  });
}

/** A query for the address of example.com, in a frame. */
export function queryFrame(): Uint8Array {
  const name = [...Buffer.from('\x07example\x03com\0', 'latin1')];
  const query = Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 1, 0, 1);
  return udpFrame(PLAN.nameServer, 53, query);
}

/** The result code of the answer to a query, in a frame. */
export const resultOf = (frame: Uint8Array): number =>
  (frame[ETHERNET_HEADER + 20 + UDP_HEADER + 3] as number) & 15;

export const OUTSIDE = parseAddress('93.184.216.34');

export class FakeCard implements ManagedCard {
  readonly mac = PLAN.guestMac;
  readonly frames: Uint8Array[] = [];
  /** Whether the guest takes frames at once. */
  takes = true;
  waiting = 0;
  isUp = true;
  isHeld = false;
  /** Tests tell them the frames of the guest. */
  readonly connections = new GuestConnections();

  deliver(frame: Uint8Array): void {
    this.frames.push(frame);
    this.connections.see(frame, true);
    if (!this.takes) this.waiting += frame.length;
  }

  resetConnections(): void {
    this.connections.reset(this);
  }

  setLink(isUp: boolean): void {
    this.isUp = isUp;
  }

  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
  }
}

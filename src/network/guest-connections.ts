import type { Address } from './address.ts';
import { packetFrame, parsePacket } from './ip.ts';
import type { ManagedCard } from './network.ts';
import { PROTOCOL_TCP } from './packet.ts';
import { PLAN } from './plan.ts';
import {
  ACK,
  ahead,
  headerSize,
  parseSegment,
  RST,
  sequenceAfter,
  writeSegmentHeader,
} from './tcp-segment.ts';

/** More are forgotten, the one used longest ago first. */
export const MOST_CONNECTIONS = 512;

export interface End {
  readonly address: Address;
  readonly port: number;
}

export interface GuestConnection {
  readonly guest: End;
  readonly other: End;
  /** The sequence numbers that follow what each side has sent. */
  toGuest: number | undefined;
  fromGuest: number | undefined;
}

/**
 * The guest's TCP connections, known from the frames that pass. When their other ends are gone with a relay,
 * the guest must learn it: a program that only waits for data would wait forever.
 */
export class GuestConnections {
  readonly #connections = new Map<string, GuestConnection>();

  /** @param known what others have seen */
  constructor(known: readonly GuestConnection[] = []) {
    for (const connection of known) this.#connections.set(keyOf(connection), connection);
  }

  /** For another one. */
  get known(): readonly GuestConnection[] {
    return [...this.#connections.values()];
  }

  /** @param isForGuest the frame's direction */
  see(frame: Uint8Array, isForGuest: boolean): void {
    const packet = parsePacket(frame);
    const segment = packet?.protocol === PROTOCOL_TCP ? parseSegment(packet.payload) : undefined;
    if (!packet || !segment) return;
    const source = { address: packet.source, port: segment.sourcePort };
    const destination = { address: packet.destination, port: segment.destinationPort };
    const [guest, other] = isForGuest ? [destination, source] : [source, destination];
    const key = keyOf({ guest, other });
    const connection = this.#connections.get(key) ?? connectionOf(guest, other);
    this.#connections.delete(key);
    if ((segment.flags & RST) !== 0) return;
    const direction = isForGuest ? 'toGuest' : 'fromGuest';
    const [end, before] = [sequenceAfter(segment), connection[direction]];
    // A segment that is sent again does not move it back.
    if (before === undefined || ahead(end, before) > 0) connection[direction] = end;
    this.#connections.set(key, connection);
    const [oldest] = this.#connections.keys();
    if (this.#connections.size > MOST_CONNECTIONS && oldest !== undefined) this.#connections.delete(oldest);
  }

  /** Resets all of them, as their other ends would (RFC 9293, section 3.10.7). */
  reset(card: ManagedCard): void {
    const macs = { source: PLAN.gatewayMac, destination: card.mac };
    for (const { guest, other, toGuest = 0, fromGuest = 0 } of this.#connections.values()) {
      const header = { source: other.address, destination: guest.address, protocol: PROTOCOL_TCP };
      const frame = packetFrame(macs, header, headerSize(RST), (payload) =>
        writeSegmentHeader(payload, other.address, guest.address, {
          ...{ sourcePort: other.port, destinationPort: guest.port, flags: RST | ACK, window: 0 },
          ...{ sequence: toGuest, acknowledgement: fromGuest, segmentSize: undefined, scale: undefined },
        }),
      );
      card.deliver(frame);
    }
    this.#connections.clear();
  }
}

function keyOf({ guest, other }: Pick<GuestConnection, 'guest' | 'other'>): string {
  return [guest.address, guest.port, other.address, other.port].join();
}

/** The addresses are copied, because they are parts of frames. */
function connectionOf(guest: End, other: End): GuestConnection {
  const copy = ({ address, port }: End) => ({ address: address.slice(), port });
  return { guest: copy(guest), other: copy(other), toGuest: undefined, fromGuest: undefined };
}

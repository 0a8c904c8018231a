import type { Address } from './address.ts';
import type { TcpEvents, TcpFailure, TcpSocket } from './host.ts';
import type { Undelivered } from './icmp-message.ts';
import { Allowance, type Limits, type Pool } from './limits.ts';
import { SendQueue } from './send-queue.ts';
import { ACK, ahead, FIN, PSH, RST, type Segment, SYN } from './tcp-segment.ts';

/** Our window's unit is 2^this. */
const SCALE = 7;
const MAX_WINDOW = 0xffff;
/** Of a peer that does not state it (RFC 9293, section 3.7.1), and the least that is taken. */
const DEFAULT_SEGMENT_SIZE = 536;
const MIN_SEGMENT_SIZE = 64;
/**
 * More than the second of RFC 6298, section 2: the link loses nothing, so a late acknowledgement mostly means
 * a guest that waits for its host's processor. A guest that drops a segment says so by its window.
 */
const FIRST_TIMEOUT = 3000;
/** How long data waits for a wider window, in ms (RFC 9293, section 3.8.6.2.1). */
const MAX_RELUCTANCE = 500;
const MAX_TIMEOUT = 60_000;
/** After this number of timeouts without a segment of the guest, it is taken for dead. */
const MAX_TRIES = 12;
/**
 * How long no data may move, in ms. The shorter time is for a connection with nothing to send that one end
 * has closed (RFC 5382, section 5, REQ-5).
 */
const IDLE = 124 * 60_000;
const IDLE_HALF_CLOSED = 4 * 60_000;

/** What connections need of their NAT. */
export interface Wire {
  readonly limits: Limits;
  /** The most data of a segment to or from an address. */
  segmentSizeFor(address: Address): number;
  /** Bytes for the guest, and from it. */
  readonly pools: { readonly down: Pool; readonly up: Pool };
  /** Whether the card has too many frames to take more data. If so, `resume` will be called. */
  mustWait(connection: TcpConnection): boolean;
  /** Whether the guest has not even taken all frames that were sent. */
  readonly isBehind: boolean;
  /** Sends a segment; its data is that at `offset` of the queue. */
  send(connection: TcpConnection, segment: Outgoing): void;
  /** Segments with data that were sent again. */
  resent: number;
  /** Calls `acknowledge` after the frames that are at hand. */
  acknowledgeSoon(connection: TcpConnection): void;
  /** Tells the guest that the packet which asked for the connection cannot be delivered. */
  sendUnreachable(connection: TcpConnection): void;
  /** The connection has ended. */
  forget(connection: TcpConnection): void;
  now(): number;
}

/** What tells a connection from others. */
export interface Ends {
  readonly guest: Address;
  readonly guestPort: number;
  /** Where the guest wants to connect to. */
  readonly address: Address;
  readonly port: number;
}

/** The fields of a segment that differ from one to the next. */
export interface Outgoing {
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly window: number;
  readonly segmentSize?: number | undefined;
  readonly scale?: number | undefined;
  readonly data?: { readonly queue: SendQueue; readonly offset: number; readonly length: number } | undefined;
}

/**
 * A TCP connection of the guest (RFC 9293), carried on by a socket of the host. The guest's connection is
 * established when the host's is. The link between them is reliable and in order, so there is no congestion
 * control, and segments out of order are not kept. Only the guest's kernel may drop a segment, when its
 * memory runs out; it is sent again after a timeout.
 */
export class TcpConnection implements Ends, TcpEvents {
  readonly guest: Address;
  readonly guestPort: number;
  readonly address: Address;
  readonly port: number;
  /** The packet that asked for the connection, until it is answered. */
  request: Undelivered | undefined;

  readonly #wire: Wire;
  readonly #connect: (events: TcpEvents) => TcpSocket;
  #socket: TcpSocket | undefined;
  #phase: 'connecting' | 'accepted' | 'established' | 'closed' = 'connecting';

  // To the guest. Positions are sequence numbers.
  readonly #queue = new SendQueue();
  readonly #down: Allowance;
  readonly #segmentSize: number;
  readonly #scale: number | undefined;
  /** The first that is not acknowledged; the first of the queue. */
  #acknowledged: number;
  /** The next to send. */
  #next: number;
  /** The end of everything sent so far. */
  #top: number;
  /** The end of the guest's window. */
  #edge: number;
  /** The widest window that the guest has offered since it was closed. */
  #widest = 0;
  /** When data is sent although the window is narrow. */
  #reluctantUntil = Number.POSITIVE_INFINITY;
  #paused = false;
  /** Whether the host's end has sent everything, and that was passed on. */
  #ended = false;
  #endSent = false;
  #endAcknowledged = false;
  #timeoutAt = Number.POSITIVE_INFINITY;
  /** Timeouts since the guest acknowledged data, and since it sent anything. */
  #tries = 0;
  #silentTries = 0;

  // From the guest.
  readonly #up: Allowance;
  #expected: number;
  /** The end of the widest window that the guest was told of, which counts. */
  #granted: number;
  #receivedSinceGrowth = 0;
  #guestEnded = false;
  /** When data moved last, in either direction. */
  #movedAt: number;

  /**
   * @param syn the guest's, in the packet
   * @param connect makes the host's end
   */
  constructor(
    wire: Wire,
    packet: Undelivered,
    syn: Segment,
    initialSequence: number,
    connect: (events: TcpEvents) => TcpSocket,
  ) {
    this.#wire = wire;
    this.#connect = connect;
    this.#movedAt = wire.now();
    this.guest = packet.source;
    this.guestPort = syn.sourcePort;
    this.address = packet.destination;
    this.port = syn.destinationPort;
    this.request = packet;
    this.#down = new Allowance(wire.limits, wire.pools.down);
    this.#up = new Allowance(wire.limits, wire.pools.up);
    const stated = Math.max(syn.segmentSize ?? DEFAULT_SEGMENT_SIZE, MIN_SEGMENT_SIZE);
    this.#segmentSize = Math.min(stated, wire.segmentSizeFor(this.address));
    this.#scale = syn.scale;
    this.#acknowledged = this.#next = this.#top = initialSequence;
    this.#edge = initialSequence;
    this.#expected = this.#granted = (syn.sequence + 1) >>> 0;
  }

  /** Begins to connect to the guest's destination. */
  open(): void {
    this.#socket = this.#connect(this);
  }

  // ---- The host's end ------------------------------------------------------------------------

  connected(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'accepted';
    this.request = undefined;
    this.#sendSyn();
  }

  received(bytes: Uint8Array): void {
    if (this.#phase === 'closed') return;
    this.#queue.pushCopy(bytes);
    if (this.#queue.length >= this.#down.bytes) this.#down.grow();
    if (this.#queue.length >= this.#down.bytes) {
      this.#paused = true;
      this.#socket?.pause();
    }
    this.#push();
  }

  ended(): void {
    if (this.#phase === 'closed') return;
    this.#ended = true;
    this.#push();
  }

  sent(): void {
    if (this.#phase !== 'established') return;
    this.#movedAt = this.#wire.now();
    if (this.#guestEnded) this.#closeIfDone();
    else if (ahead(this.#window(), this.#granted) >= this.#up.bytes / 4) this.#wire.acknowledgeSoon(this);
  }

  failed(reason: TcpFailure): void {
    if (this.#phase === 'closed') return;
    if (reason === 'unreachable' && this.request) this.#wire.sendUnreachable(this);
    else this.#emit({ flags: RST | ACK, sequence: this.#top });
    this.#close();
  }

  // ---- The guest's end -----------------------------------------------------------------------

  /** Takes a segment of the guest. */
  receive(segment: Segment): void {
    this.#silentTries = 0;
    if ((segment.flags & RST) !== 0) {
      if (this.#isExpected(segment.sequence)) this.abort();
      return;
    }
    // A repeated request, while the host connects.
    if (this.#phase === 'connecting') return;
    if ((segment.flags & SYN) !== 0) {
      // RFC 5961, section 4. A guest that has forgotten the connection answers with RST.
      this.#wire.acknowledgeSoon(this);
      return;
    }
    if ((segment.flags & ACK) === 0 || !this.#takeAcknowledgement(segment)) return;
    this.#takeData(segment);
    this.#push();
    this.#closeIfDone();
  }

  /** Ends the connection at once, also at the host's end. */
  abort(): void {
    this.#socket?.abort();
    this.#close();
  }

  /** Says what has been received, and how much more may come. */
  acknowledge(): void {
    if (this.#phase !== 'closed') this.#emit({ flags: ACK, sequence: this.#next });
  }

  /** The card takes frames again. */
  resume(): void {
    if (this.#phase === 'established') this.#push();
  }

  /** Sends again what the guest has not acknowledged for too long. @returns whether it waits for the guest */
  checkTime(now: number): boolean {
    if (now >= this.#reluctantUntil) this.#endReluctance();
    if (now >= this.#timeoutAt && this.#wire.isBehind) this.#setTimer();
    else if (now >= this.#timeoutAt) this.#timeOut();
    return this.#timeoutAt !== Number.POSITIVE_INFINITY || this.#reluctantUntil !== Number.POSITIVE_INFINITY;
  }

  /** Resets the connection if nothing has moved for too long. */
  checkIdle(now: number): void {
    const isHalfClosed = this.#guestEnded || this.#endSent;
    const isWaiting = this.#queue.length > 0 || (this.#socket?.waiting ?? 0) > 0;
    if (now - this.#movedAt > (isHalfClosed && !isWaiting ? IDLE_HALF_CLOSED : IDLE)) this.#giveUp();
  }

  #giveUp(): void {
    this.#emit({ flags: RST | ACK, sequence: this.#next });
    this.abort();
  }

  #isExpected(sequence: number): boolean {
    return ahead(sequence, this.#expected) >= 0 && ahead(sequence, this.#granted) <= 0;
  }

  /** @returns whether the rest of the segment counts */
  #takeAcknowledgement({ acknowledgement, window }: Segment): boolean {
    let fresh = ahead(acknowledgement, this.#acknowledged);
    if (fresh < 0) return this.#phase === 'established';
    if (ahead(acknowledgement, this.#top) > 0) {
      // Of something that was never sent (RFC 9293, section 3.10.7.4).
      this.#wire.acknowledgeSoon(this);
      return false;
    }
    if (this.#phase === 'accepted') {
      if (fresh === 0) return false;
      this.#phase = 'established';
      fresh--;
    }
    if (acknowledgement !== this.#acknowledged) {
      if (fresh > this.#queue.length) this.#endSent = this.#endAcknowledged = true;
      this.#queue.drop(Math.min(fresh, this.#queue.length));
      this.#acknowledged = acknowledgement;
      this.#movedAt = this.#wire.now();
      if (ahead(this.#next, acknowledgement) < 0) this.#next = acknowledgement;
      this.#tries = 0;
      this.#setTimer();
    }
    const offered = window * 2 ** (this.#scale ?? 0);
    const wasClosed = ahead(this.#edge, this.#next) <= 0;
    this.#widest = wasClosed ? offered : Math.max(this.#widest, offered);
    this.#edge = (acknowledgement + offered) >>> 0;
    // Linux takes back its window when it drops a segment, because it is short of memory.
    if (ahead(this.#edge, this.#next) < (this.#endSent ? -1 : 0)) this.#goBack();
    if (this.#paused && this.#queue.length < this.#down.bytes / 2) {
      this.#paused = false;
      this.#socket?.resume();
    }
    return true;
  }

  #takeData({ sequence, flags, data }: Segment): void {
    const known = ahead(this.#expected, sequence);
    const hasEnd = (flags & FIN) !== 0;
    if (data.length > 0 || hasEnd || known !== 0) this.#wire.acknowledgeSoon(this);
    // Out of order, or all of it repeated.
    if (known < 0 || this.#guestEnded) return;
    const fresh = data.subarray(known, known + ahead(this.#granted, this.#expected));
    if (fresh.length > 0) {
      this.#socket?.write(fresh);
      this.#expected = (this.#expected + fresh.length) >>> 0;
      this.#movedAt = this.#wire.now();
      this.#receivedSinceGrowth += fresh.length;
      if (this.#receivedSinceGrowth >= this.#up.bytes) {
        this.#receivedSinceGrowth = 0;
        this.#up.grow();
      }
    }
    if (!hasEnd || (sequence + data.length) >>> 0 !== this.#expected) return;
    this.#expected = (this.#expected + 1) >>> 0;
    this.#guestEnded = true;
    this.#socket?.end();
  }

  /** The end of the window that the guest may be told of. */
  #window(): number {
    const room = Math.max(0, this.#up.bytes - (this.#socket?.waiting ?? 0));
    const edge = (this.#expected + room) >>> 0;
    return ahead(edge, this.#granted) > 0 ? edge : this.#granted;
  }

  #sendSyn(): void {
    this.#next = this.#top = (this.#acknowledged + 1) >>> 0;
    this.#emit({
      flags: SYN | ACK,
      sequence: this.#acknowledged,
      segmentSize: this.#wire.segmentSizeFor(this.address),
      scale: this.#scale === undefined ? undefined : SCALE,
    });
    this.#setTimer();
  }

  /** Sends what there is, and what the guest has room for. */
  #push(): void {
    if (this.#phase !== 'established') return;
    while (!this.#endSent) {
      const inFlight = ahead(this.#next, this.#acknowledged);
      const waiting = this.#queue.length - inFlight;
      const room = ahead(this.#edge, this.#next);
      const length = Math.min(waiting, this.#segmentSize, room);
      if (length <= 0) break;
      if (this.#isNarrow(room)) {
        if (inFlight === 0) this.#awaitRoom();
        break;
      }
      // Part of a segment only if nothing else can come (RFC 9293, section 3.8.6.2.1).
      if (length < this.#segmentSize && length < waiting && inFlight > 0) break;
      if (this.#wire.mustWait(this)) return;
      this.#sendData(inFlight, length);
    }
    if (this.#ended && !this.#endSent && ahead(this.#next, this.#acknowledged) === this.#queue.length) {
      this.#endSent = true;
      this.#emit({ flags: FIN | ACK, sequence: this.#next });
      this.#advance(1);
    }
    // Without anything in flight, a window that stays closed is probed.
    if (this.#queue.length > 0) this.#setTimer(this.#timeoutAt);
  }

  /**
   * The rest of a window that the guest cannot take back. It may have no memory left for it, because small
   * segments need more than their bytes.
   */
  #isNarrow(room: number): boolean {
    return room < Math.min(this.#segmentSize, this.#widest / 2);
  }

  #awaitRoom(): void {
    this.#reluctantUntil = Math.min(this.#reluctantUntil, this.#wire.now() + MAX_RELUCTANCE);
  }

  /** Takes the window as it is, if it has not become wider. */
  #endReluctance(): void {
    this.#reluctantUntil = Number.POSITIVE_INFINITY;
    this.#widest = Math.max(0, ahead(this.#edge, this.#next));
    this.#push();
  }

  #sendData(offset: number, length: number): void {
    if (ahead(this.#next, this.#top) < 0) this.#wire.resent++;
    const isLast = offset + length === this.#queue.length;
    this.#emit({
      flags: ACK | (isLast ? PSH : 0),
      sequence: this.#next,
      data: { queue: this.#queue, offset, length },
    });
    this.#advance(length);
  }

  #advance(length: number): void {
    this.#next = (this.#next + length) >>> 0;
    if (ahead(this.#next, this.#top) > 0) this.#top = this.#next;
    this.#setTimer(this.#timeoutAt);
  }

  #emit(segment: Pick<Outgoing, 'flags' | 'sequence' | 'segmentSize' | 'scale' | 'data'>): void {
    const unit = (segment.flags & SYN) !== 0 || this.#scale === undefined ? 0 : SCALE;
    const room = ahead(this.#window(), this.#expected);
    // Rounded down. Rounding up would let a guest that sends single bytes move the window on forever.
    const window = Math.min(room >>> unit, MAX_WINDOW);
    const edge = (this.#expected + window * 2 ** unit) >>> 0;
    if (ahead(edge, this.#granted) > 0) this.#granted = edge;
    this.#wire.send(this, { ...segment, acknowledgement: this.#expected, window });
  }

  /** Keeps a timer that runs already, if that is given. */
  #setTimer(running = Number.POSITIVE_INFINITY): void {
    const waits = this.#queue.length > 0 || this.#top !== this.#acknowledged;
    const timeout = Math.min(FIRST_TIMEOUT * 2 ** this.#tries, MAX_TIMEOUT);
    this.#timeoutAt = waits ? Math.min(running, this.#wire.now() + timeout) : Number.POSITIVE_INFINITY;
  }

  /** Takes everything that is not acknowledged to be lost. */
  #goBack(): void {
    this.#next = this.#acknowledged;
    this.#endSent = this.#endAcknowledged;
  }

  #timeOut(): void {
    if (this.#silentTries === MAX_TRIES) {
      this.#giveUp();
      return;
    }
    this.#tries++;
    this.#silentTries++;
    if (this.#phase === 'accepted') {
      this.#sendSyn();
      return;
    }
    this.#goBack();
    this.#push();
    // A closed window: one byte makes the guest tell its present one (RFC 9293, section 3.8.6.1).
    if (this.#next === this.#acknowledged && this.#queue.length > 0 && !this.#wire.mustWait(this))
      this.#sendData(0, 1);
    this.#setTimer();
  }

  /** Bytes that the host's end has not sent yet keep the connection, which counts them. */
  #closeIfDone(): void {
    if (!this.#guestEnded || !this.#endAcknowledged || this.#socket?.waiting !== 0) return;
    // The acknowledgement of the guest's end may still be due.
    this.acknowledge();
    this.#close();
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#timeoutAt = Number.POSITIVE_INFINITY;
    this.#down.release();
    this.#up.release();
    this.#wire.forget(this);
  }
}

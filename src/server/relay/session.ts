import type { RawData, WebSocket } from 'ws';
import { ETHERNET_HEADER, MAX_FRAME } from '../../network/ethernet.ts';
import type { Host } from '../../network/host.ts';
import { Nat } from '../../network/nat.ts';
import type { Card } from '../../network/network.ts';
import { PLAN } from '../../network/plan.ts';
import type { PolicyOptions } from '../../network/policy.ts';
import { Rate } from '../../network/rate.ts';
import type { Refusal } from '../../network/refusal.ts';
import {
  formatMessage,
  parseClientMessage,
  RELAY_WINDOW,
  type RelayEnd,
  type RelayLimit,
  type RelayMessage,
  RelayProtocolError,
} from '../../network/relay-protocol.ts';
import { Acknowledger, SendWindow } from '../../network/relay-window.ts';
import { Flow } from './flow.ts';
import type { RelayLimits } from './options.ts';

const TICK = 1000;
/** How long a client may take to close its end, in ms. */
const GRACE = 2000;
/** With more than this waiting for the client, its frames are not looked at, because they are answered. */
const FULL = 1 << 20;
/** With more than this in the socket, frames wait for it, in little memory. A message takes some itself. */
const SOCKET_FULL = 1 << 20;
/** A client that leaves this much of other messages unread is taken for dead. */
const SOCKET_OVERFULL = 2 << 20;
const MESSAGE_COST = 1 << 10;
/** The MTU of Ethernet, which all cards support. */
const PLAIN_MTU = 1500;
/** With more than this waiting of a plain client, nothing is read from it. */
const PLAIN_FULL = 256 << 10;
/**
 * Messages other than frames: acknowledgements, pings and pongs. A client acknowledges 256 KiB at a time, or
 * ten times a second, and may do so several times as often.
 */
const CONTROLS = { perSecond: 200, burst: 1000, bytesForEach: 64 << 10 };
/** The most refusals that are reported to the client in a tick. */
const MAX_REPORTS = 5;

/** The status codes of RFC 6455, section 7.4.1. */
const CLOSE_CODES: Readonly<Record<RelayEnd, number>> = {
  idle: 1000,
  lifetime: 1000,
  shutdown: 1001,
  protocol: 1008,
};

export interface SessionOptions extends Pick<PolicyOptions, 'aliases' | 'isDenied'> {
  readonly host: Host;
  readonly limits: RelayLimits;
  /** Whether the client speaks our subprotocol. Others send and take frames only. */
  readonly isOurs: boolean;
  onEnd(summary: SessionSummary): void;
}

/** The record of a session that has ended. */
export interface SessionSummary {
  /** `left`: the client has closed the connection. `dead`: it does not answer any more. */
  readonly reason: RelayEnd | 'left' | 'dead';
  readonly seconds: number;
  /** Bytes of frames from the client, and to it. */
  readonly up: number;
  readonly down: number;
  readonly refused: number;
}

/** One client's network: a NAT behind a WebSocket. */
export class ClientSession implements Card {
  readonly #socket: WebSocket;
  readonly #options: SessionOptions;
  readonly #nat: Nat;
  readonly #up: Flow;
  readonly #down: Flow;
  readonly #window = new SendWindow();
  readonly #acknowledger: Acknowledger;
  readonly #controls: Rate;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #startedAt = performance.now();
  readonly #bytes = { up: 0, down: 0 };
  /** Messages that the socket has not sent. */
  #unsent = 0;
  #framesAt = performance.now();
  #heardAt = performance.now();
  #pingedAt = performance.now();
  #refused = 0;
  /** Since the last tick. */
  #reports = 0;
  #isShortOfConnections = false;
  #limitsSent = '';
  #reason: SessionSummary['reason'] | undefined;

  constructor(socket: WebSocket, options: SessionOptions) {
    const { host, aliases, isDenied, limits, isOurs } = options;
    const { bytesPerSecond } = limits;
    this.#socket = socket;
    this.#options = options;
    this.#nat = new Nat({
      ...{ host, aliases, isDenied, card: this, limits: limits.guest },
      ...(!isOurs && { mtu: PLAIN_MTU }),
      onRefused: (refusal) => this.#report(refusal),
    });
    this.#up = new Flow({
      bytesPerSecond,
      hasRoom: () => this.waiting <= FULL,
      pass: (frame) => this.#passUp(frame),
    });
    this.#down = new Flow({
      bytesPerSecond,
      hasRoom: () => !(isOurs && this.#window.isFull) && this.#socketBytes <= SOCKET_FULL,
      pass: (frame) => this.#passDown(frame),
    });
    const { perSecond, burst, bytesForEach } = CONTROLS;
    this.#controls = new Rate({ perSecond: perSecond + bytesPerSecond / bytesForEach, burst });
    this.#acknowledger = new Acknowledger((bytes) => this.#tell({ type: 'ack', bytes }));
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#listen();
    const { connections } = limits.guest;
    if (isOurs)
      this.#tell({ type: 'config', mtu: PLAN.mtu, offloads: true, rate: bytesPerSecond, connections });
  }

  /** @param reason for the client */
  end(reason: RelayEnd): void {
    if (this.#reason) return;
    this.#tell({ type: 'error', reason });
    this.#stop(reason);
    this.#socket.close(CLOSE_CODES[reason], reason);
    this.#terminateSoon();
  }

  // ---- The card of the NAT -------------------------------------------------------------------

  deliver(frame: Uint8Array): void {
    if (!this.#reason) this.#down.push(frame);
  }

  get waiting(): number {
    const taken = this.#options.isOurs ? this.#window.outstanding : this.#socket.bufferedAmount;
    return this.#down.waiting + taken;
  }

  // ---- Frames --------------------------------------------------------------------------------

  #passUp(frame: Uint8Array): void {
    try {
      this.#nat.receive(frame);
    } catch (error) {
      // A bug in this relay must not end other sessions.
      console.error(error);
      this.end('protocol');
      return;
    }
    if (this.#options.isOurs) this.#acknowledger.took(frame.length);
    else if (this.#socket.isPaused && this.#up.waiting <= PLAIN_FULL) this.#socket.resume();
  }

  #passDown(frame: Uint8Array): void {
    this.#bytes.down += frame.length;
    this.#window.sent(frame.length);
    this.#send(frame);
  }

  /** The memory that the messages in the socket take. */
  get #socketBytes(): number {
    return this.#socket.bufferedAmount + this.#unsent * MESSAGE_COST;
  }

  /** There may be room for frames in either direction. */
  #resume(): void {
    if (this.#reason) return;
    this.#down.resume();
    this.#nat.resume();
    this.#up.resume();
  }

  // ---- The socket ----------------------------------------------------------------------------

  #listen(): void {
    const socket = this.#socket;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data, isBinary) => {
      if (this.#reason) return;
      this.#guard(() => (isBinary ? this.#receive(data as Buffer) : this.#hear(data)));
    });
    socket.on('ping', (data) => {
      this.#countControl();
      if (this.#socketBytes > SOCKET_FULL) return;
      this.#unsent++;
      socket.pong(data, false, this.#onSent);
    });
    socket.on('pong', () => this.#countControl());
    socket.on('error', () => {
      // It is about to close the connection.
      this.#stop('protocol');
      this.#terminateSoon();
    });
    socket.on('close', () => {
      this.#stop('left');
      this.#options.onEnd(this.#summarize());
    });
  }

  #receive(frame: Buffer): void {
    this.#framesAt = this.#heardAt = performance.now();
    this.#bytes.up += frame.length;
    if (this.#options.isOurs && (frame.length < ETHERNET_HEADER || frame.length > MAX_FRAME))
      throw new RelayProtocolError('no frame');
    this.#up.push(frame);
    if (this.#options.isOurs && this.#up.waiting > RELAY_WINDOW + MAX_FRAME)
      throw new RelayProtocolError('frames beyond the window');
    // Acknowledgements come on the same connection, so only a client without them can be paused.
    if (!this.#options.isOurs && this.#up.waiting > PLAIN_FULL) this.#socket.pause();
  }

  #hear(data: RawData): void {
    this.#countControl();
    if (!this.#options.isOurs) return;
    const message = parseClientMessage(String(data));
    if (message.type === 'ping') {
      this.#tell({ type: 'pong' });
      return;
    }
    this.#window.acknowledged(message.bytes);
    this.#resume();
  }

  #countControl(): void {
    this.#heardAt = performance.now();
    if (!this.#controls.tryTake()) this.end('protocol');
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof RelayProtocolError)) throw error;
      this.end('protocol');
    }
  }

  #tell(message: RelayMessage): void {
    if (this.#options.isOurs && !this.#reason) this.#send(formatMessage(message));
  }

  #send(message: Uint8Array | string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#unsent++;
    this.#socket.send(message, this.#onSent);
    if (this.#socketBytes > SOCKET_OVERFULL) this.#abandon();
  }

  readonly #onSent = () => {
    this.#unsent--;
    if (!this.#options.isOurs || this.#down.waiting > 0) this.#resume();
  };

  // ---- Limits --------------------------------------------------------------------------------

  #tick(): void {
    const { idle, lifetime, silence, ping } = this.#options.limits;
    const now = performance.now();
    // Nothing is heard from a client that is paused.
    if (this.#socket.isPaused) this.#heardAt = now;
    if (now - this.#heardAt > silence) this.#abandon();
    else if (now - this.#startedAt > lifetime) this.end('lifetime');
    else if (now - this.#framesAt > idle) this.end('idle');
    else if (now - this.#pingedAt > ping && this.#socketBytes <= SOCKET_FULL) {
      this.#pingedAt = now;
      this.#socket.ping();
    }
    this.#tellLimits();
  }

  #report(refusal: Refusal): void {
    this.#refused++;
    if (refusal.reason === 'connections') this.#isShortOfConnections = true;
    if (this.#reports++ < MAX_REPORTS) this.#tell({ type: 'refused', ...refusal });
  }

  #tellLimits(): void {
    const active: RelayLimit[] = [];
    const slowed = [this.#up.wasSlowed(), this.#down.wasSlowed()];
    if (slowed.includes(true)) active.push('rate');
    if (this.#isShortOfConnections) active.push('connections');
    this.#isShortOfConnections = false;
    this.#reports = 0;
    const message = { type: 'limit', active, refused: this.#refused } as const;
    const text = formatMessage(message);
    if (text === this.#limitsSent || (this.#limitsSent === '' && active.length === 0 && this.#refused === 0))
      return;
    this.#limitsSent = text;
    this.#tell(message);
  }

  // ---- The end -------------------------------------------------------------------------------

  /** Nothing that is sent would arrive. */
  #abandon(): void {
    this.#stop('dead');
    this.#socket.terminate();
  }

  /** The client may not close its end. */
  #terminateSoon(): void {
    const socket = this.#socket;
    const timer = setTimeout(() => socket.terminate(), GRACE);
    socket.once('close', () => clearTimeout(timer));
  }

  #stop(reason: SessionSummary['reason']): void {
    if (this.#reason) return;
    this.#reason = reason;
    clearInterval(this.#timer);
    this.#acknowledger.close();
    this.#nat.close();
    this.#up.close();
    this.#down.close();
  }

  #summarize(): SessionSummary {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    return { reason: this.#reason ?? 'left', seconds, ...this.#bytes, refused: this.#refused };
  }
}

import { ETHERNET_HEADER, MAX_FRAME } from './ethernet.ts';
import type { ManagedCard } from './network.ts';
import { PLAN } from './plan.ts';
import {
  type ClientMessage,
  formatMessage,
  parseRelayMessage,
  RELAY_WINDOW,
  type RelayConfig,
  type RelayMessage,
  RelayProtocolError,
} from './relay-protocol.ts';
import { CardHold, closeQuietly } from './relay-socket.ts';
import { Acknowledger, SendWindow } from './relay-window.ts';

/**
 * A relay that was silent for an interval is asked, and counts as gone after the next one, because a socket
 * may be dead without being closed. In ms.
 */
const HEARTBEAT = 8000;

export interface SessionEvents {
  /** The relay passes on frames from now on. */
  opened(config: RelayConfig): void;
  /** Frames from the relay are for the card, which has them already. */
  received(frame: Uint8Array): void;
  told(message: Extract<RelayMessage, { type: 'limit' | 'refused' }>): void;
  /** Nothing follows. @param reason `lost` unless the relay gave one */
  ended(reason: SessionEnd): void;
}

export type SessionEnd = Extract<RelayMessage, { type: 'error' }>['reason'] | 'lost';

/** A session at a relay of ours, over a WebSocket that is about to open. */
export class RelaySession {
  readonly #socket: WebSocket;
  readonly #card: ManagedCard;
  readonly #hold: CardHold;
  readonly #events: SessionEvents;
  readonly #window = new SendWindow();
  readonly #acknowledger = new Acknowledger((bytes) => this.#tell({ type: 'ack', bytes }));
  #isOpen = false;
  /** Bytes of frames given to the card, and how many of them the guest has taken. */
  #delivered = 0;
  #taken = 0;
  /** Intervals since the last message, the present one included. */
  #silence = 0;
  readonly #heartbeat: ReturnType<typeof setInterval>;

  constructor(socket: WebSocket, card: ManagedCard, events: SessionEvents) {
    this.#socket = socket;
    this.#card = card;
    this.#hold = new CardHold(socket, card, () => this.#window.isFull);
    this.#events = events;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    socket.onclose = () => this.#end('lost');
    socket.onerror = () => this.#end('lost');
    this.#heartbeat = setInterval(() => this.#checkHeartbeat(), HEARTBEAT);
  }

  send(frame: Uint8Array): void {
    // The types of TypeScript let buffers be shared, which this one is not.
    this.#socket.send(frame as Uint8Array<ArrayBuffer>);
    this.#window.sent(frame.length);
    this.#hold.update();
  }

  /** The guest has taken frames. */
  resume(): void {
    const taken = Math.max(this.#taken, this.#delivered - this.#card.waiting);
    if (taken === this.#taken) return;
    this.#acknowledger.took(taken - this.#taken);
    this.#taken = taken;
  }

  close(): void {
    closeQuietly(this.#socket);
    clearInterval(this.#heartbeat);
    this.#hold.close();
    this.#acknowledger.close();
  }

  #receive(data: unknown): void {
    this.#silence = 0;
    try {
      if (typeof data === 'string') this.#hear(parseRelayMessage(data));
      else this.#deliver(new Uint8Array(data as ArrayBuffer));
    } catch (error) {
      if (!(error instanceof RelayProtocolError)) throw error;
      this.#end('protocol');
    }
  }

  #hear(message: RelayMessage): void {
    if (message.type === 'config') {
      if (this.#isOpen || !message.offloads || message.mtu < PLAN.mtu)
        throw new RelayProtocolError('a configuration that this card does not have');
      this.#isOpen = true;
      this.#events.opened(message);
    } else if (message.type === 'ack') {
      this.#window.acknowledged(message.bytes);
      this.#hold.update();
    } else if (message.type === 'error') {
      this.#end(message.reason);
    } else if (message.type !== 'pong') {
      this.#events.told(message);
    }
  }

  #deliver(frame: Uint8Array): void {
    if (!this.#isOpen || frame.length < ETHERNET_HEADER || frame.length > MAX_FRAME)
      throw new RelayProtocolError('no frame');
    // The last frame may go beyond the window.
    if (this.#delivered - this.#taken >= RELAY_WINDOW + MAX_FRAME)
      throw new RelayProtocolError('frames beyond the window');
    this.#delivered += frame.length;
    this.#card.deliver(frame);
    this.#events.received(frame);
    // A card without a driver takes frames at once.
    this.resume();
  }

  #tell(message: ClientMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(formatMessage(message));
  }

  #checkHeartbeat(): void {
    this.#silence++;
    if (this.#silence === 2) this.#tell({ type: 'ping' });
    else if (this.#silence > 2) this.#end('lost');
  }

  #end(reason: SessionEnd): void {
    this.close();
    this.#events.ended(reason);
  }
}

import { Backoff } from './backoff.ts';
import { frameType, TYPE_IPV6 } from './ethernet.ts';
import type { ManagedCard, Network, NetworkEvents } from './network.ts';
import { loadNat, OfflineNetwork } from './offline-network.ts';
import { offerProtocols, RELAY_PATH } from './relay-protocol.ts';
import { RelaySession, type SessionEnd } from './relay-session.ts';
import type { OpenSocket } from './relay-socket.ts';
import { fetchToken, RelayError } from './relay-token.ts';
import { StatusReport } from './status-report.ts';

export interface RelayNetworkOptions {
  /** The URL of a server of ours, ending in a slash. */
  readonly base: string;
  readonly openSocket: OpenSocket;
}

/** How long frames of the guest wait for a session, in ms. */
const PATIENCE = 8000;
/** After this time without a session, frames may ask for one again, in ms. */
const REST = 5000;
/** Pauses between attempts to get back a session that was lost, in ms. */
const PAUSES = [100, 300, 1000, 3000];
/** A session that is lost for longer is only asked for when the guest sends, in ms. */
const GIVE_UP = 60_000;
/** Frames that came before the card was held. */
const MOST_PENDING = 16;

/**
 * A network behind a relay of ours. It needs no session before the guest's first frame, because most
 * containers never send one, and servers have few. Without a relay, everything fails at once.
 */
export class RelayNetwork implements Network {
  readonly #options: RelayNetworkOptions;
  readonly #card: ManagedCard;
  readonly #status: StatusReport;
  #offline: Network | undefined;
  #session: RelaySession | undefined;
  readonly #pending: Uint8Array[] = [];
  /** The guest's kernel looks for a router by itself, which is no reason to connect. */
  #greeting: Uint8Array | undefined;
  /** While there is no session: when the guest's frames may ask for one. */
  #restsUntil = 0;
  #lostAt = 0;
  readonly #backoff = new Backoff(PAUSES);
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the attempt to get a session. */
  #attempt: AbortController | undefined;

  constructor(options: RelayNetworkOptions, card: ManagedCard, events: NetworkEvents) {
    this.#options = options;
    this.#card = card;
    this.#status = new StatusReport(events);
    this.#status.change({ state: 'idle' });
  }

  receive(frame: Uint8Array): void {
    const { state } = this.#status;
    const isGreeting = isIpv6Multicast(frame);
    if (isGreeting) this.#greeting = frame;
    if (state === 'idle' && isGreeting) return;
    if (state === 'up') this.#send(frame);
    else if (state === 'off' && (isGreeting || performance.now() < this.#restsUntil))
      this.#offline?.receive(frame);
    else this.#keep(frame);
  }

  resume(): void {
    this.#session?.resume();
    this.#offline?.resume();
  }

  close(): void {
    this.#attempt?.abort();
    this.#session?.close();
    this.#offline?.close();
    clearTimeout(this.#timer);
    this.#status.close();
  }

  #send(frame: Uint8Array): void {
    this.#status.count(0, frame.length);
    this.#session?.send(frame);
  }

  /** Keeps a frame until there is a session, and asks for one. */
  #keep(frame: Uint8Array): void {
    if (this.#pending.length < MOST_PENDING) this.#pending.push(frame);
    this.#card.hold(true);
    if (this.#status.state === 'idle' || this.#status.state === 'off') {
      this.#status.change({ state: 'connecting' });
      void this.#connect();
    }
  }

  async #connect(): Promise<void> {
    const { base, openSocket } = this.#options;
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#timer = setTimeout(() => this.#fail(new RelayError(NO_ANSWER, true)), PATIENCE);
    try {
      const token = await fetchToken(base, attempt.signal);
      const url = new URL(RELAY_PATH.slice(1), base);
      url.protocol = url.protocol.replace('http', 'ws');
      const socket = await openSocket(url, offerProtocols(token));
      if (attempt.signal.aborted) return socket.close();
      this.#session = new RelaySession(socket, this.#card, {
        opened: ({ rate }) => this.#open(rate),
        received: (frame) => this.#status.count(frame.length, 0),
        told: (message) =>
          this.#status.note(
            message.type === 'limit'
              ? { limits: message.active, refused: message.refused }
              : { refusal: { destination: message.destination, reason: message.reason } },
          ),
        ended: (reason) => this.#end(reason),
      });
    } catch (error) {
      if (attempt.signal.aborted) return;
      this.#fail(error instanceof RelayError ? error : new RelayError(NO_ANSWER, true));
    }
  }

  #open(rate: number): void {
    clearTimeout(this.#timer);
    this.#backoff.reset();
    // The server of its code may be gone when this relay is.
    loadNat().catch(() => {});
    this.#offline?.close();
    this.#offline = undefined;
    if (this.#status.state === 'down') this.#card.setLink(true);
    this.#status.change({
      state: 'up',
      reason: undefined,
      isMissed: undefined,
      rate,
      limits: [],
      refused: 0,
    });
    if (this.#greeting) this.#send(this.#greeting);
    for (const frame of this.#pending.splice(0)) this.#send(frame);
    this.#card.hold(false);
  }

  #end(reason: SessionEnd): void {
    this.#session = undefined;
    if (this.#status.state !== 'up') this.#fail(new RelayError(NO_ANSWER, reason !== 'protocol'));
    else this.#lose(reason);
  }

  /** The session is gone, and all connections of the guest with it. */
  #lose(reason: SessionEnd): void {
    this.#card.resetConnections();
    if (reason === 'idle') {
      this.#card.hold(false);
      this.#status.change({ state: 'idle' });
    } else if (reason === 'protocol') {
      this.#giveUp(
        new RelayError('The relay and this page do not understand each other: reload the page', false),
      );
    } else {
      this.#lostAt = performance.now();
      this.#card.setLink(false);
      this.#card.hold(true);
      this.#status.change({ state: 'down', reason: LOST });
      this.#retry();
    }
  }

  #fail(error: RelayError): void {
    clearTimeout(this.#timer);
    this.#attempt?.abort();
    this.#session?.close();
    this.#session = undefined;
    const isWorthWaiting = error.isPassing && performance.now() - this.#lostAt < GIVE_UP;
    if (this.#status.state === 'down' && isWorthWaiting) this.#retry();
    else this.#giveUp(error);
  }

  #retry(): void {
    this.#timer = setTimeout(() => void this.#connect(), this.#backoff.next());
  }

  /** Lets everything fail at once, for a while or for good. */
  #giveUp({ message, isPassing }: RelayError): void {
    const wasDown = this.#status.state === 'down';
    this.#restsUntil = isPassing ? performance.now() + REST : Number.POSITIVE_INFINITY;
    this.#offline ??= new OfflineNetwork(this.#card, () => this.#status.miss());
    this.#status.change({ state: 'off', reason: message });
    for (const frame of this.#pending.splice(0)) this.#offline.receive(frame);
    if (wasDown) this.#card.setLink(true);
    this.#card.hold(false);
  }
}

/** Solicitations and memberships of groups (RFC 2464, section 7). */
const isIpv6Multicast = (frame: Uint8Array): boolean =>
  frameType(frame) === TYPE_IPV6 && frame[0] === 0x33 && frame[1] === 0x33;

const NO_ANSWER = 'The relay does not answer. Programs that try again may reach it later';
const LOST = 'The relay is gone; connections through it have ended. It is tried again';

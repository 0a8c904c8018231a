import { Backoff } from './backoff.ts';
import { DhcpClient } from './dhcp-client.ts';
import { ETHERNET_HEADER, MAX_FRAME } from './ethernet.ts';
import { routerSolicitation } from './ndp.ts';
import type { ManagedCard, Network, NetworkEvents } from './network.ts';
import { CardHold, closeQuietly, type OpenSocket } from './relay-socket.ts';
import { StatusReport } from './status-report.ts';

/** Pauses between attempts to reach the relay, in ms. */
const PAUSES = [500, 1000, 2000, 4000];
/** How long the relay may take to open its WebSocket, in ms. */
const PATIENCE = 8000;
/**
 * With more than this waiting for the guest, frames are dropped: such a relay cannot be held back, and TCP
 * expects it of an Ethernet.
 */
const MAX_WAITING = 4 << 20;

/**
 * An Ethernet behind a relay of somebody else, which passes on plain frames. Its DHCP server says how the
 * guest is reached; until then, the guest has no link.
 */
export class ForeignNetwork implements Network {
  readonly #url: URL;
  readonly #openSocket: OpenSocket;
  readonly #card: ManagedCard;
  readonly #status: StatusReport;
  readonly #dhcp: DhcpClient;
  #socket: WebSocket | undefined;
  #isClosed = false;
  readonly #backoff = new Backoff(PAUSES);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hold: CardHold | undefined;

  constructor(url: string, openSocket: OpenSocket, card: ManagedCard, events: NetworkEvents) {
    this.#url = new URL(url);
    this.#openSocket = openSocket;
    this.#card = card;
    this.#status = new StatusReport(events);
    this.#dhcp = new DhcpClient(card.mac, {
      send: (frame) => this.#send(frame),
      leased: (lease) => {
        events.configure(lease);
        if (this.#status.state === 'up') return;
        this.#status.change({ state: 'up', reason: undefined });
        card.setLink(true);
        // A guest that was at another link before does not ask for routers again.
        this.#send(routerSolicitation(card.mac));
      },
      lost: () => this.#lose('has taken back the address'),
    });
    card.setLink(false);
    this.#status.change({ state: 'connecting' });
    void this.#connect();
  }

  receive(frame: Uint8Array): void {
    if (this.#status.state !== 'up') return;
    this.#status.count(0, frame.length);
    this.#send(frame);
  }

  resume(): void {}

  close(): void {
    this.#isClosed = true;
    this.#dhcp.close();
    this.#status.close();
    this.#disconnect();
  }

  async #connect(): Promise<void> {
    this.#timer = setTimeout(() => this.#reconnect(), PATIENCE);
    const socket = await this.#openSocket(this.#url, []).catch(() => undefined);
    if (this.#isClosed) return socket?.close();
    // The browser forbids it.
    if (!socket) return this.#reconnect();
    this.#socket = socket;
    this.#hold = new CardHold(socket, this.#card);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      clearTimeout(this.#timer);
      this.#backoff.reset();
      this.#dhcp.start();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data instanceof ArrayBuffer) this.#receive(new Uint8Array(data));
    };
    socket.onclose = socket.onerror = () => this.#reconnect();
  }

  #receive(frame: Uint8Array): void {
    if (frame.length < ETHERNET_HEADER || frame.length > MAX_FRAME || this.#dhcp.receive(frame)) return;
    if (this.#status.state !== 'up' || this.#card.waiting > MAX_WAITING) return;
    this.#status.count(frame.length, 0);
    this.#card.deliver(frame);
  }

  #send(frame: Uint8Array): void {
    const socket = this.#socket;
    if (socket?.readyState !== socket?.OPEN) return;
    socket?.send(frame as Uint8Array<ArrayBuffer>);
    this.#hold?.update();
  }

  #reconnect(): void {
    this.#disconnect();
    this.#dhcp.close();
    this.#lose('does not answer');
    this.#timer = setTimeout(() => void this.#connect(), this.#backoff.next());
  }

  #lose(what: string): void {
    const wasUp = this.#status.state === 'up';
    this.#status.change({ state: 'down', reason: `The relay ${this.#url.host} ${what}. It is tried again` });
    if (wasUp) this.#card.setLink(false);
  }

  #disconnect(): void {
    clearTimeout(this.#timer);
    this.#hold?.close();
    this.#card.hold(false);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) closeQuietly(socket);
  }
}

import type { ManagedCard } from './network.ts';

/** Opens a WebSocket: the browser's, or in Node that of a library. */
export type OpenSocket = (url: URL, protocols: string[]) => Promise<WebSocket>;

/** With more than this waiting in the socket, nothing is taken from the guest. */
const MAX_BUFFERED = 1 << 20;
/** A WebSocket has no event for room in its buffer, so it is asked again after this time, in ms. */
const BUFFERED_DELAY = 5;

/** Holds the guest's card while frames cannot be passed on. */
export class CardHold {
  readonly #socket: WebSocket;
  readonly #card: ManagedCard;
  readonly #isBlocked: () => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param isBlocked whether something besides the socket's buffer stands in the way */
  constructor(socket: WebSocket, card: ManagedCard, isBlocked = () => false) {
    this.#socket = socket;
    this.#card = card;
    this.#isBlocked = isBlocked;
  }

  /** Holds the card, or releases it. */
  update(): void {
    clearTimeout(this.#timer);
    const isBuffered = this.#socket.bufferedAmount > MAX_BUFFERED;
    this.#card.hold(isBuffered || this.#isBlocked());
    if (isBuffered) this.#timer = setTimeout(() => this.update(), BUFFERED_DELAY);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** Closes a socket, of which nothing is heard any more. */
export function closeQuietly(socket: WebSocket): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  // In Node, an error of a socket that is closed before it is open must have a listener.
  socket.onerror = () => {};
  socket.close();
}

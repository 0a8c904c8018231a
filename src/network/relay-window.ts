import { RELAY_WINDOW, RelayProtocolError } from './relay-protocol.ts';

/** A shorter interval costs messages, a longer one leaves the window half used. */
const ACK_BYTES = 256 << 10;
/** Bytes that are fewer are acknowledged after this time, in ms. */
const ACK_DELAY = 100;

/** Bytes of frames that the other end has not acknowledged. */
export class SendWindow {
  #outstanding = 0;

  get outstanding(): number {
    return this.#outstanding;
  }

  get isFull(): boolean {
    return this.#outstanding >= RELAY_WINDOW;
  }

  sent(bytes: number): void {
    this.#outstanding += bytes;
  }

  /** @throws RelayProtocolError when there were fewer bytes */
  acknowledged(bytes: number): void {
    if (bytes > this.#outstanding) throw new RelayProtocolError('acknowledges bytes that were not sent');
    this.#outstanding -= bytes;
  }
}

/** Acknowledges the bytes of the other end's frames. */
export class Acknowledger {
  readonly #acknowledge: (bytes: number) => void;
  #taken = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(acknowledge: (bytes: number) => void) {
    this.#acknowledge = acknowledge;
  }

  /** The frames no longer take memory here. */
  took(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken >= ACK_BYTES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), ACK_DELAY);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const taken = this.#taken;
    this.#taken = 0;
    this.#acknowledge(taken);
  }
}

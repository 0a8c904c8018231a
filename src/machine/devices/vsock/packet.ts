/** Bytes of a packet's header (virtio 1.2, section 5.10.6). */
export const HEADER_SIZE = 44;

export const TYPE_STREAM = 1;

export const OP_REQUEST = 1;
export const OP_RESPONSE = 2;
export const OP_RST = 3;
export const OP_SHUTDOWN = 4;
export const OP_RW = 5;
export const OP_CREDIT_UPDATE = 6;
export const OP_CREDIT_REQUEST = 7;

/** Flags of OP_SHUTDOWN: the sender will not receive, will not send, any more. */
export const SHUTDOWN_RECEIVE = 1;
export const SHUTDOWN_SEND = 2;
export const SHUTDOWN_BOTH = SHUTDOWN_RECEIVE | SHUTDOWN_SEND;

/** One packet header, encoded in `bytes`. Context identifiers are 64 bits with the upper half reserved. */
export class VsockHeader {
  readonly bytes = new Uint8Array(HEADER_SIZE);
  readonly #view = new DataView(this.bytes.buffer);

  get sourceCid(): number {
    return this.#cid(0);
  }
  set sourceCid(cid: number) {
    this.#setCid(0, cid);
  }

  get destinationCid(): number {
    return this.#cid(8);
  }
  set destinationCid(cid: number) {
    this.#setCid(8, cid);
  }

  get sourcePort(): number {
    return this.#view.getUint32(16, true);
  }
  set sourcePort(port: number) {
    this.#view.setUint32(16, port, true);
  }

  get destinationPort(): number {
    return this.#view.getUint32(20, true);
  }
  set destinationPort(port: number) {
    this.#view.setUint32(20, port, true);
  }

  /** Bytes of payload. */
  get length(): number {
    return this.#view.getUint32(24, true);
  }
  set length(length: number) {
    this.#view.setUint32(24, length, true);
  }

  get type(): number {
    return this.#view.getUint16(28, true);
  }
  set type(type: number) {
    this.#view.setUint16(28, type, true);
  }

  get op(): number {
    return this.#view.getUint16(30, true);
  }
  set op(op: number) {
    this.#view.setUint16(30, op, true);
  }

  get flags(): number {
    return this.#view.getUint32(32, true);
  }
  set flags(flags: number) {
    this.#view.setUint32(32, flags, true);
  }

  /** Size of the sender's receive buffer for this connection. */
  get bufferSize(): number {
    return this.#view.getUint32(36, true);
  }
  set bufferSize(size: number) {
    this.#view.setUint32(36, size, true);
  }

  /** Bytes that the sender's application has taken from that buffer, modulo 2^32. */
  get forwarded(): number {
    return this.#view.getUint32(40, true);
  }
  set forwarded(count: number) {
    this.#view.setUint32(40, count, true);
  }

  #cid(offset: number): number {
    return this.#view.getUint32(offset + 4, true) * 2 ** 32 + this.#view.getUint32(offset, true);
  }

  #setCid(offset: number, cid: number): void {
    this.#view.setUint32(offset, cid, true);
    this.#view.setUint32(offset + 4, cid / 2 ** 32, true);
  }
}

import type { StateReader } from '../../state.ts';
import type { ReadableSegments, WritableSegments } from '../virtio/chain.ts';
import { ByteQueue } from './byte-queue.ts';
import {
  HEADER_SIZE,
  OP_CREDIT_REQUEST,
  OP_CREDIT_UPDATE,
  OP_REQUEST,
  OP_RESPONSE,
  OP_RST,
  OP_RW,
  OP_SHUTDOWN,
  SHUTDOWN_BOTH,
  SHUTDOWN_RECEIVE,
  SHUTDOWN_SEND,
  type VsockHeader,
} from './packet.ts';

/** Bytes that a connection holds for a host reader that is slower than the guest. */
const BUFFER_SIZE = 256 << 10;
/** Number of bytes taken after which the guest gets new credit. */
const CREDIT_STEP = BUFFER_SIZE / 2;
/** The most bytes of one write in a saved state. */
const MAX_WRITE = 2 ** 30;
/** The longest reason of a failure in a saved state. */
const MAX_REASON = 1000;
const MAX_COUNT = 2 ** 32 - 1;
const OPERATIONS =
  (1 << OP_REQUEST) | (1 << OP_RESPONSE) | (1 << OP_RST) | (1 << OP_SHUTDOWN) | (1 << OP_CREDIT_UPDATE);

/** A stream socket between the host and the guest. */
export interface VsockStream {
  readonly localPort: number;
  /** The guest's port. */
  readonly remotePort: number;
  /**
   * Bytes from the guest, which blocks while 256 KiB are unread. Ends when the guest stops sending, and fails
   * when the guest resets the connection. Cancelling tells the guest that nobody reads any more.
   */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Bytes to the guest. A write resolves when the guest's kernel has the bytes. Closing ends the guest's
   * input; aborting resets the connection.
   */
  readonly writable: WritableStream<Uint8Array>;
  /** Whether the guest closed it without ending its own direction first. */
  readonly closedAtOnce: boolean;
}

/** Calls from a connection to its device. */
export interface ConnectionLink {
  /** While the device is suspended, connections keep their bytes. */
  isSuspended(): boolean;
  /** It has a packet to send. */
  ready(connection: VsockConnection): void;
  /** It sends and receives no more, and its ports are free. */
  closed(connection: VsockConnection): void;
  /** It is closed and holds no bytes any more. */
  finished(connection: VsockConnection): void;
}

/** `connecting` awaits the guest's answer, `resetting` only has a RST to send. */
const PHASES = ['connecting', 'connected', 'resetting', 'closed'] as const;

/** The state of a connection (virtio 1.2, section 5.10.6). Counters are modulo 2^32. */
export interface ConnectionState {
  readonly localPort: number;
  readonly remotePort: number;
  readonly phase: (typeof PHASES)[number];
  /** Packets to send, one bit (1 << op) each. */
  readonly due: number;
  readonly localShutdown: number;
  readonly remoteShutdown: number;
  readonly closedAtOnce: boolean;
  /** Received bytes that the reader has not taken. */
  readonly unread: Uint8Array<ArrayBuffer>;
  /** How reading ends after them: `eof`, or the reason of a failure in an object. */
  readonly end: 'eof' | { readonly reason: string } | null;
  readonly receivedCount: number;
  readonly announcedCount: number;
  /** The rest of the write in progress. */
  readonly unsent: Uint8Array<ArrayBuffer>;
  readonly sentCount: number;
  readonly remoteBufferSize: number;
  readonly remoteForwardedCount: number;
}

/** @param opening OP_REQUEST to connect, OP_RESPONSE to accept */
export function newConnection(
  localPort: number,
  remotePort: number,
  opening: typeof OP_REQUEST | typeof OP_RESPONSE,
): ConnectionState {
  return {
    ...{ localPort, remotePort, phase: opening === OP_REQUEST ? 'connecting' : 'connected' },
    ...{ due: 1 << opening, localShutdown: 0, remoteShutdown: 0, closedAtOnce: false },
    ...{ unread: new Uint8Array(), end: null, receivedCount: 0, announcedCount: 0 },
    ...{ unsent: new Uint8Array(), sentCount: 0, remoteBufferSize: 0, remoteForwardedCount: 0 },
  };
}

/** @throws StateError unless it is a state of `VsockConnection.save` */
export function readConnection(state: StateReader): ConnectionState {
  const count = (name: string, most = MAX_COUNT) => state.field(name).integer(0, most);
  const due = count('due');
  if ((due & ~OPERATIONS) !== 0) state.field('due').fail('has unknown packets');
  return {
    localPort: count('localPort'),
    remotePort: count('remotePort'),
    phase: state.field('phase').oneOf(PHASES),
    due,
    localShutdown: count('localShutdown', SHUTDOWN_BOTH),
    remoteShutdown: count('remoteShutdown', SHUTDOWN_BOTH),
    closedAtOnce: state.field('closedAtOnce').boolean(),
    unread: state.field('unread').bytes(0, BUFFER_SIZE),
    end: readEnd(state.field('end')),
    receivedCount: count('receivedCount'),
    announcedCount: count('announcedCount'),
    unsent: state.field('unsent').bytes(0, MAX_WRITE),
    sentCount: count('sentCount'),
    remoteBufferSize: count('remoteBufferSize'),
    remoteForwardedCount: count('remoteForwardedCount'),
  };
}

function readEnd(state: StateReader): ConnectionState['end'] {
  if (!state.optional()) return null;
  return state.raw === 'eof' ? 'eof' : { reason: state.field('reason').text(MAX_REASON) };
}

interface PendingWrite {
  bytes: Uint8Array;
  sent: number;
  done(): void;
  fail(error: Error): void;
}

/** One connection, as `ConnectionState` describes it. */
export class VsockConnection implements VsockStream {
  readonly localPort: number;
  readonly remotePort: number;
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array>;
  closedAtOnce: boolean;
  /** Settles when the guest has answered a connection request. */
  readonly opened: Promise<void>;
  readonly #link: ConnectionLink;
  #phase: ConnectionState['phase'];
  /** OP_RW is not among them, but follows from #write and the guest's credit. */
  #due: number;
  #localShutdown: number;
  #remoteShutdown: number;

  readonly #received: ByteQueue;
  #reader!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  /** The reader waits for bytes. */
  #wanted = false;
  #readerDone = false;
  /** How reading ends when the received bytes are taken. */
  #end: 'eof' | Error | undefined;
  #receivedCount: number;
  #forwardedCount: number;
  #announcedCount: number;

  #writer!: WritableStreamDefaultController;
  #write: PendingWrite | undefined;
  #writerDone = false;
  #sentCount: number;
  #remoteBufferSize: number;
  #remoteForwardedCount: number;

  #opened!: () => void;
  #openFailed!: (error: Error) => void;

  constructor(link: ConnectionLink, state: ConnectionState) {
    this.#link = link;
    this.localPort = state.localPort;
    this.remotePort = state.remotePort;
    this.#phase = state.phase;
    this.#due = state.due;
    this.#localShutdown = state.localShutdown;
    this.#remoteShutdown = state.remoteShutdown;
    this.closedAtOnce = state.closedAtOnce;
    this.#received = new ByteQueue(state.unread);
    if (state.end) this.#end = state.end === 'eof' ? 'eof' : new Error(state.end.reason);
    this.#receivedCount = state.receivedCount;
    this.#forwardedCount = (state.receivedCount - state.unread.length) >>> 0;
    this.#announcedCount = state.announcedCount;
    this.#sentCount = state.sentCount;
    this.#remoteBufferSize = state.remoteBufferSize;
    this.#remoteForwardedCount = state.remoteForwardedCount;
    this.opened = new Promise((resolve, reject) => {
      this.#opened = resolve;
      this.#openFailed = reject;
    });
    if (this.#phase !== 'connecting') this.#opened();
    // Nobody waits for one of a saved state.
    this.opened.catch(() => {});
    this.readable = new ReadableStream(
      {
        start: (controller) => {
          this.#reader = controller;
        },
        pull: () => {
          this.#wanted = true;
          this.#deliver();
        },
        cancel: () => this.#cancel(),
      },
      // Credit covers only bytes that the reader has taken, so the stream itself holds none.
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream({
      start: (controller) => {
        this.#writer = controller;
        // The sink's abort method is called only after a write in progress has ended.
        controller.signal.addEventListener('abort', () => this.#abort(controller.signal.reason));
        return this.#isWritable ? this.#enqueue(state.unsent) : undefined;
      },
      write: (bytes) => this.#enqueue(bytes),
      close: () => {
        this.#writerDone = true;
        this.#shutdown(SHUTDOWN_SEND);
      },
    });
    if (!this.#isWritable) this.#failWriting(new Error('the connection was shut down'));
    link.ready(this);
  }

  /** Whether bytes can still be sent to the guest. */
  get #isWritable(): boolean {
    const ended = (this.#localShutdown & SHUTDOWN_SEND) | (this.#remoteShutdown & SHUTDOWN_RECEIVE);
    return ended === 0 && (this.#phase === 'connecting' || this.#phase === 'connected');
  }

  /** The state, while the device is suspended. */
  save(): ConnectionState {
    const { localPort, remotePort, closedAtOnce } = this;
    const end = this.#end instanceof Error ? { reason: this.#end.message.slice(0, MAX_REASON) } : this.#end;
    return {
      ...{ localPort, remotePort, closedAtOnce, phase: this.#phase, due: this.#due },
      ...{ localShutdown: this.#localShutdown, remoteShutdown: this.#remoteShutdown },
      ...{ unread: this.#received.copy(), end: end ?? null },
      ...{ receivedCount: this.#receivedCount, announcedCount: this.#announcedCount },
      unsent: this.#write
        ? (this.#write.bytes.slice(this.#write.sent) as Uint8Array<ArrayBuffer>)
        : new Uint8Array(),
      ...{ sentCount: this.#sentCount, remoteBufferSize: this.#remoteBufferSize },
      remoteForwardedCount: this.#remoteForwardedCount,
    };
  }

  /** The device is not suspended any more. */
  proceed(): void {
    this.#deliver();
    this.#link.ready(this);
  }

  get hasPacket(): boolean {
    return this.#nextOp() !== undefined;
  }

  /** Each packet of the guest states the guest's room. */
  noteCredit({ bufferSize, forwarded }: VsockHeader): void {
    this.#remoteBufferSize = bufferSize;
    this.#remoteForwardedCount = forwarded;
    if (this.#sendable() > 0) this.#link.ready(this);
  }

  /** Writes the next packet to a receive buffer; the device has filled in addresses and type. */
  send(header: VsockHeader, into: WritableSegments): void {
    const op = this.#nextOp() as number;
    const length = op === OP_RW ? Math.min(this.#sendable(), into.remaining - HEADER_SIZE) : 0;
    header.op = op;
    header.length = length;
    header.flags = op === OP_SHUTDOWN ? this.#localShutdown : 0;
    header.bufferSize = BUFFER_SIZE;
    header.forwarded = this.#forwardedCount;
    into.write(header.bytes);
    this.#due &= ~((1 << op) | (1 << OP_CREDIT_UPDATE));
    this.#announcedCount = this.#forwardedCount;
    if (op === OP_RW) this.#sendBytes(into, length);
    if (op === OP_RST) this.#close();
  }

  /** Takes a packet from the guest. Returns whether the protocol allows it. */
  receive(header: VsockHeader, payload: ReadableSegments): boolean {
    const { op } = header;
    if (op === OP_RST) {
      this.#fail(new Error('connection reset by the guest'));
      this.#close();
      return true;
    }
    if (this.#phase === 'resetting') return true;
    this.noteCredit(header);
    if (this.#phase === 'connecting') {
      if (op !== OP_RESPONSE) return false;
      this.#phase = 'connected';
      this.#opened();
      return true;
    }
    switch (op) {
      case OP_RW:
        return this.#receiveBytes(payload, header.length);
      case OP_SHUTDOWN:
        this.#remoteEnds(header.flags);
        return true;
      case OP_CREDIT_REQUEST:
        this.#schedule(OP_CREDIT_UPDATE);
        return true;
      case OP_CREDIT_UPDATE:
        return true;
      default:
        return false;
    }
  }

  /** Ends both directions at once and tells the guest. */
  reset(error: Error): void {
    if (this.#phase === 'resetting' || this.#phase === 'closed') return;
    this.#phase = 'resetting';
    this.#due = 1 << OP_RST;
    this.#link.ready(this);
    this.#fail(error);
  }

  /** The guest is gone: ends both directions, without a packet. */
  abandon(error: Error): void {
    this.#fail(error);
    this.#close();
  }

  #nextOp(): number | undefined {
    const due = this.#sendable() > 0 ? this.#due | (1 << OP_RW) : this.#due;
    // The numbers of operations are in the order in which packets should go out.
    return due === 0 ? undefined : 31 - Math.clz32(due & -due);
  }

  /** Bytes that could be sent now. */
  #sendable(): number {
    if (this.#write === undefined || this.#phase !== 'connected') return 0;
    const unread = (this.#sentCount - this.#remoteForwardedCount) >>> 0;
    return Math.min(
      this.#write.bytes.length - this.#write.sent,
      Math.max(this.#remoteBufferSize - unread, 0),
    );
  }

  #schedule(op: number): void {
    this.#due |= 1 << op;
    this.#link.ready(this);
  }

  #enqueue(bytes: Uint8Array): Promise<void> | undefined {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('a vsock stream takes Uint8Array chunks');
    if (bytes.length === 0) return undefined;
    return new Promise((done, fail) => {
      this.#write = { bytes, sent: 0, done, fail };
      this.#link.ready(this);
    });
  }

  #sendBytes(into: WritableSegments, length: number): void {
    const write = this.#write as PendingWrite;
    into.write(write.bytes, write.sent, write.sent + length);
    write.sent += length;
    this.#sentCount = (this.#sentCount + length) >>> 0;
    if (write.sent < write.bytes.length) return;
    this.#write = undefined;
    write.done();
  }

  #receiveBytes(payload: ReadableSegments, length: number): boolean {
    const unread = (this.#receivedCount - this.#forwardedCount) >>> 0;
    if (length > payload.remaining || length > BUFFER_SIZE - unread) return false;
    if ((this.#remoteShutdown & SHUTDOWN_SEND) !== 0) return false;
    this.#receivedCount = (this.#receivedCount + length) >>> 0;
    if ((this.#localShutdown & SHUTDOWN_RECEIVE) !== 0) {
      this.#forward(length);
    } else {
      this.#received.append(payload, length);
      this.#deliver();
    }
    return true;
  }

  /** Hands bytes to a waiting reader, or ends it when none are left. */
  #deliver(): void {
    if (this.#link.isSuspended()) return;
    if (this.#wanted && this.#received.length > 0) {
      this.#wanted = false;
      const bytes = this.#received.take() as Uint8Array<ArrayBuffer>;
      this.#forward(bytes.length);
      this.#reader.enqueue(bytes);
    }
    if (this.#received.length > 0) return;
    this.#endReading();
    this.#advance();
  }

  #endReading(): void {
    if (this.#readerDone || this.#end === undefined) return;
    this.#readerDone = true;
    if (this.#end === 'eof') this.#reader.close();
    else this.#reader.error(this.#end);
  }

  /** Counts bytes as taken by the reader. */
  #forward(length: number): void {
    this.#forwardedCount = (this.#forwardedCount + length) >>> 0;
    const unannounced = (this.#forwardedCount - this.#announcedCount) >>> 0;
    if (this.#phase === 'connected' && unannounced >= CREDIT_STEP) this.#schedule(OP_CREDIT_UPDATE);
  }

  #cancel(): void {
    this.#readerDone = true;
    this.#forward(this.#received.length);
    this.#received.clear();
    this.#shutdown(SHUTDOWN_RECEIVE);
  }

  #abort(reason: unknown): void {
    this.#writerDone = true;
    this.#received.clear();
    this.reset(new Error('aborted by the host', { cause: reason }));
    this.#advance();
  }

  #shutdown(flags: number): void {
    this.#localShutdown |= flags;
    if (this.#phase === 'connected') this.#schedule(OP_SHUTDOWN);
    this.#advance();
  }

  #remoteEnds(flags: number): void {
    const hadEnded = (this.#remoteShutdown & SHUTDOWN_SEND) !== 0;
    if ((flags & SHUTDOWN_BOTH) === SHUTDOWN_BOTH && !hadEnded) this.closedAtOnce = true;
    this.#remoteShutdown |= flags & SHUTDOWN_BOTH;
    if ((flags & SHUTDOWN_RECEIVE) !== 0) this.#failWriting(new Error('the guest reads no more'));
    if ((flags & SHUTDOWN_SEND) !== 0) this.#end ??= 'eof';
    this.#deliver();
  }

  /** Continues the shutdown as far as the flags of both sides allow (5.10.6.5). */
  #advance(): void {
    const drained = this.#received.length === 0;
    if (this.#phase === 'closed' && drained) this.#link.finished(this);
    if (this.#phase !== 'connected') return;
    if (this.#remoteShutdown === SHUTDOWN_BOTH && drained) this.reset(new Error('closed by the guest'));
    else if (this.#localShutdown === SHUTDOWN_SEND && (this.#remoteShutdown & SHUTDOWN_SEND) !== 0)
      this.#shutdown(SHUTDOWN_RECEIVE);
  }

  #fail(error: Error): void {
    this.#openFailed(error);
    this.#failWriting(error);
    this.#end ??= error;
    this.#deliver();
  }

  #failWriting(error: Error): void {
    this.#write?.fail(error);
    this.#write = undefined;
    if (this.#writerDone) return;
    this.#writerDone = true;
    this.#writer.error(error);
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#due = 0;
    this.#link.closed(this);
    this.#advance();
  }
}

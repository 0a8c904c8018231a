import type { Plain, StateReader } from '../../state.ts';
import type { Chain } from '../virtio/chain.ts';
import { DriverError, type GuestMemory } from '../virtio/guest-memory.ts';
import { VirtioDevice } from '../virtio/virtio-device.ts';
import {
  type ConnectionLink,
  type ConnectionState,
  newConnection,
  readConnection,
  VsockConnection,
  type VsockStream,
} from './connection.ts';
import { HEADER_SIZE, OP_REQUEST, OP_RESPONSE, OP_RST, TYPE_STREAM, VsockHeader } from './packet.ts';

export type { VsockStream } from './connection.ts';

export const HOST_CID = 2;

const F_STREAM = 0;
const RECEIVE = 0;
const TRANSMIT = 1;
/** Linux fills the receive queue with 4 KiB buffers. */
const QUEUE_SIZES = [64, 64, 8];
/**
 * The agent has 256 processes at most, with four streams each; 512 connections to servers; and 2048 that wait
 * for their token.
 */
const MAX_CONNECTIONS = 3648;
/** Refusals kept while the guest offers no buffer for them. Beyond this number, its packets wait. */
const MAX_REFUSALS = 64;
/** Turns of the event loop in which what is on the way arrives. */
const SETTLING_TURNS = 2;
const FIRST_EPHEMERAL_PORT = 2 ** 30;
const LAST_EPHEMERAL_PORT = 2 ** 31;

/** An RST for a packet that belongs to no connection. */
interface Refusal {
  hostCid: number;
  hostPort: number;
  guestPort: number;
  type: number;
}

/** Socket device (virtio 1.2, section 5.10): stream sockets between the host (CID 2) and the guest. */
export class VsockDevice extends VirtioDevice {
  readonly #guestCid: number;
  readonly #listeners = new Map<number, (stream: VsockStream) => void>();
  /** By host port, then guest port. */
  readonly #connections = new Map<number, Map<number, VsockConnection>>();
  /** Connections that are open or hold bytes for a reader. */
  readonly #unfinished = new Set<VsockConnection>();
  /** Connections that may have a packet to send, the longest waiting first. */
  readonly #ready = new Set<VsockConnection>();
  readonly #refusals: Refusal[] = [];
  readonly #received = new VsockHeader();
  readonly #sent = new VsockHeader();
  #ephemeralPort = FIRST_EPHEMERAL_PORT;
  /** Connections of a saved state, until they are taken. */
  readonly #resumed = new Set<VsockConnection>();
  readonly #link: ConnectionLink = {
    isSuspended: () => this.suspended,
    ready: (connection) => {
      this.#ready.add(connection);
      this.wake();
    },
    closed: (connection) => {
      this.#ready.delete(connection);
      this.#forget(connection);
    },
    finished: (connection) => this.#unfinished.delete(connection),
  };

  /** @param guestCid the guest's context identifier, 3 or more */
  constructor(memory: GuestMemory, slot: number, guestCid: number) {
    const config = new DataView(new ArrayBuffer(8));
    config.setUint32(0, guestCid, true);
    super(memory, slot, {
      id: 19,
      features: 1 << F_STREAM,
      queueSizes: QUEUE_SIZES,
      config: new Uint8Array(config.buffer),
    });
    this.#guestCid = guestCid;
  }

  /**
   * Accepts the guest's connections to a host port, until the returned function is called.
   * @throws Error if the port is in use.
   */
  listen(port: number, onStream: (stream: VsockStream) => void): () => void {
    if (this.#listeners.has(port)) throw new Error(`vsock port ${port} is in use`);
    this.#listeners.set(port, onStream);
    return () => {
      if (this.#listeners.get(port) === onStream) this.#listeners.delete(port);
    };
  }

  /**
   * Connects to a port of the guest. Rejects if the guest refuses, is reset, has no running driver, or has
   * too many connections, and when `signal` aborts, which is the only time limit.
   */
  async connect(port: number, signal?: AbortSignal): Promise<VsockStream> {
    signal?.throwIfAborted();
    if (!this.running) throw new Error('the guest has no running vsock driver');
    if (this.#unfinished.size >= MAX_CONNECTIONS) throw new Error('too many vsock connections');
    const connection = this.#open(newConnection(this.#freePort(port), port, OP_REQUEST));
    const abort = () => connection.reset(new Error('connecting was aborted', { cause: signal?.reason }));
    signal?.addEventListener('abort', abort);
    try {
      await connection.opened;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    return connection;
  }

  protected override service(): void {
    this.#receive();
    const stalled = this.#refusals.length === MAX_REFUSALS;
    this.#send();
    if (stalled && this.#refusals.length < MAX_REFUSALS) this.wake();
  }

  protected override stop(): void {
    this.#refusals.length = 0;
    for (const connection of [...this.#unfinished])
      connection.abandon(new Error('the guest reset its vsock device'));
  }

  /** Bytes on the way between a connection and its reader or writer arrive before the state is taken. */
  protected override async settle(): Promise<Plain> {
    // The agent puts off the end of a process by a turn.
    for (let turn = 0; turn < SETTLING_TURNS; turn++) await new Promise((resolve) => setTimeout(resolve));
    return {
      ephemeralPort: this.#ephemeralPort,
      refusals: this.#refusals.map((refusal) => ({ ...refusal })),
      connections: [...this.#unfinished].map((connection) => ({ ...connection.save() })),
    };
  }

  protected override restore(state: StateReader): void {
    this.#ephemeralPort = state.field('ephemeralPort').integer(FIRST_EPHEMERAL_PORT, LAST_EPHEMERAL_PORT - 1);
    this.#refusals.push(...state.field('refusals').list(MAX_REFUSALS).map(readRefusal));
    for (const entry of state.field('connections').list(MAX_CONNECTIONS)) {
      const connection = readConnection(entry);
      const { localPort, remotePort, phase } = connection;
      if (phase !== 'closed' && this.#connections.get(localPort)?.has(remotePort))
        entry.fail('is there twice');
      this.#resumed.add(this.#open(connection));
    }
  }

  override proceed(): void {
    super.proceed();
    for (const connection of this.#resumed) {
      connection.reset(new Error('nobody took the connection over'));
      connection.readable.cancel().catch(() => {});
    }
    this.#resumed.clear();
    for (const connection of this.#unfinished) connection.proceed();
  }

  /** Takes a connection of the state from which the device goes on. Those that nobody takes are reset. */
  takeResumed(localPort: number, remotePort: number): VsockStream | undefined {
    for (const connection of this.#resumed) {
      if (connection.localPort !== localPort || connection.remotePort !== remotePort) continue;
      this.#resumed.delete(connection);
      return connection;
    }
    return undefined;
  }

  /** Takes packets from the guest. */
  #receive(): void {
    while (this.#refusals.length < MAX_REFUSALS) {
      const chain = this.take(TRANSMIT);
      if (chain === undefined) return;
      this.charge(TRANSMIT, chain.readable.remaining);
      this.#dispatch(chain);
      this.queue(TRANSMIT).complete(chain);
    }
  }

  #dispatch({ readable }: Chain): void {
    const header = this.#received;
    if (readable.remaining < HEADER_SIZE) throw new DriverError('packet shorter than its header');
    readable.read(header.bytes, 0, HEADER_SIZE);
    if (header.sourceCid !== this.#guestCid) return;
    if (header.destinationCid !== HOST_CID || header.type !== TYPE_STREAM) {
      this.#refuse();
      return;
    }
    const connection = this.#connections.get(header.destinationPort)?.get(header.sourcePort);
    if (connection === undefined) this.#accept();
    else if (!connection.receive(header, readable))
      connection.reset(new Error('the guest broke the vsock protocol'));
  }

  #accept(): void {
    const { op, sourcePort, destinationPort } = this.#received;
    const onStream = this.#listeners.get(destinationPort);
    if (op !== OP_REQUEST || onStream === undefined || this.#unfinished.size >= MAX_CONNECTIONS) {
      this.#refuse();
      return;
    }
    const connection = this.#open(newConnection(destinationPort, sourcePort, OP_RESPONSE));
    connection.noteCredit(this.#received);
    onStream(connection);
  }

  #refuse(): void {
    const { op, type, destinationCid, destinationPort, sourcePort } = this.#received;
    if (op === OP_RST) return;
    this.#refusals.push({ hostCid: destinationCid, hostPort: destinationPort, guestPort: sourcePort, type });
  }

  /** Sends packets to the guest. */
  #send(): void {
    for (;;) {
      const connection = this.#nextReady();
      if (connection === undefined && this.#refusals.length === 0) return;
      const chain = this.take(RECEIVE);
      if (chain === undefined) return;
      const { writable } = chain;
      if (writable.remaining <= HEADER_SIZE) throw new DriverError('receive buffer too short for a packet');
      const refusal = this.#refusals.shift();
      if (refusal !== undefined) this.#sendRefusal(refusal, chain);
      else if (connection !== undefined) this.#sendPacket(connection, chain);
      this.charge(RECEIVE, writable.written);
      this.queue(RECEIVE).complete(chain);
    }
  }

  #nextReady(): VsockConnection | undefined {
    for (const connection of this.#ready) {
      if (connection.hasPacket) return connection;
      this.#ready.delete(connection);
    }
    return undefined;
  }

  #sendPacket(connection: VsockConnection, { writable }: Chain): void {
    this.#address(HOST_CID, connection.localPort, connection.remotePort, TYPE_STREAM);
    this.#ready.delete(connection);
    connection.send(this.#sent, writable);
    if (connection.hasPacket) this.#ready.add(connection);
  }

  #sendRefusal({ hostCid, hostPort, guestPort, type }: Refusal, { writable }: Chain): void {
    this.#address(hostCid, hostPort, guestPort, type);
    Object.assign(this.#sent, { op: OP_RST, length: 0, flags: 0, bufferSize: 0, forwarded: 0 });
    writable.write(this.#sent.bytes);
  }

  #address(hostCid: number, hostPort: number, guestPort: number, type: number): void {
    const header = this.#sent;
    header.sourceCid = hostCid;
    header.destinationCid = this.#guestCid;
    header.sourcePort = hostPort;
    header.destinationPort = guestPort;
    header.type = type;
  }

  #open(state: ConnectionState): VsockConnection {
    const connection = new VsockConnection(this.#link, state);
    this.#unfinished.add(connection);
    if (state.phase === 'closed') return connection;
    const { localPort, remotePort } = state;
    let byGuestPort = this.#connections.get(localPort);
    if (byGuestPort === undefined) {
      byGuestPort = new Map();
      this.#connections.set(localPort, byGuestPort);
    }
    byGuestPort.set(remotePort, connection);
    return connection;
  }

  #forget({ localPort, remotePort }: VsockConnection): void {
    const byGuestPort = this.#connections.get(localPort);
    byGuestPort?.delete(remotePort);
    if (byGuestPort?.size === 0) this.#connections.delete(localPort);
  }

  #freePort(guestPort: number): number {
    for (;;) {
      const port = this.#ephemeralPort++;
      if (this.#ephemeralPort === LAST_EPHEMERAL_PORT) this.#ephemeralPort = FIRST_EPHEMERAL_PORT;
      if (!this.#listeners.has(port) && !this.#connections.get(port)?.has(guestPort)) return port;
    }
  }
}

function readRefusal(state: StateReader): Refusal {
  const word = (name: string, most = 2 ** 32 - 1) => state.field(name).integer(0, most);
  return {
    hostCid: word('hostCid', Number.MAX_SAFE_INTEGER),
    hostPort: word('hostPort'),
    guestPort: word('guestPort'),
    type: word('type', 0xffff),
  };
}

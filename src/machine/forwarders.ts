import { OptionError } from '../options/option-error.mjs';
import { chunks } from '../streams/chunks.ts';
import {
  encodeCancel,
  encodeConnect,
  encodeWatchPorts,
  type ForwarderEvent,
  ForwarderEventReader,
  MAX_PORT,
  newToken,
} from './agent-protocol.ts';
import { type Deferred, deferred } from './deferred.ts';
import { ConnectError } from './errors.ts';
import { type PortChange, PortWatch } from './port-watch.ts';
import type { Forwarding, Processes } from './processes.ts';
import { connectionStream, type ToMachine } from './protocol.ts';
import type { StreamMux } from './stream-mux.ts';

/** A TCP connection to a server in a container. */
export interface Connection {
  /** The server's bytes. It fails when the server resets the connection; cancelling resets it. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes for the server. Closing ends this direction only; aborting resets the connection. */
  readonly writable: WritableStream<Uint8Array>;
}

/** The exit status of a process that the guest could not start. */
const CANNOT_RUN = 126;
/** By Linux's numbers. */
const REASONS: Readonly<Record<number, readonly [code: string, reason: string]>> = {
  24: ['EMFILE', 'the container has as many connections as it may have'],
  110: ['ETIMEDOUT', 'the server does not accept it'],
  111: ['ECONNREFUSED', 'connection refused'],
};

interface Pending {
  readonly port: number;
  readonly token: Uint8Array;
  readonly forwarder: Forwarder;
  readonly opened: Deferred<Connection>;
}

/** The owner's connections to servers in containers. Each container that needs one has a forwarder. */
export class Forwarders {
  readonly #processes: Processes;
  readonly #mux: StreamMux;
  readonly #post: (message: ToMachine) => void;
  readonly #forwarders = new Map<string, Forwarder>();
  /** Connections that the guest has not opened yet. */
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  constructor(processes: Processes, mux: StreamMux, post: (message: ToMachine) => void) {
    this.#processes = processes;
    this.#mux = mux;
    this.#post = post;
  }

  /** @throws ConnectError; MachineError; OptionError if the port is invalid; the signal's reason */
  async connect(container: string, port: number, signal?: AbortSignal): Promise<Connection> {
    if (!Number.isInteger(port) || port < 1 || port > MAX_PORT)
      throw new OptionError(`a port is a number from 1 to ${MAX_PORT}, not ${port}`);
    signal?.throwIfAborted();
    const forwarder = this.#forwarderOf(container);
    const connection = this.#next++;
    const [token, opened] = [newToken(), deferred<Connection>()];
    this.#pending.set(connection, { port, token, forwarder, opened });
    this.#post({ type: 'expect-connection', connection, token });
    forwarder.send(encodeConnect(connection, port, token));
    const abort = () => {
      forwarder.send(encodeCancel(connection));
      this.#giveUp(connection, signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    return opened.promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  /** The ports on which servers of a container listen, and then all changes, until the container ends. */
  ports(container: string): ReadableStream<PortChange> {
    return this.#forwarderOf(container).watchPorts();
  }

  /** The guest has opened a connection, whose bytes follow. */
  connected(connection: number): void {
    const pending = this.#pending.get(connection);
    this.#pending.delete(connection);
    const reset = () => pending?.forwarder.send(encodeCancel(connection));
    const name = connectionStream(connection);
    const streams = { readable: this.#mux.readable(name, reset), writable: this.#mux.writable(name, reset) };
    if (pending) {
      pending.opened.resolve(streams);
    } else {
      // It was given up meanwhile.
      void streams.readable.cancel();
      void streams.writable.abort();
    }
  }

  #forwarderOf(container: string): Forwarder {
    const running = this.#forwarders.get(container);
    if (running) return running;
    const forwarder = new Forwarder(this.#processes.forward(container), {
      refused: (connection, error) => this.#refused(forwarder, connection, error),
      ended: (outcome) => this.#ended(container, forwarder, outcome),
    });
    this.#forwarders.set(container, forwarder);
    return forwarder;
  }

  #refused(forwarder: Forwarder, connection: number, error: number): void {
    const pending = this.#pending.get(connection);
    if (pending?.forwarder === forwarder) this.#giveUp(connection, refusal(pending.port, error));
  }

  #ended(container: string, forwarder: Forwarder, outcome: number | Error): void {
    this.#forwarders.delete(container);
    for (const [connection, { port, forwarder: its }] of this.#pending)
      if (its === forwarder)
        this.#giveUp(connection, outcome instanceof Error ? outcome : lack(port, outcome));
  }

  #giveUp(connection: number, reason: Error): void {
    const pending = this.#pending.get(connection);
    if (!pending) return;
    this.#pending.delete(connection);
    this.#post({ type: 'forget-connection', token: pending.token });
    pending.opened.reject(reason);
  }
}

interface ForwarderListener {
  refused(connection: number, error: number): void;
  /** @param outcome its exit status, or the error that ended the machine */
  ended(outcome: number | Error): void;
}

/** The host's side of a container's forwarder. */
class Forwarder {
  readonly #commands: WritableStreamDefaultWriter<Uint8Array>;
  readonly #listener: ForwarderListener;
  readonly #ports = new PortWatch((watched) => this.send(encodeWatchPorts(watched)));

  constructor({ commands, events, exit }: Forwarding, listener: ForwarderListener) {
    this.#commands = commands.getWriter();
    this.#commands.closed.catch(() => {});
    this.#listener = listener;
    void this.#receive(events);
    exit.then(
      (status) => this.#end(status),
      (error) => this.#end(error),
    );
  }

  send(command: Uint8Array): void {
    // If the forwarder has ended, so have its connections.
    this.#commands.write(command).catch(() => {});
  }

  watchPorts(): ReadableStream<PortChange> {
    return this.#ports.watch();
  }

  async #receive(events: ReadableStream<Uint8Array>): Promise<void> {
    const reader = new ForwarderEventReader();
    try {
      for await (const bytes of chunks(events)) for (const event of reader.push(bytes)) this.#handle(event);
    } catch {
      // Its exit tells that it has ended.
    }
  }

  #handle(event: ForwarderEvent): void {
    if (event.type === 'port') this.#ports.note(event);
    else this.#listener.refused(event.connection, event.error);
  }

  #end(outcome: number | Error): void {
    this.#ports.end();
    this.#listener.ended(outcome);
  }
}

function refusal(port: number, error: number): ConnectError {
  const [code, reason] = REASONS[error] ?? [undefined, `error ${error}`];
  return new ConnectError(port, code, reason);
}

/** @param status of a forwarder that has ended */
function lack(port: number, status: number): ConnectError {
  if (status === CANNOT_RUN)
    return new ConnectError(port, 'EAGAIN', 'the guest cannot start a process for it');
  return new ConnectError(port, 'ESRCH', 'the container does not run');
}

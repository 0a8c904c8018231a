import { OptionError } from '../options/option-error.mjs';
import { chunks } from '../streams/chunks.ts';
import { printable } from '../text/byte-text.ts';
import { MAX_PORT } from './agent-codes.ts';
import { type ForwarderEvent, ForwarderEventReader } from './agent-messages.ts';
import { encodeAccept, encodeCancel, encodeConnect, encodeWatchPorts, newToken } from './agent-requests.ts';
import { type Deferred, deferred } from './deferred.ts';
import { ConnectError, MachineError } from './errors.ts';
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
  readonly token: Uint8Array;
  readonly forwarder: Forwarder;
  readonly opened: Deferred<Connection>;
  /** @param error Linux's number of the error */
  readonly refusal: (error: number) => Error;
  /** @param status of the forwarder, which has ended */
  readonly lack: (status: number) => Error;
}

/** A socket in a container, to whose clients the owner is connected. */
export interface Listening {
  /** The clients. Closed when the container ends; it fails if there can be no such socket. */
  readonly clients: ReadableStream<Connection>;
  /** Removes the socket, and resets the connections that are left. */
  close(): void;
}

/** How long the guest may recover before the next client is accepted, in ms. */
const PAUSE = 100;

/**
 * The owner's connections to servers and clients in containers. Each container that needs one has a
 * forwarder, and so has each channel.
 */
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
    const { connection, token, opened } = this.#expect({
      forwarder,
      refusal: (error) => refusal(port, error),
      lack: (status) => lack(port, status),
    });
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

  /** Makes a socket for clients in a container. @throws RangeError if the name holds NUL */
  listen(container: string, name: string): Listening {
    const forwarding = this.#processes.channel(container, name);
    const reason = new Response(forwarding.messages).text().catch(() => '');
    let over: Error | undefined;
    const forwarder: Forwarder = new Forwarder(forwarding, {
      refused: (connection, error) => this.#refused(forwarder, connection, error),
      ended: (outcome) => {
        over = outcome instanceof Error ? outcome : new Ended(outcome);
        this.#giveUpAll(forwarder, over);
      },
    });
    const expectation = { forwarder, refusal: describeRefusal, lack: (status: number) => new Ended(status) };
    const accept = async (): Promise<Connection | undefined> => {
      for (;;) {
        if (over) return endOf(over, await reason);
        const { connection, token, opened } = this.#expect(expectation);
        forwarder.send(encodeAccept(connection, token));
        const client = await opened.promise.catch((error: unknown) => error as Error);
        if (!(client instanceof Error)) return client;
        if (!(client instanceof Refused)) return endOf(client, await reason);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    };
    const clients = new ReadableStream<Connection>(
      {
        async pull(controller) {
          const client = await accept();
          if (client) controller.enqueue(client);
          else controller.close();
        },
        cancel: () => forwarder.end(),
      },
      { highWaterMark: 0 },
    );
    return { clients, close: () => forwarder.end() };
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
      ended: (outcome) => {
        this.#forwarders.delete(container);
        this.#giveUpAll(forwarder, outcome);
      },
    });
    this.#forwarders.set(container, forwarder);
    return forwarder;
  }

  #refused(forwarder: Forwarder, connection: number, error: number): void {
    const pending = this.#pending.get(connection);
    if (pending?.forwarder === forwarder) this.#giveUp(connection, pending.refusal(error));
  }

  #giveUpAll(forwarder: Forwarder, outcome: number | Error): void {
    for (const [connection, { lack, forwarder: its }] of this.#pending)
      if (its === forwarder) this.#giveUp(connection, outcome instanceof Error ? outcome : lack(outcome));
  }

  /** Makes a token for a connection that the guest will open. */
  #expect(from: Omit<Pending, 'token' | 'opened'>): Pending & { readonly connection: number } {
    const connection = this.#next++;
    const pending = { ...from, token: newToken(), opened: deferred<Connection>() };
    this.#pending.set(connection, pending);
    this.#post({ type: 'expect-connection', connection, token: pending.token });
    return { ...pending, connection };
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
  #isOver = false;
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
    if (!this.#isOver) this.#commands.write(command).catch(() => {});
  }

  watchPorts(): ReadableStream<PortChange> {
    return this.#ports.watch();
  }

  /** Ends the process, and with it its connections. */
  end(): void {
    if (!this.#isOver) this.#commands.close().catch(() => {});
    this.#isOver = true;
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
    this.#isOver = true;
    this.#ports.end();
    this.#listener.ended(outcome);
  }
}

/** The guest could not connect a client. */
class Refused extends Error {}

/** The forwarder of a channel has ended. */
class Ended extends Error {
  readonly status: number;

  constructor(status: number) {
    super('the channel has ended');
    this.status = status;
  }
}

const describeRefusal = (error: number) => new Refused(`error ${error}`);

/**
 * Returns if a channel has ended with its container, or was closed.
 * @param reason the guest's line about a failure
 * @throws MachineError otherwise
 */
function endOf(error: Error, reason: string): undefined {
  if (!(error instanceof Ended)) throw error;
  if (error.status !== 0) throw new MachineError(`cannot open the channel: ${printable(reason.trim())}`);
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

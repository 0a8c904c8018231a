import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Connection } from '../machine/machine.ts';
import { OptionError } from '../options/option-error.mjs';
import { MAX_CONNECTIONS } from '../options/published-ports.mjs';
import type { Connectable, Publication, PublishedPort } from './host.ts';
import { write } from './node-stdio.ts';

/** How long connections may pass on the last bytes of a container that has ended, in ms. */
const DRAIN = 2000;
/** The delay of TCP's keep-alive, which finds clients that have vanished, in ms. */
const KEEP_ALIVE = 60_000;
/** How long a client may keep silent after the server has ended, in ms. Nobody would answer it. */
const FAREWELL = 60_000;

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this port: choose another one, or 0 for any free one',
  EACCES: 'only root may take this port: choose one above 1023, or 0 for any free one',
  EADDRNOTAVAIL: 'this machine has no such address',
};

/** Ports of this machine that lead to ports of a container. Until there is one, connections are reset. */
export class Publisher implements Publication {
  /** Those that it has opened. */
  readonly ports: PublishedPort[] = [];
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #container: Connectable | undefined;

  /** @throws OptionError if a port cannot be taken */
  async listen(ports: readonly PublishedPort[]): Promise<void> {
    for (const port of ports) await this.#listen(port);
  }

  /** Leads connections to the container from now on. */
  serve(container: Connectable): void {
    this.#container = container;
  }

  /** The container has ended. Connections still pass on its last bytes. */
  async end(): Promise<void> {
    for (const server of this.#servers) server.close();
    const ended = Promise.all([...this.#sockets].map((socket) => closed(socket)));
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.resetAndDestroy();
    }, DRAIN);
    await ended;
    clearTimeout(timer);
  }

  async #listen({ address, host, container }: PublishedPort): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) =>
      this.#accept(socket, container),
    );
    // Each port admits as many as the container, which bounds those that wait.
    server.maxConnections = MAX_CONNECTIONS;
    server.listen({ host: address.replace(/[[\]]/g, ''), port: host, ipv6Only: true });
    try {
      await once(server, 'listening');
    } catch (cause) {
      const { code = '' } = cause as NodeJS.ErrnoException;
      throw new OptionError(`cannot listen on ${address}:${host}: ${REASONS[code] ?? code}`, { cause });
    }
    this.#servers.push(server);
    const { port } = server.address() as AddressInfo;
    this.ports.push({ address, host: port, container });
  }

  #accept(socket: Socket, port: number): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // Reads and writes report the error, too.
    socket.on('error', () => {});
    socket.setKeepAlive(true, KEEP_ALIVE);
    void this.#forward(socket, port);
  }

  async #forward(socket: Socket, port: number): Promise<void> {
    const left = new AbortController();
    socket.once('close', () => left.abort());
    try {
      if (!this.#container) throw new Error('there is no container yet');
      const connection = await this.#container.connect(port, { signal: left.signal });
      await Promise.all([sendToContainer(socket, connection), sendToClient(socket, connection)]);
    } catch {
      // Nothing listens there, or one side has reset the connection. The other side is reset, too.
      socket.resetAndDestroy();
    }
  }
}

async function sendToContainer(socket: Socket, { writable }: Connection): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const bytes of socket.iterator({ destroyOnReturn: false })) await writer.write(bytes);
    await writer.close();
  } catch (error) {
    writer.abort(error).catch(() => {});
    throw error;
  }
}

async function sendToClient(socket: Socket, { readable }: Connection): Promise<void> {
  const reader = readable.getReader();
  // A client that has ended its direction may go while the server has nothing to say.
  socket.once('close', () => void reader.cancel().catch(() => {}));
  for (let next = await reader.read(); !next.done; next = await reader.read())
    await write(socket, next.value);
  socket.end();
  socket.setTimeout(FAREWELL, () => socket.resetAndDestroy());
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

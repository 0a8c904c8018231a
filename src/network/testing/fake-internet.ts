import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { parseAddress } from '../address.ts';
import { listenRaw, type TestServer } from './test-server.ts';

/** In MiB. */
export const SIZE = process.env.LONG_TESTS ? 20 : 6;
/** Of each of several parallel downloads. */
const PART = 3 << 20;

export const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Servers on this machine that guests know by another address, because they may not reach its real ones. */
export class FakeInternet {
  /**
   * The addresses of all servers. good.example has the first, six.example has only the second, and
   * inside.example has a private one.
   */
  readonly address = '192.0.2.1';
  readonly address6 = '2001:db8::1';
  readonly content = Buffer.from(
    Uint32Array.from({ length: (SIZE << 20) / 4 }, (_, i) => Math.imul(i, 2654435761)).buffer,
  );
  readonly part = this.content.subarray(0, PART);
  /** Ports of servers, and one without. */
  web = 0;
  echo = 0;
  uploads = 0;
  closed = 0;
  readonly #servers: TestServer[] = [];
  /** The number of endless downloads. */
  waiting = 0;
  readonly #nameServer = createSocket('udp4');

  static async start(): Promise<FakeInternet> {
    const it = new FakeInternet();
    await it.#start();
    return it;
  }

  /** The network options that lead to the servers. */
  get network() {
    return {
      aliases: { [this.address]: '127.0.0.1', [this.address6]: '127.0.0.1' },
      nameServers: [`127.0.0.1:${this.#nameServer.address().port}`],
    };
  }

  async stop(): Promise<void> {
    this.#nameServer.close();
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    this.web = await this.#listen((socket) => socket.once('data', (request) => this.#serve(socket, request)));
    this.echo = await this.#listen((socket) => socket.pipe(socket));
    // Answers after the guest has ended its side.
    this.uploads = await this.#listen((socket) => {
      const hash = createHash('sha256');
      socket.on('data', (data) => hash.update(data));
      socket.on('end', () => socket.end(`${hash.digest('hex')}\n`));
    });
    this.closed = await this.#listen(() => {});
    await this.#servers.pop()?.[Symbol.asyncDispose]();
    const nameServer = this.#nameServer;
    nameServer.on('message', (query, { port, address }) =>
      nameServer.send(this.#answer(query), port, address),
    );
    await once(nameServer.bind(0, '127.0.0.1'), 'listening');
  }

  async #listen(serve: (socket: Socket) => void): Promise<number> {
    const server = await listenRaw(serve);
    this.#servers.push(server);
    return server.port;
  }

  /** `/part` is shorter, and `/endless` sends a byte and then waits. */
  #serve(socket: Socket, request: Buffer): void {
    const isEndless = request.includes('/endless');
    const body = isEndless ? Buffer.from('.') : request.includes('/part') ? this.part : this.content;
    socket.write(`HTTP/1.0 200 OK\r\nContent-Length: ${isEndless ? SIZE << 20 : body.length}\r\n\r\n`);
    if (isEndless) socket.write(body, () => this.waiting++);
    else socket.end(body);
  }

  #answer(query: Buffer): Buffer {
    const end = query.indexOf(0, 12) + 5;
    const isIpv6 = query.readUInt16BE(end - 4) === 28;
    const name = query.includes('inside') ? '10.0.0.1' : this.address;
    const address = [...parseAddress(isIpv6 ? this.address6 : name)];
    const hasAddress = query.includes('six') === isIpv6;
    const record = [0xc0, 12, 0, isIpv6 ? 28 : 1, 0, 1, 0, 0, 0, 60, 0, address.length, ...address];
    const reply = Buffer.concat([query.subarray(0, end), Buffer.from(hasAddress ? record : [])]);
    reply.writeUInt16BE(0x8180, 2);
    [1, hasAddress ? 1 : 0, 0, 0].forEach((count, index) => {
      reply.writeUInt16BE(count, 4 + 2 * index);
    });
    return reply;
  }
}

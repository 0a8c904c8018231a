import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Nat } from '../nat.ts';
import { nodeHost } from '../node-host.ts';

export interface PlainRelayOptions {
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  readonly nameServers?: readonly string[] | undefined;
}

/** A relay as others make them: each message is a frame, and there is nothing else. */
export class PlainRelay {
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
  }

  /** @param port 0 takes any free port */
  static async start({ aliases, nameServers }: PlainRelayOptions = {}, port = 0): Promise<PlainRelay> {
    const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
    server.on('connection', (socket) => {
      const card = {
        deliver: (frame: Uint8Array) => socket.send(frame),
        get waiting() {
          return socket.bufferedAmount;
        },
      };
      const nat = new Nat({ host: nodeHost(nameServers), card, mtu: 1500, aliases });
      socket.on('message', (frame: Buffer) => {
        nat.receive(Uint8Array.from(frame));
        nat.resume();
      });
      const draining = setInterval(() => nat.resume(), 10);
      socket.on('close', () => {
        clearInterval(draining);
        nat.close();
      });
    });
    await once(server, 'listening');
    return new PlainRelay(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get clients(): WebSocket[] {
    return [...this.#server.clients];
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Address, parseAddress } from '../address.ts';
import { parsePacket } from '../ip.ts';
import { Nat } from '../nat.ts';
import { parseSolicitation } from '../ndp.ts';
import { nodeHost } from '../node-host.ts';
import { PLAN } from '../plan.ts';

export interface PlainRelayOptions {
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  readonly nameServers?: readonly string[] | undefined;
  /** Leases this address, with which the NAT itself does nothing. */
  readonly lease?: string | undefined;
  /** The router of that lease, which is not there. */
  readonly gateway?: string | undefined;
}

/** A relay as others make them: each message is a frame, and there is nothing else. */
export class PlainRelay {
  readonly #server: WebSocketServer;
  /** How often routers of IPv6 were asked for. */
  solicitations = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
  }

  /** @param port 0 takes any free port */
  static async start(options: PlainRelayOptions = {}, port = 0): Promise<PlainRelay> {
    const { aliases, nameServers, lease, gateway } = options;
    const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
    const relay = new PlainRelay(server);
    server.on('connection', (socket) => {
      const card = {
        deliver: (frame: Uint8Array) => socket.send(lease ? leasing(frame, lease, gateway) : frame),
        get waiting() {
          return socket.bufferedAmount;
        },
      };
      const nat = new Nat({ host: nodeHost(nameServers), card, mtu: 1500, aliases });
      socket.on('message', (frame: Buffer) => {
        const packet = parsePacket(frame);
        if (packet && parseSolicitation(packet)?.kind === 'router') relay.solicitations++;
        nat.receive(lease ? withAddress(frame, parseAddress(lease), PLAN.guest) : Uint8Array.from(frame));
        nat.resume();
      });
      const draining = setInterval(() => nat.resume(), 10);
      socket.on('close', () => {
        clearInterval(draining);
        nat.close();
      });
    });
    await once(server, 'listening');
    return relay;
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

/** Where messages of DHCP may have the address, beyond the headers of Ethernet, IPv4 and UDP. */
const DHCP = 14 + 20 + 8;
const DHCP_OPTIONS = DHCP + 240;

/** A copy of a frame for the guest, which leases another address if it leases one. */
function leasing(frame: Uint8Array, lease: string, gateway: string | undefined): Uint8Array {
  const leased = withAddress(frame, PLAN.guest, parseAddress(lease));
  // The server's own address, which is the same, comes before.
  const router = Buffer.from(leased).lastIndexOf(PLAN.gateway);
  if (gateway && router > DHCP_OPTIONS) leased.set(parseAddress(gateway), router);
  return leased;
}

/** A copy of a frame with another address in its message. */
function withAddress(frame: Uint8Array, from: Address, to: Address): Uint8Array {
  const copy = Buffer.from(frame);
  const at = copy.indexOf(from, DHCP);
  if (at >= 0) copy.set(to, at);
  return Uint8Array.from(copy);
}

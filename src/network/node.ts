import { Nat } from './nat.ts';
import type { ManagedCard, Network, NetworkEvents, NetworkOptions, OpenNetwork } from './network.ts';
import { nodeHost } from './node-host.ts';
import type { Refusal } from './refusal.ts';
import { MAX_MESSAGE } from './relay-protocol.ts';
import type { OpenSocket } from './relay-socket.ts';
import { openRelayedNetwork } from './relayed-network.ts';
import { StatusReport } from './status-report.ts';

/**
 * Node 20 has no WebSocket. That of `ws` has the standard's properties, except for its types. It takes
 * long to load, and few machines need it.
 */
const openSocket: OpenSocket = async (url, protocols) => {
  const { WebSocket: NodeWebSocket } = await import('ws');
  const options = { perMessageDeflate: false, maxPayload: MAX_MESSAGE };
  return new NodeWebSocket(url, protocols, options) as unknown as WebSocket;
};

/** A network by the sockets of this process, unless a relay is named. */
export const openNodeNetwork: OpenNetwork = (options, card, events) =>
  options.relay
    ? openRelayedNetwork(options.relay, openSocket, card, events)
    : new LocalNetwork(options, card, events);

/** A NAT in this process, which reports its traffic and refusals. */
class LocalNetwork implements Network {
  readonly #nat: Nat;
  readonly #status: StatusReport;

  constructor({ aliases, nameServers }: NetworkOptions, card: ManagedCard, events: NetworkEvents) {
    const status = new StatusReport(events);
    const onRefused = (refusal: Refusal) => status.note({ refusal });
    this.#nat = new Nat({ host: nodeHost(nameServers), card, aliases, onRefused });
    this.#status = status;
    status.change({ state: 'up' });
  }

  receive(frame: Uint8Array): void {
    this.#nat.receive(frame);
    const { received, sent, resent, refused } = this.#nat.stats;
    const all = Object.values(refused).reduce((sum, count) => sum + count, 0);
    this.#status.note({ received, sent, resent, refused: all });
  }

  resume(): void {
    this.#nat.resume();
  }

  close(): void {
    this.#status.close();
    this.#nat.close();
  }
}

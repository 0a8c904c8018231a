import { Nat } from './nat.ts';
import type { OpenNetwork } from './network.ts';
import { nodeHost } from './node-host.ts';
import type { OpenSocket } from './relay-network.ts';
import { openRelay } from './relays.ts';

/**
 * Node 20 has no WebSocket. That of `ws` has the standard's properties, except for its types. It takes
 * long to load, and few machines need it.
 */
const openSocket: OpenSocket = async (url, protocols) => {
  const { WebSocket: NodeWebSocket } = await import('ws');
  return new NodeWebSocket(url, protocols, { perMessageDeflate: false }) as unknown as WebSocket;
};

/** A network by the sockets of this process, unless a relay is named. */
export const openNodeNetwork: OpenNetwork = ({ relay, aliases, nameServers }, card, events) =>
  relay
    ? openRelay(relay, openSocket, card, events)
    : new Nat({ host: nodeHost(nameServers), card, aliases });

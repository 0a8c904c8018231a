import type { OpenNetwork } from './network.ts';
import { openRelayedNetwork } from './relayed-network.ts';

const NO_SOCKETS = 'Pages cannot make connections without a relay';

/** A network behind a relay, because pages have no sockets. */
export const openBrowserNetwork: OpenNetwork = (
  { relay = { kind: 'off', reason: NO_SOCKETS } },
  card,
  events,
) => openRelayedNetwork(relay, async (url, protocols) => new WebSocket(url, protocols), card, events);

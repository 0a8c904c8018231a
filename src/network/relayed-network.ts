import { ForeignNetwork } from './foreign-network.ts';
import type { ManagedCard, Network, NetworkEvents, RelayOptions } from './network.ts';
import { OfflineNetwork } from './offline-network.ts';
import { RelayNetwork } from './relay-network.ts';
import type { OpenSocket } from './relay-socket.ts';
import { StatusReport } from './status-report.ts';

/** A network behind a relay, or without one. */
export function openRelayedNetwork(
  relay: RelayOptions,
  openSocket: OpenSocket,
  card: ManagedCard,
  events: NetworkEvents,
): Network {
  if (relay.kind === 'own') return new RelayNetwork({ base: relay.base, openSocket }, card, events);
  if (relay.kind === 'foreign') return new ForeignNetwork(relay.url, openSocket, card, events);
  const status = new StatusReport(events);
  status.change({ state: 'off', reason: relay.reason });
  return new OfflineNetwork(card, () => status.miss());
}

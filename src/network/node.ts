import { Nat } from './nat.ts';
import type { OpenNetwork } from './network.ts';
import { nodeHost } from './node-host.ts';

/** A network by the sockets of this process. */
export const openNodeNetwork: OpenNetwork = ({ aliases, nameServers }, card) =>
  new Nat({ host: nodeHost(nameServers), card, aliases });

/**
 * Why a guest's packet or connection does not leave:
 * - `address`: the address is not public, or the relay's own
 * - `port`: nobody may connect to this port, such as that of mail
 * - `denied`: the operator denies this address
 * - `connections`: the guest has too many connections
 * - `sockets`: the guest opens too many UDP sockets
 * - `names`: the guest asks for too many names
 * - `echo`: the guest asks for too many echoes, or the host lets nobody ask
 * - `packet`: the packet is a fragment, has options, or is of an unknown protocol
 */
export type RefusalReason =
  | 'address'
  | 'port'
  | 'denied'
  | 'connections'
  | 'sockets'
  | 'names'
  | 'echo'
  | 'packet';

export const REFUSAL_REASONS: readonly RefusalReason[] = [
  'address',
  'port',
  'denied',
  'connections',
  'sockets',
  'names',
  'echo',
  'packet',
];

/** A packet or connection that was refused. */
export interface Refusal {
  /** An address, perhaps with a port: `10.0.0.1`, `10.0.0.1:80`, `[fd00::1]:80`. Or a host name. */
  readonly destination: string;
  /** Why it was refused. */
  readonly reason: RefusalReason;
}

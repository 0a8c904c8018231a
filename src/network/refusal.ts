/** Why a guest's packet or connection does not leave. */
export const REFUSAL_REASONS = [
  /** The address is not public, or the relay's own. */
  'address',
  /** Nobody may connect to this port, such as that of mail. */
  'port',
  /** The operator denies this address. */
  'denied',
  /** The guest has too many connections. */
  'connections',
  /** The guest opens too many UDP sockets. */
  'sockets',
  /** The guest asks for too many names. */
  'names',
  /** The guest asks for too many echoes, or the host lets nobody ask. */
  'echo',
  /** The packet is a fragment, has options, or is of an unknown protocol. */
  'packet',
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface Refusal {
  /** An address, perhaps with a port: `10.0.0.1`, `10.0.0.1:80`, `[fd00::1]:80`. Or a host name. */
  readonly destination: string;
  readonly reason: RefusalReason;
}

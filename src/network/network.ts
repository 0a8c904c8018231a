import type { Address } from './address.ts';
import type { Mac } from './ethernet.ts';
import type { Refusal } from './refusal.ts';
import type { RelayLimit } from './relay-protocol.ts';

/** The guest's network card, seen from its network. */
export interface Card {
  /** Takes a frame for the guest. None is lost, so the caller looks at `waiting`. */
  deliver(frame: Uint8Array): void;
  /** Bytes of frames that the guest has not taken yet. */
  readonly waiting: number;
}

/** The guest's network, seen from its card. */
export interface Network {
  /** Takes a frame of the guest, which does not change any more. */
  receive(frame: Uint8Array): void;
  /** Called when the guest has taken frames that were waiting. */
  resume(): void;
  /** Ends all connections. */
  close(): void;
}

/** A card for a network that is not always there. */
export interface ManagedCard extends Card {
  readonly mac: Mac;
  /** Whether the guest sees a link. It does at first. */
  setLink(isUp: boolean): void;
  /** Resets the guest's TCP connections, whose other ends are gone. */
  resetConnections(): void;
  /** While it is held, the card takes no frames from the guest. */
  hold(isHeld: boolean): void;
}

/** The configuration that DHCP gave. Addresses are IPv4. */
export interface Lease {
  readonly guest: Address;
  /** The length of the network's prefix. */
  readonly prefix: number;
  readonly gateway: Address;
  readonly nameServer: Address;
}

/** Where the guest's frames go. */
export type RelayOptions =
  /** @param base the URL of a server of ours, ending in a slash */
  | { readonly kind: 'own'; readonly base: string }
  /** @param url `wss:` of any relay of Ethernet frames; `ws:` on this machine only */
  | { readonly kind: 'foreign'; readonly url: string }
  /** Nowhere: every name and connection fails at once. @param reason for the user */
  | { readonly kind: 'off'; readonly reason: string };

/** The network of a machine, as its owner chooses it. Structured-cloneable. */
export interface NetworkOptions {
  /** Unless given, the network is made of sockets of this process, in Node. */
  readonly relay?: RelayOptions | undefined;
  /** Addresses that lead to others instead, also to internal ones. For tests, without a relay. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Name servers instead of the system's: `address` or `address:port`. Without a relay. */
  readonly nameServers?: readonly string[] | undefined;
}

/** The state of a machine's network. */
export interface NetworkStatus {
  /**
   * - `idle`: the first frame of the guest opens the way
   * - `connecting`: frames wait for it
   * - `up`: frames are passed on
   * - `down`: the way is lost, and tried again
   * - `off`: there is none, and everything fails at once
   */
  readonly state: 'idle' | 'connecting' | 'up' | 'down' | 'off';
  /** Why it is down or off, and what to do: sentences without the last full stop. */
  readonly reason?: string | undefined;
  /** Whether a program has wanted the network while it was off. */
  readonly isMissed?: boolean | undefined;
  /** Bytes of frames that came for the guest. */
  readonly received: number;
  /** Bytes of frames that came from the guest. */
  readonly sent: number;
  /** The most bytes a second that the relay passes on in each direction. */
  readonly rate?: number | undefined;
  /** The limits that hold the guest back now. */
  readonly limits?: readonly RelayLimit[] | undefined;
  /** How many packets and connections were refused. */
  readonly refused?: number | undefined;
  /** The latest refusal of those reported. */
  readonly refusal?: Refusal | undefined;
  /** TCP segments with data that had to be sent to the guest again. Without a relay. */
  readonly resent?: number | undefined;
}

/** Events of a network, for the machine. */
export interface NetworkEvents {
  status(status: NetworkStatus): void;
  /** The guest must take this configuration. */
  configure(lease: Lease): void;
}

export type OpenNetwork = (options: NetworkOptions, card: ManagedCard, events: NetworkEvents) => Network;

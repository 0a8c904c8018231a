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

/** What a machine's owner says about its network. Structured-cloneable. */
export interface NetworkOptions {
  /** Addresses that lead to others instead, also to internal ones. For tests. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Name servers instead of the system's: `address` or `address:port`. */
  readonly nameServers?: readonly string[] | undefined;
}

export type OpenNetwork = (options: NetworkOptions, card: Card) => Network;

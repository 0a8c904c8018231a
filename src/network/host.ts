/** What a NAT needs of the system that it runs on. */

/** The end of a connection as its NAT hears of it. Nothing follows `failed` or `abort`. */
export interface TcpEvents {
  connected(): void;
  /** The bytes are valid during the call. */
  received(bytes: Uint8Array): void;
  /** Nothing more is received. */
  ended(): void;
  /** Bytes that were waiting have been sent. */
  sent(): void;
  failed(reason: TcpFailure): void;
}

export type TcpFailure = 'refused' | 'unreachable' | 'reset';

export interface TcpSocket {
  /** Takes the bytes, which do not change any more. */
  write(bytes: Uint8Array): void;
  /** Bytes taken and not sent yet. */
  readonly waiting: number;
  /** Ends the direction of `write`. */
  end(): void;
  pause(): void;
  resume(): void;
  /** Resets the connection. */
  abort(): void;
}

export interface UdpEvents {
  received(data: Uint8Array): void;
  /** Nobody listens at the other end. */
  refused(): void;
}

/** A socket with a port of its own that only exchanges datagrams with the address that it was opened for. */
export interface UdpSocket {
  send(data: Uint8Array): void;
  close(): void;
}

/** Addresses are IPv4, dotted decimal, or IPv6 without brackets. */
export interface Host {
  connect(address: string, port: number, events: TcpEvents): TcpSocket;
  openUdp(address: string, port: number, events: UdpEvents): UdpSocket;
  /** Sends a query to the system's name servers (RFC 1035, section 4). Rejects if none answers. */
  query(message: Uint8Array): Promise<Uint8Array>;
  /**
   * Asks for an echo (RFC 792, RFC 4443).
   * @returns whether there was one; undefined if the system cannot ask
   */
  echo(address: string): Promise<boolean | undefined>;
  /** The addresses of the system itself. */
  ownAddresses(): readonly string[];
}

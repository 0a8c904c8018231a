import { vi } from 'vitest';
import type { Address } from '../../../network/address.ts';
import { ACK, FIN, PSH, type Segment, SYN } from '../../../network/tcp-segment.ts';
import type { RelayClient } from './relay-server.ts';

const MASK = 0xffff_ffff;
const PATIENCE = 45_000;

/** Waits until there is a value. */
export const until = <T>(read: () => T) => vi.waitUntil(read, { timeout: PATIENCE, interval: 2 });

export interface TcpOptions {
  readonly address: Address;
  readonly port: number;
  readonly sourcePort?: number;
  readonly segmentSize?: number;
}

/** The only TCP connection of a guest. It takes segments in order, and sends each of its own once. */
export class TcpClient {
  readonly #client: RelayClient;
  readonly #options: TcpOptions;
  #sequence = 1;
  #expected = 0;

  private constructor(client: RelayClient, options: TcpOptions) {
    this.#client = client;
    this.#options = options;
  }

  static async connect(client: RelayClient, options: TcpOptions): Promise<TcpClient> {
    const it = new TcpClient(client, options);
    const { segmentSize = 65_480 } = options;
    it.#send({ flags: SYN, sequence: 0, segmentSize, scale: 7 });
    const answer = await until(() => client.segments().find(({ flags }) => (flags & SYN) !== 0));
    it.#expected = (answer.sequence + 1) & MASK;
    it.#send({ flags: ACK });
    return it;
  }

  write(data: Uint8Array): void {
    this.#send({ flags: ACK | PSH, data });
    this.#sequence += data.length;
  }

  /** Reads until the other end has ended. */
  async readAll(): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for (let hasEnded = false; !hasEnded; ) {
      const segments = await until(() => {
        const all = this.#client.segments();
        return all.length > 0 && all;
      });
      for (const segment of segments) hasEnded = this.#take(segment, parts) || hasEnded;
      this.#send({ flags: ACK });
    }
    return Buffer.concat(parts);
  }

  #take({ flags, sequence, data }: Segment, parts: Uint8Array[]): boolean {
    if (sequence !== this.#expected >>> 0) return false;
    parts.push(data.slice());
    const hasEnded = (flags & FIN) !== 0;
    this.#expected = (this.#expected + data.length + Number(hasEnded)) & MASK;
    return hasEnded;
  }

  #send(segment: Partial<Segment>): void {
    const { address, port, sourcePort = 4000 } = this.#options;
    const acknowledgement = this.#expected >>> 0;
    const common = { sourcePort, destinationPort: port, sequence: this.#sequence, acknowledgement };
    this.#client.sendSegment(address, { ...common, window: 0x2000, ...segment });
  }
}

import type { Address } from './address.ts';
import { random16, read16, write16 } from './bytes.ts';
import {
  encodeAnswer,
  encodeEmptyAnswer,
  encodeError,
  encodeQuery,
  fitDatagram,
  NO_ERROR,
  NO_SUCH_NAME,
  parseQuery,
  type Query,
  questionName,
  REFUSED,
  reverseAddress,
  SERVER_FAILURE,
  TYPE_AAAA,
  TYPE_TRANSFER,
} from './dns-message.ts';
import type { Host, TcpEvents, TcpSocket } from './host.ts';
import type { Limits } from './limits.ts';
import type { Policy } from './policy.ts';
import { Tasks } from './rate.ts';
import type { RefusalReason } from './refusal.ts';
import { SendQueue } from './send-queue.ts';

export interface DnsServices {
  readonly host: Host;
  readonly policy: Policy;
  readonly limits: Limits;
}

/** The guest's name server, which asks those of the system. */
export class DnsForwarder {
  readonly #services: DnsServices;
  readonly #queries: Tasks;

  constructor(services: DnsServices) {
    this.#services = services;
    this.#queries = new Tasks(services.limits.queries, services.limits.newQueries);
  }

  close(): void {
    this.#queries.close();
  }

  /** @returns the answer as it fits in a datagram; undefined if there is nothing to answer */
  async answerDatagram(message: Uint8Array): Promise<Uint8Array | undefined> {
    const query = parseQuery(message);
    if (!query) return undefined;
    if ('error' in query) return encodeError(query.id, query.error);
    return fitDatagram(await this.#answer(query), query);
  }

  /** Makes the server's end of a TCP connection (RFC 7766). */
  accept(events: TcpEvents): TcpSocket {
    return new DnsStream(events, async (message) => {
      const query = parseQuery(message);
      if (!query) return undefined;
      return 'error' in query ? encodeError(query.id, query.error) : this.#answer(query);
    });
  }

  async #answer(query: Query): Promise<Uint8Array> {
    // An answer without addresses keeps programs from waiting for IPv6 where there is none.
    if (query.type === TYPE_AAAA && !this.#services.policy.hasIpv6) return encodeEmptyAnswer(query, NO_ERROR);
    if (query.type === TYPE_TRANSFER) return encodeEmptyAnswer(query, REFUSED);
    const { policy } = this.#services;
    // The host's name servers know the names of its network (RFC 6303).
    const address = reverseAddress(query);
    if (address && !policy.mayName(address)) return encodeEmptyAnswer(query, NO_SUCH_NAME);
    const answer = this.#queries.run(() => this.#ask(query));
    if (!answer) this.#refuse('names', query);
    return (await answer?.catch(() => undefined)) ?? encodeEmptyAnswer(query, SERVER_FAILURE);
  }

  async #ask(query: Query): Promise<Uint8Array> {
    const id = random16();
    const answer = await this.#services.host.query(encodeQuery(query, id));
    return encodeAnswer(query, id, answer, (address) => this.#mayName(address, query));
  }

  #mayName(address: Address, query: Query): boolean {
    const may = this.#services.policy.mayName(address);
    if (!may) this.#refuse('address', query);
    return may;
  }

  #refuse(reason: RefusalReason, query: Query): void {
    this.#services.policy.refuseName(reason, questionName(query));
  }
}

const LENGTH_SIZE = 2;

/** Answers queries in their order, and ends when the guest has ended and all are answered. */
class DnsStream implements TcpSocket {
  readonly #events: TcpEvents;
  readonly #answer: (message: Uint8Array) => Promise<Uint8Array | undefined>;
  /** A guest may send its queries in single bytes, and many before the first is answered. */
  readonly #received = new SendQueue();
  #busy = false;
  #ended = false;
  #aborted = false;
  #paused: Promise<void> | undefined;
  #unpause = () => {};

  constructor(events: TcpEvents, answer: (message: Uint8Array) => Promise<Uint8Array | undefined>) {
    this.#events = events;
    this.#answer = answer;
    queueMicrotask(() => events.connected());
  }

  /** Queries that are not answered yet close the guest's window. */
  get waiting(): number {
    return this.#received.length;
  }

  write(bytes: Uint8Array): void {
    this.#received.push(bytes);
    void this.#serve();
  }

  end(): void {
    this.#ended = true;
    void this.#serve();
  }

  pause(): void {
    this.#paused ??= new Promise((resolve) => {
      this.#unpause = resolve;
    });
  }

  resume(): void {
    this.#unpause();
    this.#paused = undefined;
  }

  abort(): void {
    this.#aborted = true;
    this.resume();
  }

  async #serve(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let query = this.#next(); query && !this.#aborted; query = this.#next()) {
      const answer = await this.#answer(query);
      await this.#paused;
      if (this.#aborted) return;
      this.#events.sent();
      if (!answer) continue;
      const framed = new Uint8Array(LENGTH_SIZE + answer.length);
      write16(framed, 0, answer.length);
      framed.set(answer, LENGTH_SIZE);
      this.#events.received(framed);
    }
    this.#busy = false;
    if (!this.#ended || this.#aborted) return;
    // Part of a query may be left.
    this.#received.drop(this.#received.length);
    this.#events.ended();
    this.#events.sent();
  }

  #next(): Uint8Array | undefined {
    const { length } = this.#received;
    if (length < LENGTH_SIZE) return undefined;
    const size = new Uint8Array(LENGTH_SIZE);
    this.#received.copy(0, size);
    if (length < LENGTH_SIZE + read16(size, 0)) return undefined;
    const query = new Uint8Array(read16(size, 0));
    this.#received.copy(LENGTH_SIZE, query);
    this.#received.drop(LENGTH_SIZE + query.length);
    return query;
  }
}

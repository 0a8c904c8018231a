/** A server with a relay, and clients of it. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import WebSocket from 'ws';
import {
  formatMessage,
  offerProtocols,
  parseRelayMessage,
  parseTokenAnswer,
  RELAY_PATH,
  type RelayMessage,
  TOKEN_PATH,
} from '../../../network/relay-protocol.ts';
import { Acknowledger } from '../../../network/relay-window.ts';
import { Guest } from '../../../network/testing/world.ts';
import { type RunningServer, startServer } from '../../server.ts';
import type { RelayOptions } from '../options.ts';
import { Relay } from '../relay.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface KnockOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of a good one. */
  readonly protocols?: readonly string[];
  readonly path?: string;
}

/** A server as its clients see it. */
export class RelayDoor {
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  get origin(): string {
    return `http://localhost:${this.port}`;
  }

  /** Headers of a page of the server, behind a proxy. */
  page(client = '192.0.2.1'): Record<string, string> {
    return { Origin: this.origin, 'X-Forwarded-For': client };
  }

  requestToken(headers: Readonly<Record<string, string>> = this.page(), method = 'POST'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: 'localhost', port: this.port, path: TOKEN_PATH, method, headers };
      httpRequest(options, (answer) => resolve(readAnswer(answer)))
        .on('error', reject)
        .end();
    });
  }

  async token(headers?: Readonly<Record<string, string>>): Promise<string> {
    const answer = parseTokenAnswer((await this.requestToken(headers)).body);
    if ('refused' in answer) throw new Error(answer.message);
    return answer.token;
  }

  /** Opens a session, or returns the refusal. */
  async knock(options: KnockOptions = {}): Promise<RelayClient | Answer> {
    const { headers = this.page(), path = RELAY_PATH } = options;
    const protocols = options.protocols ?? offerProtocols(await this.token(headers));
    const socket = new WebSocket(`ws://localhost:${this.port}${path}`, [...protocols], { headers });
    const client = new RelayClient(socket);
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(client));
      socket.on('unexpected-response', (_, answer) => resolve(readAnswer(answer)));
      socket.on('error', reject);
    });
  }

  async connect(options: KnockOptions = {}): Promise<RelayClient> {
    const client = await this.knock(options);
    if (client instanceof RelayClient) return client;
    throw new Error(client.body);
  }

  /** Opens a session as v86 does, which sends and takes frames only. */
  async connectPlainly(client?: string): Promise<RelayClient> {
    const headers = this.page(client);
    return this.connect({ headers, protocols: [`token.${await this.token(headers)}`] });
  }
}

/** A server of this process. */
export class RelayServer extends RelayDoor {
  readonly relay: Relay;
  /** The log. */
  readonly lines: readonly string[];
  readonly #server: RunningServer;
  #isClosed = false;

  private constructor(server: RunningServer, relay: Relay, lines: readonly string[]) {
    super(portOf(server));
    this.#server = server;
    this.relay = relay;
    this.lines = lines;
  }

  static async start(options: RelayOptions = {}): Promise<RelayServer> {
    const lines: string[] = [];
    const relay = new Relay({ ...options, log: (line) => lines.push(line) });
    return new RelayServer(await startServer([], 0, { relay, hosts: options.hosts }), relay, lines);
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (!this.#isClosed) await this.#server.close();
    this.#isClosed = true;
  }
}

export const portOf = ({ url }: RunningServer): number => Number(new URL(url).port);

async function readAnswer(answer: IncomingMessage): Promise<Answer> {
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}

/** A client without a NIC: the test writes its frames. */
export class RelayClient extends Guest {
  readonly socket: WebSocket;
  readonly messages: RelayMessage[] = [];
  /** Whether frames are acknowledged as they come. */
  acknowledges = true;
  /** Bytes of all frames, and of the largest. */
  received = 0;
  largest = 0;
  /** Bytes of frames that the relay has not acknowledged. */
  unacknowledged = 0;
  readonly closed: Promise<number>;
  readonly #acknowledger = new Acknowledger((bytes) => this.acknowledge(bytes));

  constructor(socket: WebSocket) {
    super();
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    void this.closed.then(() => this.#acknowledger.close());
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#take(data);
      else this.#hear(parseRelayMessage(String(data)));
    });
  }

  transmit(frame: Uint8Array): void {
    this.unacknowledged += frame.length;
    this.socket.send(frame);
  }

  /** Messages of a type. */
  heard<T extends RelayMessage['type']>(type: T): Extract<RelayMessage, { type: T }>[] {
    return this.messages.filter((each): each is Extract<RelayMessage, { type: T }> => each.type === type);
  }

  get isOurs(): boolean {
    return !this.socket.protocol.startsWith('token.');
  }

  acknowledge(bytes: number): void {
    this.socket.send(formatMessage({ type: 'ack', bytes }));
  }

  #hear(message: RelayMessage): void {
    this.messages.push(message);
    if (message.type === 'ack') this.unacknowledged -= message.bytes;
  }

  #take(frame: Buffer): void {
    this.frames.push(frame);
    this.received += frame.length;
    this.largest = Math.max(this.largest, frame.length);
    if (this.isOurs && this.acknowledges) this.#acknowledger.took(frame.length);
  }
}

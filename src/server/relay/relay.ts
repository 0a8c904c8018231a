import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Host } from '../../network/host.ts';
import { nodeHost } from '../../network/node-host.ts';
import { formatTokenAnswer, MAX_MESSAGE, RELAY_PATH, RELAY_PROTOCOL } from '../../network/relay-protocol.ts';
import { clean } from '../../text/message.ts';
import { type Admission, Door, DoorError } from './door.ts';
import { DEFAULT_LIMITS, type RelayLimits, type RelayOptions, readRelayOptions } from './options.ts';
import { ClientSession, type SessionSummary } from './session.ts';

/** The most parts of a message, each of which takes memory. */
const MAX_PARTS = 1024;

/** The network of this server's pages: WebSockets with a NAT behind each. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #limits: RelayLimits;
  readonly #door: Door;
  readonly #host: Host;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    autoPong: false,
    maxPayload: MAX_MESSAGE,
    maxFragments: MAX_PARTS,
    maxBufferedChunks: MAX_PARTS,
    // A client expects one of the protocols that it has asked for.
    handleProtocols: (offered) => (offered.has(RELAY_PROTOCOL) ? RELAY_PROTOCOL : ([...offered][0] ?? false)),
  });
  readonly #sessions = new Set<ClientSession>();

  constructor(options: RelayOptions = {}) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#door = new Door(options);
    this.#host = nodeHost(options.nameServers);
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Answers POST `TOKEN_PATH`. */
  readonly handleToken = (context: Context): Response => {
    try {
      const { incoming } = context.env as HttpBindings;
      return tokenResponse(
        200,
        formatTokenAnswer({ token: this.#door.giveToken(incoming as IncomingMessage) }),
      );
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      const { status, refusal: refused, message } = error;
      return tokenResponse(status, formatTokenAnswer({ refused, message }));
    }
  };

  /** Takes a request for a WebSocket, if it is for the relay. @returns whether it is */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (request.url?.split('?')[0] !== RELAY_PATH) return false;
    socket.on('error', () => socket.destroy());
    try {
      this.#accept(this.#door.admit(request), request, socket, head);
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      refuseUpgrade(socket, error.status, error.message);
    }
    return true;
  }

  /** Ends all sessions. */
  close(): void {
    for (const session of this.#sessions) session.end('shutdown');
  }

  #accept(admission: Admission, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // The place is free again however the connection ends.
    socket.once('close', admission.leave);
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket, admission));
  }

  #open(socket: WebSocket, { client, isOurs }: Admission): void {
    const { aliases, isDenied, log = console.log } = this.#options;
    const session: ClientSession = new ClientSession(socket, {
      ...{ host: this.#host, limits: this.#limits, aliases, isDenied, isOurs },
      onEnd: (summary) => {
        this.#sessions.delete(session);
        log(lineOf(client, summary));
      },
    });
    this.#sessions.add(session);
  }
}

/**
 * Creates the relay that the variables ask for.
 * @throws Error that names the wrong variable
 */
export function createRelay(variables: Readonly<Record<string, string | undefined>>): Relay | undefined {
  const options = readRelayOptions(variables);
  return options && new Relay(options);
}

/** Answers a request for a token where there is no relay. */
export function refuseToken(): Response {
  const message = 'the server of this page has no relay';
  return tokenResponse(404, formatTokenAnswer({ refused: 'off', message }));
}

/** Refuses a request for a WebSocket. */
export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  const body = `${message}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  // A client that does not take the answer does not keep the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function tokenResponse(status: number, body: string): Response {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  return new Response(body, { status, headers });
}

function lineOf(client: string, { reason, seconds, up, down, refused }: SessionSummary): string {
  return `relay: ${clean(client)}: ${reason} after ${seconds} s, ${up} bytes up, ${down} bytes down, ${refused} refused`;
}

import type { IncomingMessage } from 'node:http';
import { parseProtocols, RELAY_PATH, type TokenRefusal } from '../../network/relay-protocol.ts';
import { isLoopback } from '../../oci/address.ts';
import { clientOf } from '../client-key.ts';
import { isPage } from '../hosts.ts';
import { QuotaError, Quotas } from '../quotas.ts';
import { DEFAULT_LIMITS, type RelayOptions } from './options.ts';
import { type Bearer, Tokens } from './tokens.ts';

/** A name or an address, perhaps with a port (RFC 9110, section 7.2), and no other part of a URL. */
const HOST = /^[\w.:[\]-]+$/;

/** A client may not have a session. */
export class DoorError extends Error {
  override name = 'DoorError';
  /** Of HTTP. */
  readonly status: number;
  readonly refusal: Exclude<TokenRefusal, 'missing'>;

  constructor(status: number, refusal: DoorError['refusal'], message: string) {
    super(message);
    this.status = status;
    this.refusal = refusal;
  }
}

export interface Admission {
  readonly client: string;
  /** Whether the client speaks our subprotocol. */
  readonly isOurs: boolean;
  /** Frees the session's place. */
  readonly leave: () => void;
}

/** Decides who may have a session: pages of this server, which get a token first, within their quotas. */
export class Door {
  readonly #options: RelayOptions;
  readonly #tokens: Tokens;
  readonly #quotas: Quotas;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.secret);
    this.#quotas = new Quotas({ ...DEFAULT_LIMITS, ...options.limits });
  }

  /**
   * Gives a token to a request for one.
   * @throws DoorError
   */
  giveToken(request: IncomingMessage): string {
    const bearer = this.#bearerOf(request);
    const site = request.headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin') throw forbidden('only pages of this server may ask');
    if (this.#options.givesNoTokens)
      throw forbidden('this server gives no tokens: its operator does so elsewhere');
    withinQuotas(() => this.#quotas.check(bearer.client));
    return this.#tokens.issue(bearer);
  }

  /**
   * Admits a request for a WebSocket.
   * @throws DoorError
   */
  admit(request: IncomingMessage): Admission {
    const bearer = this.#bearerOf(request);
    // Addresses are written to logs.
    if (request.url !== RELAY_PATH) throw forbidden('a token belongs in the header Sec-WebSocket-Protocol');
    const { isOurs, token } = parseProtocols(request.headers['sec-websocket-protocol']);
    if (token === undefined) throw forbidden('there is no token');
    const use = this.#tokens.check(token, bearer);
    if (!use) throw forbidden('the token is used, expired, or of another client: ask for a new one');
    const leave = withinQuotas(() => this.#quotas.enter(bearer.client));
    use();
    return { client: bearer.client, isOurs, leave };
  }

  /** WebSockets know no CORS, and other sites can have names that lead here (DNS rebinding). */
  #bearerOf(request: IncomingMessage): Bearer {
    const { host = '', origin = '' } = request.headers;
    const { hosts = [], trustProxy = false } = this.#options;
    if (
      !HOST.test(host) ||
      !URL.canParse(`http://${host}`) ||
      !isPage(new URL(`http://${host}`).hostname, hosts)
    )
      throw forbidden('this server does not have the name in the header Host');
    if (origin !== '' && !isOriginOf(origin, host)) throw forbidden('only pages of this server may ask');
    return { client: clientOf(request, trustProxy), origin };
  }
}

/** Whether a page at `origin` comes from the server that a request with the header `host` is for. */
function isOriginOf(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: own, hostname, origin: canonical } = new URL(origin);
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isSecure && origin === canonical && own === new URL(`${protocol}//${host}`).host;
}

function withinQuotas<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof QuotaError ? overQuota(error) : error;
  }
}

function overQuota({ quota, status, wait }: QuotaError): DoorError {
  if (quota === 'server')
    return new DoorError(status, 'busy', 'the relay of this server has no room: try again later');
  const message = {
    rate: `you connect to the relay too often: try again in ${wait} s`,
    client: 'you have all the connections to the relay that one client may have: close another machine',
  }[quota];
  return new DoorError(status, 'sessions', message);
}

function forbidden(message: string): DoorError {
  return new DoorError(403, 'forbidden', message);
}
